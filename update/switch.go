package update

import (
	"context"
	"errors"
	"fmt"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
)

// switchOver does the second phase, from the database on if that has been switched.
// All that is new is made first; then the names change, then the database; what is
// gone is removed last, except where its name is needed.
func (a *applier) switchOver(ctx context.Context) error {
	switched := a.result.Switched
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"make", a.makeNew},
		{"free-names", func() error { return a.freeNames(ctx) }},
		{"rename-all", a.rename},
		{"define", a.define},
		{"supervise", func() error { return a.supervise(ctx) }},
		{"pipe", func() error { return a.pipe(ctx) }},
		{"database", a.switchDatabase},
		{"remove", func() error { return a.removeOld(ctx) }},
	} {
		if switched && step.name != "database" && step.name != "remove" {
			continue
		}
		if err := a.w.Hooks.Hit("update-" + step.name); err != nil {
			return err
		}
		if err := step.do(); err != nil {
			return err
		}
	}
	return nil
}

// newID finds the new service of an action.
func (a *applier) newID(action Action) (id, error) {
	name := action.Service
	if len(action.NewNames) == 1 && action.Op != OpMake {
		name = action.NewNames[0]
	}
	j, ok := find(a.new.DB, name)
	if !ok {
		return 0, fmt.Errorf("cannot apply patch: %w: action %d: there is no new service %s", ErrPatch, action.Seq, name)
	}
	return j, nil
}

// oldID finds the old service of an action.
func (a *applier) oldID(action Action) (id, error) {
	i, ok := find(a.old.DB, action.Service)
	if !ok {
		return 0, fmt.Errorf("cannot apply patch: %w: action %d: there is no old service %s", ErrPatch, action.Seq, action.Service)
	}
	return i, nil
}

func (a *applier) makeNew() error {
	for _, action := range a.byOp[OpMake] {
		j, err := a.newID(action)
		if err != nil {
			return err
		}
		if err := a.w.MakeServicedir(a.new, j); err != nil {
			return err
		}
	}
	return nil
}

// freeNames takes out of the scandir what is removed and whose name another
// service is to have.
func (a *applier) freeNames(ctx context.Context) error { return a.drop(ctx, a.freed()) }

// freed are the longruns whose names are needed.
func (a *applier) freed() []live.Named {
	wanted := map[string]bool{}
	for _, action := range a.byOp[OpMake] {
		wanted[action.Service] = true
	}
	for _, action := range a.byOp[OpRename] {
		wanted[action.NewNames[0]] = true
	}
	var list []live.Named
	for _, n := range a.removed() {
		if wanted[n.Name] {
			list = append(list, n)
		}
	}
	return list
}

// removed are the longruns of the old database that are to be removed.
func (a *applier) removed() []live.Named {
	var out []live.Named
	for _, action := range a.byOp[OpRemove] {
		if i, ok := find(a.old.DB, action.Service); ok && a.old.DB.Type(i) == db.Longrun {
			out = append(out, live.Named{Name: action.Service, Slot: a.old.Slot(i)})
		}
	}
	return out
}

