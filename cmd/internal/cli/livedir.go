package cli

import (
	"fmt"

	"strata/cmd/internal/ui"
	"strata/live"
)

// openLive opens a live directory that is going to be changed. Root does not use
// one that others can write to; under s6-rc's names, which do not look, it is a
// warning.
func openLive(s ui.Streams, path string) (*live.Dir, error) {
	d, err := live.Open(path)
	if err != nil {
		return nil, err
	}
	if err := d.Trust(); err != nil {
		if _, dropin := dropins()[s.Tool]; !dropin {
			return nil, fmt.Errorf("cannot use live directory %s: %w", path, err)
		}
		s.Warnf("%s", ui.Escape(err.Error()))
	}
	return d, nil
}
