package change

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
)

// Run does what a plan says. Failures of services stand in the result; the error
// is a mistake of the plan or of the engine itself. The end of ctx, or of the
// limit, makes it end early: see the package's documentation.
func Run(ctx context.Context, env Env, plan Plan) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var deadline time.Time
	if env.Limit > 0 {
		deadline = time.Now().Add(env.Limit)
	}
	r := &run{env: env, op: plan.Request.Op, deadline: deadline, states: make(map[ID]State), last: -1}
	r.begun(plan)
	for i, ph := range plan.Phases {
		if r.result.Quit != nil || !r.result.OK() && !ph.Back {
			r.leave(plan.Phases[i:])
			break
		}
		if err := r.phase(ctx, ph); err != nil {
			return r.result, err
		}
	}
	r.ended(plan)
	r.settle()
	// An update brings back what it stopped, and what is in pipes meanwhile must
	// not be lost.
	if !plan.Request.Exact {
		r.idle(ctx)
	}
	return r.result, nil
}

// run is one call of [Run].
type run struct {
	env      Env
	op       Op
	deadline time.Time
	// states holds where what was moved is now.
	states  map[ID]State
	stopped bool // something was
	last    int  // the timing that ended last in the phase before, or -1
	result  Result
	owed    debts
}

// begun tells the journal what is going to be moved.
func (r *run) begun(plan Plan) {
	if plan.Moves() == 0 || r.env.Journal == nil {
		return
	}
	event := journal.Run{Op: plan.Request.Op.String()}
	event.PID, event.Start = live.Process()
	for _, ph := range plan.Phases {
		for _, s := range ph.Steps {
			if !s.Noop && !ph.Back {
				event.Slots = append(event.Slots, r.env.Targets(s.Service).Slot)
			}
		}
	}
	r.record(r.env.Cause, event)
}

// ended tells it how that ended.
func (r *run) ended(plan Plan) {
	if plan.Moves() > 0 {
		r.record(r.env.Cause, journal.RunEnd{Outcome: r.result.outcome()})
	}
}

// outcome is the result in a few words.
func (r Result) outcome() string {
	switch {
	case r.OK():
		return "done"
	case r.Quit != nil:
		return r.Quit.Error()
	}
	return fmt.Sprintf("%d failed, %d skipped", len(r.Failed), len(r.Skipped))
}

// leave notes that the turn of some phases did not come. What those would have
// brought back is down now.
func (r *run) leave(phases []Phase) {
	for _, ph := range phases {
		for _, s := range ph.Steps {
			if !s.Noop && (!ph.Back || r.now(s.Service, ph.Op) != Up) {
				r.result.Left = append(r.result.Left, r.env.Targets(s.Service))
			}
		}
	}
}

// now is where a service is.
func (r *run) now(id ID, op Op) State {
	if s, ok := r.states[id]; ok {
		return s
	}
	return initial(r.env.States[id], op)
}

// phase walks the steps of one phase, under a context that ends with the limit of
// the whole run.
func (r *run) phase(ctx context.Context, ph Phase) error {
	for _, id := range ph.Kept {
		r.observe(Event{Kind: Kept, Op: ph.Op, Target: r.env.Targets(id)})
	}
	r.last = len(r.result.Timings) - 1
	if !r.deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, r.deadline, &TimeoutError{Op: r.op, Limit: r.env.Limit, Whole: true})
		defer cancel()
	}
	return newWalker(r, ph).walk(ctx)
}

func (r *run) observe(e Event) {
	if r.env.Observe != nil {
		e.At = time.Now()
		r.env.Observe(e)
	}
}

// idle tells the supervisor if nothing is up now and something was stopped.
func (r *run) idle(ctx context.Context) {
	for _, s := range r.states {
		if s != Down {
			return
		}
	}
	if !r.stopped || r.result.Quit != nil || r.env.othersUp(r.states) {
		return
	}
	if err := r.env.Idle(ctx); err != nil && r.result.Journal == nil {
		r.result.Journal = err
	}
}

// othersUp says whether a service is up that was not moved.
func (e Env) othersUp(moved map[ID]State) bool {
	for i := range e.States {
		if _, ok := moved[ID(i)]; !ok && counted(e.States[i], Stop) {
			return true
		}
	}
	return false
}

// move does what one step says, and nothing else: the caller records it. It
// runs on a goroutine of its own.
func (r *run) move(ctx context.Context, oneshots context.Context, op Op, t Target, cause string) error {
	limit := t.TimeoutUp
	if op == Stop {
		limit = t.TimeoutDown
	}
	timeout := &TimeoutError{Service: t.Name, Op: op, Limit: limit}
	if limit > 0 && r.env.Where != nil {
		timeout.Where = r.env.Where(t.ID, op.limitField())
	}
	if t.Type == db.Oneshot {
		return r.oneshot(oneshots, t, timeout, cause)
	}
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, timeout)
		defer cancel()
	}
	switch op {
	case Start:
		if err := r.env.Up(ctx, t); err != nil {
			return errors.Join(err, r.env.Release(t))
		}
		return nil
	case Reload:
		return r.env.Reload(ctx, t)
	}
	return r.env.Down(ctx, t)
}

