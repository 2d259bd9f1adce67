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
	r := &run{env: env, deadline: deadline, up: make(map[ID]bool)}
	for _, ph := range plan.Phases {
		if err := r.phase(ctx, ph); err != nil {
			return r.result, err
		}
		if !r.result.OK() {
			break
		}
	}
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
	deadline time.Time
	// up holds what was moved, with where it is now.
	up      map[ID]bool
	stopped bool // something was
	result  Result
}

// phase walks the steps of one phase, under a context that ends with the limit of
// the whole run.
func (r *run) phase(ctx context.Context, ph Phase) error {
	for _, id := range ph.Kept {
		r.observe(Event{Kind: Kept, Op: ph.Op, Target: r.env.Targets(id)})
	}
	if !r.deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, r.deadline, &TimeoutError{Op: ph.Op, Limit: r.env.Limit, Whole: true})
		defer cancel()
	}
	return newWalker(r, ph).walk(ctx)
}

func (r *run) observe(e Event) {
	if r.env.Observe != nil {
		r.env.Observe(e)
	}
}

// record writes to the journal. A record that cannot be written stops nothing: a
// full disk must not keep services up.
func (r *run) record(cause string, e journal.Event) {
	if r.env.Journal == nil {
		return
	}
	if err := r.env.Journal(cause, e); err != nil && r.result.Journal == nil {
		r.result.Journal = err
	}
}

// idle tells the supervisor if nothing is up now and something was stopped.
func (r *run) idle(ctx context.Context) {
	for _, up := range r.up {
		if up {
			return
		}
	}
	if !r.stopped || r.result.Quit != nil || r.env.othersUp(r.up) {
		return
	}
	if err := r.env.Idle(ctx); err != nil && r.result.Journal == nil {
		r.result.Journal = err
	}
}

// othersUp says whether a service is up that was not moved.
func (e Env) othersUp(moved map[ID]bool) bool {
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
	limit, phase := t.TimeoutUp, journal.PhaseUp
	if op == Stop {
		limit, phase = t.TimeoutDown, journal.PhaseDown
	}
	timeout := &TimeoutError{Service: t.Name, Op: op, Limit: limit}
	if t.Type == db.Oneshot {
		return r.oneshot(oneshots, t, phase, timeout, cause)
	}
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, timeout)
		defer cancel()
	}
	if op == Start {
		return r.env.Up(ctx, t)
	}
	return r.env.Down(ctx, t)
}

func (r *run) oneshot(ctx context.Context, t Target, phase journal.Phase, timeout *TimeoutError, cause string) error {
	limit := timeout.Limit
	if !r.deadline.IsZero() {
		left := max(time.Until(r.deadline), time.Millisecond)
		if limit == 0 || left < limit {
			limit = left
			timeout = &TimeoutError{Service: t.Name, Op: timeout.Op, Limit: r.env.Limit, Whole: true}
		}
	}
	begin := func() error {
		if r.env.Journal == nil {
			return nil
		}
		err := r.env.Journal(cause, journal.Begin{Slot: t.Slot, Phase: phase})
		if err != nil && phase == journal.PhaseUp {
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
// service is now.
func (r *run) finished(op Op, from State, t Target, cause string, err error) (State, error) {
	move, phase := Succeed, journal.PhaseUp
	switch {
	case errors.Is(err, ErrLost):
		move = Lose
	case err != nil:
		move = Fail
	}
	if op == Stop {
		phase = journal.PhaseDown
	}
	to, bad := from.After(move)
	if bad != nil {
		return from, &TransitionError{Service: t.Name, From: from, Move: move}
	}
	switch {
	case err == nil && op == Start:
		r.record(cause, journal.Up{Slot: t.Slot, Def: t.Def})
	case err == nil:
		r.record(cause, journal.Down{Slot: t.Slot})
	case errors.Is(err, ErrAbandoned):
		// Its record stays open: whoever comes next fetches the result.
	default:
		if t.Type == db.Longrun {
			err = errors.Join(err, r.env.Release(t))
		}
		r.record(cause, journal.Failed{Slot: t.Slot, Phase: phase, Reason: err.Error(), Unknown: move == Lose})
	}
	// What was abandoned may be on its way up.
	r.up[t.ID] = to != Down || errors.Is(err, ErrAbandoned)
	r.stopped = r.stopped || op == Stop
	if err == nil {
		r.result.Done = append(r.result.Done, t.ID)
		r.observe(Event{Kind: Done, Op: op, Target: t, Because: cause})
		return to, nil
	}
	r.result.Failed = append(r.result.Failed, Failure{t, op, err})
	r.observe(Event{Kind: Failed, Op: op, Target: t, Err: err, Because: cause})
	return to, nil
}

// cause says why a step is there.
func (r *run) cause(op Op, s Step) string {
	switch {
	case s.Because == db.None:
		return r.env.Cause
	case op == Stop:
		return "needs " + r.env.Targets(s.Because).Name
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
	case counted(s, op):
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
