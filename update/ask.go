package update

import (
	"errors"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
)

// Ask writes down that somebody wants the patch under way to be gone on with, or to
// be taken back, which the next [Resume] does, whoever calls it.
//
// Taking back drops, before the switch, what was made for the new database and starts
// what was stopped; after it it applies the inverse, a patch of its own, so that what
// was up before is up again. It ends as aborted, or as aborted with failures. The
// error wraps [ErrNoPatch] if none is under way: then it is [Tidy].
func Ask(w *live.Writer, cause string, back bool) error {
	under := w.Head().Patch
	if under == nil {
		return errors.Join(ErrNoPatch, Tidy(w))
	}
	events := []journal.Event{journal.PatchTry{}}
	if back && !under.Aborting && !under.Aborts {
		events = append(events, journal.PatchAbort{})
	}
	return w.Append(cause, events...)
}

// Tidy leaves nothing of an update that was killed before it had begun or after its
// end. It does nothing while one is under way.
func Tidy(w *live.Writer) error {
	j := w.Head()
	if j.Patch != nil {
		return nil
	}
	v, err := w.View(j.Content, j.Table)
	if err != nil {
		return err
	}
	defer v.DB.Close()
	var slots []live.Slot
	for _, e := range j.Table {
		slots = append(slots, e.Slot)
	}
	return errors.Join(w.WriteStopOrder(v), w.SweepSlots(slots...), w.Sweep(), remark(w))
}

// remark puts the files down right that an update could not remove or write.
func remark(w *live.Writer) error {
	st, err := w.State()
	if err != nil {
		return err
	}
	var settled []*live.ServiceState
	for i := range st.Services {
		if s := &st.Services[i]; s.Type == db.Longrun && !s.Starting {
			settled = append(settled, s)
		}
	}
	w.Remark(settled...)
	return nil
}
