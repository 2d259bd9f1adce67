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

// Begin writes down that a patch is going to be applied, with st the state under the
// lock and newdb a copy that [live.Writer.AddDB] made; from then on nothing else changes
// the live directory, and [Resume] or [Abort] ends that. It refuses a patch that does
// not fit, with an error that wraps [ErrFit], and does nothing for an empty one, but
// what it says of the store.
func Begin(w *live.Writer, st *live.State, newdb *db.DB, p *Patch, env Env) error {
	a, err := prepare(w, st, newdb, p, env)
	if err != nil || p.Empty() {
		return err
	}
	return a.old.DB.Close()
}

// prepare is Begin with the old database left open, which an empty patch needs not.
func prepare(w *live.Writer, st *live.State, newdb *db.DB, p *Patch, env Env) (*applier, error) {
	a := &applier{w: w, env: env, patch: p, byOp: map[Op][]Action{}, noted: map[int]bool{}}
	if err := p.fits(st, newdb); err != nil {
		return nil, err
	}
	a.states, a.new.DB = st.Services, newdb
	if p.Empty() {
		return a, a.write()
	}
	var err error
	if a.old, err = w.View(st.Content, st.Table); err != nil {
		return nil, err
	}
	if err = a.write(); err != nil {
		_ = a.old.DB.Close() // only a map is given back
		return nil, err
	}
	return a, nil
}

// write writes down that the patch is going to be applied; of an empty one there is
// only what it says of the store.
func (a *applier) write() error {
	if err := a.prepareStore(a.new.DB); err != nil {
		return errors.Join(err, a.w.Sweep())
	}
	if a.patch.Empty() {
		return a.moveStoreAlone()
	}
	event, err := a.announce()
	if err == nil {
		err = a.w.Append(a.env.Cause, event)
	}
	if err != nil {
		return errors.Join(err, a.dropStore(), a.w.WriteStopOrder(a.old), a.w.Sweep())
	}
	return nil
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

// reopen finds the patch that is under way. aborting says that it is to be taken
// back.
func reopen(w *live.Writer, st *live.State, env Env) (a *applier, aborting bool, err error) {
	under := st.Patch
	if under == nil {
		return nil, false, ErrNoPatch
	}
	a = &applier{
		w: w, env: env, byOp: map[Op][]Action{}, noted: map[int]bool{}, aborts: under.Aborts, states: st.Services,
		digest: under.Patch, first: under.Tries == 0 && !under.Again,
	}
	a.result.Switched = under.Switched
	if under.Switched {
		a.states = st.Other
	}
	for _, seq := range under.Done {
		a.noted[seq] = true
	}
	a.limit(under.Limit)
	text, err := w.KeptPatch(under.Patch)
	if err != nil {
		return nil, false, err
	}
	if a.patch, err = ParsePatch(text); err != nil {
		return nil, false, err
	}
	a.sort()
	if a.old, err = w.View(under.Old, under.OldTable); err != nil {
		return nil, false, err
	}
	if a.new, err = w.View(under.New, under.Table); err != nil {
		return nil, false, errors.Join(err, a.old.DB.Close())
	}
	a.try()
	return a, under.Aborting, nil
}

// try notes who begins to apply the patch.
func (a *applier) try() {
	pid, start := live.Process()
	if err := a.w.Append(a.env.Cause, journal.PatchTry{PID: pid, Start: start}); err != nil {
		a.result.Notes = append(a.result.Notes, err)
	}
}

func (a *applier) close() {
	_ = a.old.DB.Close() // only maps are given back
	_ = a.new.DB.Close()
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
