package update

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/journal"
)

// ErrFit says that a patch was made for another database or another state.
var ErrFit = errors.New("the patch does not fit")

// Env is what [Apply] works with.
type Env struct {
	// Engine gives the state engine's environment for the services of a view in
	// these states. Apply sets its cause and limit.
	Engine func(v live.View, states []live.ServiceState) (change.Env, error)
	// Cause is why, for the journal: "rc-update".
	Cause string
	// Limit is how long all of it may take; 0 is no limit. The switch itself is
	// never cut short.
	Limit time.Duration
	// Observe is told of each action when it is done; nil is nobody.
	Observe func(Action)
}

// Result is what [Apply] did.
type Result struct {
	// Switched says whether the new database counts now.
	Switched bool
	// Stop and Start are what the engine did before and after the switch; Back is
	// the start of what had been stopped for a patch that was given up.
	Stop, Start, Back change.Result
	// Trouble is what else went wrong after the switch: what was gone could not be
	// removed, a service could not be told to reload.
	Trouble []error
	// Notes are what went wrong and matters little: what could not be written down
	// or swept up.
	Notes   []error
	Outcome journal.Outcome
}

// OK says that all was done.
func (r Result) OK() bool {
	return r.Switched && r.Stop.OK() && r.Start.OK() && len(r.Trouble) == 0
}

// TimedOut says that the limit of the whole was what ended it.
func (r Result) TimedOut() bool { return r.Stop.TimedOut() || r.Start.TimedOut() }

// applier is the work of [Apply].
type applier struct {
	w        *live.Writer
	env      Env
	patch    *Patch
	old, new live.View
	states   []live.ServiceState // of the old services
	next     live.Slot
	byOp     map[Op][]Action
	// oldName is what a service of the new database was called, if it goes on.
	oldName map[string]string
	// What the switch phase has done so far, for undo: dropped are removed services
	// whose names were needed, renamed the renamings.
	dropped  []live.Named
	renamed  []renameStep
	deadline time.Time
	result   Result
}

// Apply does what a patch says, under the lock that w is, with newdb a copy that
// [live.Writer.AddDB] made. It journals first and acts then.
//
// If the stops do not all succeed, nothing is switched: under the policy Definition
// what was stopped is started again, under Identity it stays down as with s6-rc.
// The same goes for an error before the switch, except that it is always taken
// back. Failures of services stand in the result. The error is for everything
// else; what has been done then stands in the result and in the journal.
func Apply(ctx context.Context, w *live.Writer, newdb *db.DB, p *Patch, env Env) (Result, error) {
	a := &applier{w: w, env: env, patch: p, byOp: map[Op][]Action{}, oldName: map[string]string{}}
	if env.Limit > 0 {
		a.deadline = time.Now().Add(env.Limit)
	}
	if err := a.open(newdb); err != nil {
		return a.result, err
	}
	defer a.old.DB.Close()
	if p.Empty() {
		a.result.Switched, a.result.Outcome = true, journal.Applied
		return a.result, nil
	}
	if err := a.begin(); err != nil {
		return a.result, err
	}
	if err := a.stop(ctx); err != nil || !a.result.Stop.OK() {
		return a.result, errors.Join(err, a.giveUp(ctx))
	}
	if err := a.switchOver(context.WithoutCancel(ctx)); err != nil {
		if a.result.Switched {
			return a.result, err
		}
		return a.result, errors.Join(err, a.undo(ctx))
	}
	err := a.start(ctx)
	return a.result, errors.Join(err, a.end())
}

// open finds out whether the patch fits, and gives the new services their slots.
func (a *applier) open(newdb *db.DB) error {
	st, err := a.w.State()
	if err != nil {
		return err
	}
	if st.Patch != nil {
		return fmt.Errorf("cannot update: %w", live.ErrHalfApplied)
	}
	switch {
	case st.Content != a.patch.Old.Content:
		return fmt.Errorf("cannot apply patch: %w: it begins with the database %s, the live one is %s", ErrFit, a.patch.Old.Content.Short(), st.Content.Short())
	case newdb.Content() != a.patch.New.Content:
		return fmt.Errorf("cannot apply patch: %w: it leads to the database %s, the new one is %s", ErrFit, a.patch.New.Content.Short(), newdb.Content().Short())
	case Fingerprint(st) != a.patch.Live.Fingerprint:
		return fmt.Errorf("cannot apply patch: %w: services were started or stopped since it was made", ErrFit)
	}
	a.states = st.Services
	if a.old, err = a.w.View(st.Content, st.Table); err != nil {
		return err
	}
	a.new.DB = newdb
	for _, action := range a.patch.Actions {
		a.byOp[action.Op] = append(a.byOp[action.Op], action)
	}
	return a.assignSlots()
}

// assignSlots lets what goes on keep its slot.
func (a *applier) assignSlots() error {
	renamed := map[string]bool{}
	for _, r := range a.byOp[OpRename] {
		if len(r.NewNames) != 1 {
			return fmt.Errorf("cannot apply patch: %w: action %d renames to %d names", ErrPatch, r.Seq, len(r.NewNames))
		}
		a.oldName[r.NewNames[0]] = r.Service
		renamed[r.NewNames[0]] = true
	}
	made := map[string]bool{}
	for _, m := range a.byOp[OpMake] {
		made[m.Service] = true
	}
	for j := range id(a.new.DB.Len()) {
		if name := a.new.DB.Name(j); !made[name] && !renamed[name] {
			a.oldName[name] = name
		}
	}
	var missing string
	a.new.Table, a.next = a.w.NewTable(a.new.DB, func(j id) (live.Slot, bool) {
		name, ok := a.oldName[a.new.DB.Name(j)]
		if !ok {
			return 0, false
		}
		i, ok := find(a.old.DB, name)
		if !ok {
			missing = name
		}
		return a.old.Slot(i), ok
	})
	if missing != "" {
		return fmt.Errorf("cannot apply patch: %w: it does not say where service %s comes from", ErrPatch, missing)
	}
	return nil
}

