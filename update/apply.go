package update

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/journal"
)

// ErrFit says that a patch was made for another database or another state.
var ErrFit = errors.New("the patch does not fit")

// ErrSuspended is the cause to end a context with so that a patch is left half
// applied at the next safe point: something else is to go on with it, or everything
// is to be stopped.
var ErrSuspended = errors.New("the update was told to leave off: rc-update --resume goes on with it, --abort takes it back")

// Env is what [Apply] works with.
type Env struct {
	// Engine gives the state engine's environment for the services of a view in
	// these states. Apply sets its cause and limit.
	Engine func(v live.View, states []live.ServiceState) (change.Env, error)
	// Cause is why, for the journal: "rc-update".
	Cause string
	// Limit is how long all of it may take, from each begin on; 0 is no limit. The
	// switch itself is never cut short. It counts for [Begin]; who resumes has the
	// one that was given then.
	Limit time.Duration
	// Check says whether the new database is sound, where that is still being found out;
	// nil: it is. Nothing that counts is written before.
	Check func() error
	// Observe is told of each action when it is done; nil is nobody.
	Observe func(Action)
}

// Result is what [Apply], [Resume] or [Abort] did.
type Result struct {
	// Switched says whether the new database counts now.
	Switched bool
	// Aborted says that the patch was taken back because somebody asked for that.
	Aborted bool
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

// applier is the work of [Resume].
type applier struct {
	w        *live.Writer
	env      Env
	patch    *Patch
	old, new live.View
	states   []live.ServiceState // of the old services
	byOp     map[Op][]Action
	noted    map[int]bool // the actions that the journal knows to be done
	aborts   bool         // the patch takes back another one
	digest   db.Digest    // of the patch's text
	first    bool         // nobody has begun with it before
	deadline time.Time
	// alike says whether the services of both databases are stopped alike, once that is
	// known.
	alike  func() bool
	result Result
}

// Apply does what a patch says, with base read under the lock that w is, and newdb a
// copy that [live.Writer.AddDB] made: [Begin] and [Resume], but that nothing is read
// twice.
func Apply(ctx context.Context, w *live.Writer, base Base, newdb *db.DB, p *Patch, env Env) (Result, error) {
	a, err := prepare(w, base, newdb, p, env)
	if err != nil {
		return Result{}, err
	}
	if p.Empty() {
		return Result{Switched: true, Outcome: journal.Applied}, nil
	}
	a.first = true
	a.limit(env.Limit)
	a.try()
	result, err := a.resume(ctx, false)
	return result, Left(w, err)
}

// Resume does what is left of the patch that is under way, or of taking it back (see
// [Ask]). It journals first and acts then, and each step can be repeated, so that it
// does not matter where the one before was killed.
//
// If the stops do not all succeed, nothing is switched: under the policy Definition
// what was stopped is started again, under Identity it stays down as with s6-rc.
// The same goes for an error before the switch, except that it is always taken
// back; after the switch the patch stays under way. Failures of services stand in
// the result. The error is for everything else; what has been done then stands in
// the result and in the journal. It is [ErrSuspended] if that was the cause of ctx's
// end, and wraps [ErrNoPatch] if none is under way.
func Resume(ctx context.Context, w *live.Writer, env Env) (Result, error) {
	ahead := ReadAhead(w)
	defer ahead.Close()
	st, err := w.State()
	if err != nil {
		return Result{}, Left(w, err)
	}
	v, err := w.View(st.Content, st.Table)
	if err != nil {
		return Result{}, Left(w, err)
	}
	defer v.DB.Close()
	return ahead.Resume(ctx, Base{st, v}, env)
}

func (a *applier) resume(ctx context.Context, aborting bool) (Result, error) {
	a.compare()
	defer a.alike() // it reads the databases
	var err error
	switch {
	case !aborting || a.aborts: // what takes back another one goes forward
		err = a.forward(ctx)
	case a.result.Switched:
		return a.takeBackSwitched(ctx)
	default:
		err = a.undo(ctx)
	}
	a.result.Aborted = aborting || a.aborts
	return a.result, err
}

// compare begins to find out, for the end, whether the services are stopped alike.
func (a *applier) compare() {
	found := make(chan bool, 1)
	go func() { found <- live.StopAlike(a.old, a.new) }()
	a.alike = sync.OnceValue(func() bool { return <-found })
}

// Left says of an error that has left an update half applied what can be done then.
func Left(w *live.Writer, err error) error {
	if err == nil || errors.Is(err, ErrSuspended) || w.Head().Patch == nil {
		return err
	}
	return fmt.Errorf("%w; the update is half applied: rc-update --resume goes on with it, --abort takes it back", err)
}

// forward does the three phases, as far as they have not been done.
func (a *applier) forward(ctx context.Context) error {
	if !a.result.Switched {
		err := a.stop(ctx)
		if suspended(ctx) {
			return errors.Join(err, ErrSuspended)
		}
		// What is taken back is not kept by what does not stop.
		if err != nil || !a.result.Stop.OK() && !a.aborts {
			return errors.Join(err, a.giveUp(ctx))
		}
	}
	if err := a.switchOver(context.WithoutCancel(ctx)); err != nil {
		if a.result.Switched {
			return fmt.Errorf("%w; the new database counts already", err)
		}
		return errors.Join(err, a.undo(ctx))
	}
	if suspended(ctx) {
		return ErrSuspended
	}
	err := a.start(ctx)
	if suspended(ctx) {
		return errors.Join(err, ErrSuspended)
	}
	return errors.Join(err, a.end())
}

// limit begins to count.
func (a *applier) limit(d time.Duration) {
	if d > 0 {
		a.deadline = time.Now().Add(d)
	}
}

func suspended(ctx context.Context) bool { return errors.Is(context.Cause(ctx), ErrSuspended) }

// done notes that actions are done.
func (a *applier) done(actions ...Action) error {
	var events []journal.Event
	for _, action := range actions {
		if a.noted[action.Seq] {
			continue
		}
		events = append(events, journal.PatchStep{Action: action.Seq})
		if a.env.Observe != nil {
			a.env.Observe(action)
		}
	}
	if len(events) == 0 {
		return nil
	}
	if err := a.w.Append(a.env.Cause, events...); err != nil {
		return err
	}
	for _, action := range actions {
		a.noted[action.Seq] = true
	}
	return nil
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
	var ids []id
	for _, action := range actions {
		i, ok := find(v.DB, action.Service)
		if !ok {
			return change.Result{}, fmt.Errorf("cannot apply patch: %w: there is no service %s", ErrPatch, action.Service)
		}
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
	// What was moved was moved: that it cannot be written down must not stop a
	// stop.
	if noted := a.done(moved(actions, ids, result)...); noted != nil {
		a.result.Notes = append(a.result.Notes, noted)
	}
	return result, err
}

// moved are the actions whose services are now as they should be, also those that
// were before.
func moved(actions []Action, ids []id, r change.Result) []Action {
	not := map[id]bool{}
	for _, f := range r.Failed {
		not[f.Target.ID] = true
	}
	for _, s := range r.Skipped {
		not[s.Target.ID] = true
	}
	for _, t := range r.Left {
		not[t.ID] = true
	}
	var out []Action
	for k, action := range actions {
		if !not[ids[k]] {
			out = append(out, action)
		}
	}
	return out
}

// giveUp ends a patch whose stops failed.
func (a *applier) giveUp(ctx context.Context) error {
	if a.patch.Policy == Definition {
		// Also what was interrupted, or out of time, is taken back.
		return a.undo(ctx)
	}
	a.result.Outcome = journal.AbortedWithFailures
	return a.finish()
}

// finish ends the patch in the journal and sweeps.
func (a *applier) finish() error {
	if !a.result.Switched {
		if err := a.dropStore(); err != nil {
			a.result.Notes = append(a.result.Notes, err)
		}
	}
	if err := a.w.Hooks.Hit("patch-end"); err != nil {
		return err
	}
	end := journal.PatchEnd{Outcome: a.result.Outcome, TimedOut: a.result.TimedOut()}
	if err := a.w.Append(a.env.Cause, end); err != nil {
		return err
	}
	return a.tidy()
}

// tidy leaves nothing of what does not count any more.
func (a *applier) tidy() error {
	if err := errors.Join(a.stopOrder(), a.w.SweepSlots(a.touched()...), a.sweep()); err != nil {
		a.result.Notes = append(a.result.Notes, err)
	}
	if err := a.collectStore(); err != nil {
		a.result.Notes = append(a.result.Notes, err)
	}
	return nil
}

// stopOrder writes the stop order of the database that counts.
func (a *applier) stopOrder() error {
	if a.result.Switched {
		return a.w.FollowStopOrder(a.new, a.alike())
	}
	return a.w.WriteStopOrder(a.old)
}

// sweep removes what the patch has left, and what others have, if there can be more.
func (a *applier) sweep() error {
	if !a.first || !a.result.OK() || len(a.result.Notes) > 0 {
		return a.w.Sweep()
	}
	var named []id
	for _, action := range a.patch.Actions {
		if j, err := a.newID(action); err == nil {
			named = append(named, j)
		}
	}
	return a.w.SweepPatch(a.digest, a.new, named)
}

// touched are the slots of what the patch names.
func (a *applier) touched() []live.Slot {
	var slots []live.Slot
	for _, action := range a.patch.Actions {
		for _, v := range []live.View{a.old, a.new} {
			if i, ok := find(v.DB, action.Service); ok {
				slots = append(slots, v.Slot(i))
			}
		}
	}
	return slots
}

// end ends a patch that was switched.
func (a *applier) end() error {
	if err := a.moveStore(); err != nil {
		a.result.Trouble = append(a.result.Trouble, err)
	}
	good, bad := journal.Applied, journal.AppliedWithFailures
	if a.aborts {
		good, bad = journal.Aborted, journal.AbortedWithFailures
	}
	a.result.Outcome = good
	if !a.result.OK() {
		a.result.Outcome = bad
	}
	return a.finish()
}