func (r *run) oneshot(ctx context.Context, t Target, timeout *TimeoutError, cause string) error {
	limit := timeout.Limit
	_, phase := timeout.Op.begin()
	if !r.deadline.IsZero() {
		left := max(time.Until(r.deadline), time.Millisecond)
		if limit == 0 || left < limit {
			limit = left
			timeout = &TimeoutError{Service: t.Name, Op: r.op, Limit: r.env.Limit, Whole: true}
		}
	}
	begin := func() error {
		err := r.owed.write(r.env.Journal, false, cause, journal.Begin{Slot: t.Slot, Phase: phase})
		if err != nil && phase != journal.PhaseDown {
			return err
		}
		return nil // a stop never depends on the journal
	}
	err := r.env.Run(ctx, t, phase, limit, begin)
	if errors.Is(err, ErrTimedOut) {
		return timeout
	}
	return err
}

// finished records the end of a step that was tried, and returns where the
// service is now. held are those that are skipped if it failed.
func (r *run) finished(op Op, from State, s Step, timing Timing, held []Target, err error) (State, error) {
	t, cause := r.env.Targets(s.Service), r.cause(op, s)
	move := Succeed
	switch {
	case errors.Is(err, ErrLost):
		move = Lose
	case err != nil:
		move = Fail
	}
	to, bad := from.After(move)
	if bad != nil {
		return from, &TransitionError{Service: t.Name, From: from, Move: move}
	}
	if !errors.Is(err, ErrAbandoned) { // else whoever comes next fetches the result
		r.record(cause, r.told(op, s, t, to, err))
	}
	r.states[t.ID] = to
	if errors.Is(err, ErrAbandoned) && to == Down {
		r.states[t.ID] = Unknown // it may be on its way up
	}
	r.stopped = r.stopped || op == Stop
	r.result.Timings = append(r.result.Timings, timing)
	if err == nil {
		r.result.Done = append(r.result.Done, t.ID)
		r.observe(Event{Kind: Done, Op: op, Target: t, Took: timing.Took(), Because: cause})
		return to, nil
	}
	r.result.Failed = append(r.result.Failed, Failure{t, op, err, held})
	r.observe(Event{Kind: Failed, Op: op, Target: t, Took: timing.Took(), Err: err, Because: cause, Held: held})
	return to, nil
}

// told is the journal's event for the end of a step.
func (r *run) told(op Op, s Step, t Target, to State, err error) journal.Event {
	by := r.slotOf(s.Because)
	if err != nil {
		_, phase := op.begin()
		return journal.Failed{
			Slot: t.Slot, Phase: phase, Reason: err.Error(), Unknown: to == Unknown,
			Permanent: errors.Is(err, s6.ErrPermanentFailure), By: by,
		}
	}
	switch op {
	case Stop:
		return journal.Down{Slot: t.Slot, By: by}
	case Reload:
		return journal.Reloaded{Slot: t.Slot}
	}
	return journal.Up{Slot: t.Slot, Def: t.Def, By: by}
}

// slotOf is the slot of a service, 0 of none.
func (r *run) slotOf(id ID) live.Slot {
	if id == db.None {
		return 0
	}
	return r.env.Targets(id).Slot
}

// cause says why a step is there.
func (r *run) cause(op Op, s Step) string {
	switch {
	case s.Because == db.None:
		return r.env.Cause
	case op == Stop:
		return "needs " + r.env.Targets(s.Because).Name
	case s.Stopped:
		return "was stopped with " + r.env.Targets(s.Because).Name
	case s.Wanted:
		return "wanted by " + r.env.Targets(s.Because).Name
	}
	return "needed by " + r.env.Targets(s.Because).Name
}

// initial is the state a step's service begins in.
func initial(s live.ServiceState, op Op) State {
	switch {
	case s.Unknown:
		return Unknown
	case op == Reload, counted(s, op):
		return Up
	}
	return Down
}

// sortResult brings failures and what was skipped into a fixed order.
func (r *run) sortResult() {
	slices.SortFunc(r.result.Failed, func(a, b Failure) int { return int(a.Target.ID) - int(b.Target.ID) })
	slices.SortFunc(r.result.Skipped, func(a, b Skip) int { return int(a.Target.ID) - int(b.Target.ID) })
}

// errStuck says that steps wait for each other: the graph has a cycle.
func errStuck(name string) error {
	return fmt.Errorf("cannot go on: %s waits for services that wait for it", name)
}
