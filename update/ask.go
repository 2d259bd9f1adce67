package update

import (
	"strata/live"
	"strata/live/journal"
)

// Ask writes down that somebody wants the patch under way to be gone on with, or to
// be taken back, which the next [Resume] does, whoever calls it.
//
// Taking back drops, before the switch, what was made for the new database and starts
// what was stopped; after it it applies the inverse, a patch of its own, so that what
// was up before is up again. It ends as aborted, or as aborted with failures. The
// error is [ErrNoPatch] if none is under way.
func Ask(w *live.Writer, cause string, back bool) error {
	under := w.Journal().Patch
	if under == nil {
		return ErrNoPatch
	}
	events := []journal.Event{journal.PatchTry{}}
	if back && !under.Aborting && !under.Aborts {
		events = append(events, journal.PatchAbort{})
	}
	return w.Append(cause, events...)
}