func find(d *db.DB, name string) (id, bool) {
	ref, ok := d.Lookup(name)
	return ref.Service, ok && ref.Kind == db.AtomicRef
}

// begin writes down what is going to be done.
func (a *applier) begin() error {
	text, err := json.Marshal(a.patch)
	if err != nil {
		return err
	}
	if err := a.w.WriteStopOrder(a.old, a.new); err != nil {
		return err
	}
	return a.w.Append(a.env.Cause, journal.PatchBegin{
		Patch: sha256.Sum256(text), Old: a.patch.Old.Content, New: a.patch.New.Content,
		Table: a.new.Table, NextSlot: a.next, Actions: len(a.patch.Actions),
	})
}

// done notes that actions are done.
func (a *applier) done(actions ...Action) error {
	if len(actions) == 0 {
		return nil
	}
	events := make([]journal.Event, len(actions))
	for i, action := range actions {
		events[i] = journal.PatchStep{Action: action.Seq}
		if a.env.Observe != nil {
			a.env.Observe(action)
		}
	}
	return a.w.Append(a.env.Cause, events...)
}

// stop brings down what is to stop.
func (a *applier) stop(ctx context.Context) (err error) {
	a.result.Stop, err = a.run(ctx, a.old, a.states, change.Stop, a.byOp[OpStop])
	return err
}

// run lets the engine move exactly the services of these actions, and notes what
// was done.
func (a *applier) run(ctx context.Context, v live.View, states []live.ServiceState, op change.Op, actions []Action) (change.Result, error) {
	if len(actions) == 0 {
		return change.Result{}, nil
	}
	byID := map[id]Action{}
	var ids []id
	for _, action := range actions {
		i, ok := find(v.DB, action.Service)
		if !ok {
			return change.Result{}, fmt.Errorf("cannot apply patch: %w: there is no service %s", ErrPatch, action.Service)
		}
		byID[i] = action
		ids = append(ids, i)
	}
	plan, err := change.Make(change.GraphsOf(v.DB), states, change.Request{Op: op, Names: ids, Exact: true, Essentials: true})
	if err != nil {
		return change.Result{}, err
	}
	env, err := a.env.Engine(v, states)
	if err != nil {
		return change.Result{}, err
	}
	env.Cause = a.env.Cause
	if !a.deadline.IsZero() {
		env.Limit = max(time.Until(a.deadline), time.Millisecond)
	}
	result, err := change.Run(ctx, env, plan)
	var steps []Action
	for _, i := range result.Done {
		if action, ok := byID[i]; ok {
			steps = append(steps, action)
		}
	}
	// What was moved was moved: that it cannot be written down must not stop a
	// stop.
	if noted := a.done(steps...); noted != nil {
		a.result.Notes = append(a.result.Notes, noted)
	}
	return result, err
}

// giveUp ends a patch whose stops failed.
func (a *applier) giveUp(ctx context.Context) error {
	a.result.Outcome = journal.AbortedWithFailures
	var err error
	if a.patch.Policy == Definition {
		// Also what was interrupted, or out of time, is taken back.
		err = a.takeBack(context.WithoutCancel(ctx))
	}
	return errors.Join(err, a.finish())
}

// undo takes back a switch that has not been made: what was new is dropped, names
// and definitions are as before, what was stopped is started.
func (a *applier) undo(ctx context.Context) error {
	a.result.Outcome = journal.AbortedWithFailures
	ctx = context.WithoutCancel(ctx)
	err := errors.Join(a.dropNew(ctx), a.renameBack(), a.superviseBack(ctx), a.defineBack(), a.unpipeNew(ctx))
	if err == nil {
		err = a.takeBack(ctx)
	}
	return errors.Join(err, a.finish())
}

// takeBack starts what was stopped.
func (a *applier) takeBack(ctx context.Context) error {
	st, err := a.w.State()
	if err != nil {
		return err
	}
	var back []Action
	for _, i := range a.result.Stop.Done {
		back = append(back, Action{Op: OpStart, Service: a.old.DB.Name(i)})
	}
	if len(back) == 0 {
		a.result.Outcome = journal.Aborted
		return nil
	}
	// The starts are no actions of the patch, and its limit is not theirs.
	again := *a
	again.deadline, again.env.Observe = time.Time{}, nil
	a.result.Back, err = again.run(ctx, a.old, st.Services, change.Start, back)
	if err == nil && a.result.Back.OK() {
		a.result.Outcome = journal.Aborted
	}
	return err
}

// finish ends the patch in the journal and sweeps.
func (a *applier) finish() error {
	if err := a.w.Append(a.env.Cause, journal.PatchEnd{Outcome: a.result.Outcome}); err != nil {
		return err
	}
	return a.tidy()
}

// tidy leaves nothing of what does not count any more.
func (a *applier) tidy() error {
	v := a.old
	if a.result.Switched {
		v = a.new
	}
	if err := errors.Join(a.w.WriteStopOrder(v), a.w.Sweep()); err != nil {
		a.result.Notes = append(a.result.Notes, err)
	}
	return nil
}

// end ends a patch that was switched.
func (a *applier) end() error {
	a.result.Outcome = journal.Applied
	if !a.result.OK() {
		a.result.Outcome = journal.AppliedWithFailures
	}
	return a.finish()
}
