package scenario

import (
	"errors"
	"slices"
	"strings"

	"strata/live/change"
)

// Outcome is a result in a scenario's words: "bad failed; top skipped for bad",
// sorted by name, then why it quit. Of a result that is all right it is empty.
func Outcome(r change.Result) string {
	var parts []string
	for _, f := range r.Failed {
		parts = append(parts, f.Target.Name+" "+reason(f.Err))
	}
	for _, s := range r.Skipped {
		parts = append(parts, s.Target.Name+" skipped for "+s.Because)
	}
	for _, l := range r.Left {
		parts = append(parts, l.Name+" left")
	}
	slices.Sort(parts)
	if r.Quit != nil {
		parts = append(parts, reason(r.Quit))
	}
	return strings.Join(parts, "; ")
}

// reason is the kind of a failure.
func reason(err error) string {
	if errors.Is(err, change.ErrLost) {
		return "lost"
	}
	for _, known := range []error{change.ErrTimedOut, change.ErrInterrupted, change.ErrAbandoned} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "failed"
}