// drop ends the supervision of longruns and takes their names away, unless another
// service has the name by now: then it has been done.
func (a *applier) drop(ctx context.Context, list []live.Named) error {
	var rest []live.Named
	for _, n := range list {
		if owner, known := a.w.NameOwner(n.Name); !known || owner == n.Slot {
			rest = append(rest, n)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	if err := a.w.Unsupervise(ctx, rest); err != nil {
		return err
	}
	var errs []error
	for _, n := range rest {
		errs = append(errs, a.w.UnlinkName(n.Name))
	}
	return errors.Join(errs...)
}

// rename gives longruns their new names.
func (a *applier) rename() error {
	if err := a.w.Rename(a.renamings(true)); err != nil {
		return err
	}
	return a.done(a.byOp[OpRename]...)
}

// renamings are the longruns that are to be renamed, with their new names, or their
// old ones.
func (a *applier) renamings(new bool) []live.Renaming {
	var list []live.Renaming
	for _, action := range a.byOp[OpRename] {
		i, ok := find(a.old.DB, action.Service)
		if !ok || a.old.DB.Type(i) != db.Longrun {
			continue
		}
		r := live.Renaming{Slot: a.old.Slot(i), To: action.Service}
		if new {
			r.To = action.NewNames[0]
		}
		list = append(list, r)
	}
	return list
}

// define switches definitions.
func (a *applier) define() error {
	for _, action := range a.byOp[OpDefine] {
		j, err := a.newID(action)
		if err != nil {
			return err
		}
		if err := a.defineOne(a.new, j); err != nil {
			return err
		}
	}
	return a.done(a.byOp[OpDefine]...)
}

func (a *applier) defineOne(v live.View, i id) error {
	changed, err := a.w.SwitchDef(v, i)
	if err != nil || !changed {
		return err
	}
	return a.w.Append(a.env.Cause, journal.Redefined{Slot: v.Slot(i), Def: v.Definition(i)})
}

// supervise gives the new longruns their supervisors.
func (a *applier) supervise(ctx context.Context) error {
	list := a.made()
	for _, n := range list {
		if err := a.w.LinkName(n); err != nil {
			return err
		}
	}
	if len(list) > 0 {
		if err := a.w.Supervise(ctx, list); err != nil {
			return err
		}
	}
	return a.done(a.byOp[OpMake]...)
}

// made are the new longruns.
func (a *applier) made() []live.Named {
	var out []live.Named
	for _, action := range a.byOp[OpMake] {
		if j, ok := find(a.new.DB, action.Service); ok && a.new.DB.Type(j) == db.Longrun {
			out = append(out, live.Named{Name: action.Service, Slot: a.new.Slot(j)})
		}
	}
	return out
}

// switchDatabase is the moment from which the new database counts.
func (a *applier) switchDatabase() error {
	if len(a.byOp[OpSwitch]) == 0 {
		a.result.Switched = true // to what it has already
		return nil
	}
	if !a.result.Switched {
		// The slots are those that the patch began with.
		err := a.w.Append(a.env.Cause, journal.Switch{Content: a.patch.New.Content, Table: a.new.Table})
		if err != nil {
			return err
		}
		a.result.Switched = true
	}
	if err := a.w.SwitchCompiled(a.patch.New.Content); err != nil {
		return err
	}
	if wants := a.wants(); len(wants) > 0 {
		if err := a.w.Append(a.env.Cause, journal.Want{Slots: wants, Up: true}); err != nil {
			return err
		}
	}
	return a.done(a.byOp[OpSwitch]...)
}

// wants are the slots of new services that replace one that an operator had asked
// for, or that the patch says are to count as asked for.
func (a *applier) wants() []live.Slot {
	var out []live.Slot
	for _, name := range a.patch.After.Wanted {
		if j, ok := find(a.new.DB, name); ok {
			out = append(out, a.new.Slot(j))
		}
	}
	for _, action := range a.byOp[OpRemove] {
		i, ok := find(a.old.DB, action.Service)
		if !ok || !a.states[i].Wanted {
			continue
		}
		for _, name := range action.NewNames {
			if j, ok := find(a.new.DB, name); ok {
				out = append(out, a.new.Slot(j))
			}
		}
	}
	return out
}

// removeOld takes away what is gone. What cannot be removed does not keep the rest
// from going on.
func (a *applier) removeOld(ctx context.Context) error {
	if err := a.drop(ctx, a.removed()); err != nil {
		a.result.Trouble = append(a.result.Trouble, err)
	}
	a.unpipe(ctx)
	if err := a.forget(); err != nil {
		a.result.Trouble = append(a.result.Trouble, err)
	}
	for _, action := range a.byOp[OpRemove] {
		i, err := a.oldID(action)
		if err == nil {
			err = a.w.RemoveSlot(a.old.Slot(i))
		}
		if err != nil {
			a.result.Trouble = append(a.result.Trouble, err)
		}
	}
	return a.done(append(a.byOp[OpUnpipe], a.byOp[OpRemove]...)...)
}

// forget notes that removed oneshots that were spared count as down from here on:
// soon nothing will be left that could be stopped.
func (a *applier) forget() error {
	var events []journal.Event
	for _, action := range a.byOp[OpRemove] {
		i, ok := find(a.old.DB, action.Service)
		if !ok || a.old.DB.Type(i) != db.Oneshot {
			continue
		}
		slot := a.old.Slot(i)
		if known := a.w.Known(slot); known.Up || known.Unknown || known.Pending != "" {
			events = append(events, journal.Down{Slot: slot})
		}
	}
	if len(events) == 0 {
		return nil
	}
	return a.w.Append(a.env.Cause, events...)
}
