package generation

import (
	"errors"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
)

// Uses are the databases that the live directory at path has, which stay in a store:
// the current one, and of a half-applied patch both. Without a live directory there are
// none; the error is that of one that cannot be read.
func Uses(path string) ([]db.Digest, error) {
	d, err := live.Open(path)
	if errors.Is(err, live.ErrNoLive) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return d.Databases()
}

// Running reports whether there is a live directory at path that a supervision tree
// uses, so that what becomes current should become live as well.
func Running(path string) (bool, error) {
	d, err := live.Open(path)
	if errors.Is(err, live.ErrNoLive) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	known, err := journal.Load(d.JournalPath())
	if err != nil {
		return false, err
	}
	err = d.CheckEpoch(known.Head().Epoch)
	if errors.Is(err, live.ErrStale) || errors.Is(err, s6.ErrNotRunning) {
		return false, nil
	}
	return err == nil, err
}
