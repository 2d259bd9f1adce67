package update

import (
	"errors"
	"fmt"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
)

// ErrNoPatch says that no patch is under way.
var ErrNoPatch = errors.New("no update is under way")

// Begin writes down that a patch is going to be applied, with base read under the lock
// and newdb a copy that [live.Writer.AddDB] made; from then on nothing else changes
// the live directory, and [Resume] or [Abort] ends that. It refuses a patch that does
// not fit, with an error that wraps [ErrFit], and does nothing for an empty one, but
// what it says of the store.
func Begin(w *live.Writer, base Base, newdb *db.DB, p *Patch, env Env) error {
	_, err := prepare(w, base, newdb, p, env)
	return err
}

// prepare is Begin for who applies the patch, too.
func prepare(w *live.Writer, base Base, newdb *db.DB, p *Patch, env Env) (*applier, error) {
	if err := p.fits(base.State, newdb); err != nil {
		return nil, err
	}
	a := &applier{
		w: w, env: env, patch: p, byOp: map[Op][]Action{}, noted: map[int]bool{},
		states: base.State.Services, old: base.View, new: live.View{DB: newdb},
	}
	return a, a.write()
}

// write writes down that the patch is going to be applied; of an empty one there is
// only what it says of the store.
func (a *applier) write() error {
	var err error
	if a.patch.Store != nil || a.patch.Empty() { // else there is something to do meanwhile
		err = a.check()
	}
	if err == nil {
		err = a.prepareStore(a.new.DB)
	}
	if err != nil {
		return errors.Join(err, a.w.Sweep())
	}
	if a.patch.Empty() {
		return a.moveStoreAlone()
	}
	event, err := a.announce()
	if err == nil {
		err = a.check()
	}
	if err == nil {
		err = a.w.Append(a.env.Cause, event)
	}
	if err != nil {
		return errors.Join(err, a.dropStore(), a.w.WriteStopOrder(a.old), a.w.Sweep())
	}
	return nil
}

// check waits until it is known whether the new database is sound.
func (a *applier) check() error {
	if a.env.Check == nil {
		return nil
	}
	return a.env.Check()
}

// fits says why the patch does not fit, if it does not.
func (p *Patch) fits(st *live.State, newdb *db.DB) error {
	switch {
	case st.Patch != nil:
		return fmt.Errorf("cannot update: %w", live.ErrHalfApplied)
	case st.Content != p.Old.Content:
		return fmt.Errorf("cannot apply patch: %w: it begins with the database %s, the live one is %s", ErrFit, p.Old.Content.Short(), st.Content.Short())
	case newdb.Content() != p.New.Content:
		return fmt.Errorf("cannot apply patch: %w: it leads to the database %s, the new one is %s", ErrFit, p.New.Content.Short(), newdb.Content().Short())
	case p.Store != nil && !p.Store.Leads(p.New.Content):
		return fmt.Errorf("cannot apply patch: %w: its store leads elsewhere", ErrPatch)
	case Fingerprint(st) != p.Live.Fingerprint:
		return fmt.Errorf("cannot apply patch: %w: services were started or stopped since it was made", ErrFit)
	}
	return nil
}

// announce keeps the patch and gives the journal's record that begins it.
func (a *applier) announce() (journal.PatchBegin, error) {
	var event journal.PatchBegin
	a.sort()
	next, err := a.assignSlots()
	if err != nil {
		return event, err
	}
	text, err := a.patch.MarshalJSON() // json.Marshal would go over it twice
	if err != nil {
		return event, err
	}
	if a.digest, err = a.w.KeepPatch(text); err != nil {
		return event, err
	}
	if !live.StopAlike(a.old, a.new) {
		if err := a.w.WriteStopOrder(a.old, a.new); err != nil {
			return event, err
		}
	}
	return journal.PatchBegin{
		Patch: a.digest, Old: a.patch.Old.Content, New: a.patch.New.Content,
		Table: a.new.Table, NextSlot: next, Actions: len(a.patch.Actions), Limit: a.env.Limit, Aborts: a.aborts,
	}, nil
}

// sort puts the actions into groups.
func (a *applier) sort() {
	for _, action := range a.patch.Actions {
		a.byOp[action.Op] = append(a.byOp[action.Op], action)
	}
}

// try notes who begins to apply the patch.
func (a *applier) try() {
	pid, start := live.Process()
	if err := a.w.Append(a.env.Cause, journal.PatchTry{PID: pid, Start: start}); err != nil {
		a.result.Notes = append(a.result.Notes, err)
	}
}

// assignSlots lets what goes on keep its slot.
func (a *applier) assignSlots() (next live.Slot, err error) {
	renamed := map[string]string{} // from which names
	for _, r := range a.byOp[OpRename] {
		if len(r.NewNames) != 1 {
			return 0, fmt.Errorf("cannot apply patch: %w: action %d renames to %d names", ErrPatch, r.Seq, len(r.NewNames))
		}
		renamed[r.NewNames[0]] = r.Service
	}
	made := map[string]bool{}
	for _, m := range a.byOp[OpMake] {
		made[m.Service] = true
	}
	var missing string
	at := id(0) // in the old database, whose names are sorted too
	a.new.Table, next = a.w.NewTable(a.new.DB, func(j id) (live.Slot, bool) {
		name := a.new.DB.Name(j)
		if made[name] {
			return 0, false
		}
		if from, ok := renamed[name]; ok {
			i, ok := find(a.old.DB, from)
			if !ok {
				missing = from
			}
			return a.old.Slot(i), ok
		}
		for int(at) < a.old.DB.Len() && a.old.DB.Name(at) < name {
			at++
		}
		if int(at) == a.old.DB.Len() || a.old.DB.Name(at) != name {
			missing = name
			return 0, false
		}
		return a.old.Slot(at), true
	})
	if missing != "" {
		return 0, fmt.Errorf("cannot apply patch: %w: it does not say where service %s comes from", ErrPatch, missing)
	}
	return next, nil
}

func find(d *db.DB, name string) (id, bool) {
	ref, ok := d.Lookup(name)
	return ref.Service, ok && ref.Kind == db.AtomicRef
}
