package s6

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The ways in which a wait fails, beside the end of its context.
var (
	// ErrPermanentFailure: finish exited 125, the supervisor gave the service up.
	// No file records it.
	ErrPermanentFailure = errors.New("permanent failure (finish exited 125)")
	// ErrSuperviseGone: the supervisor ended or was killed during the wait. What it
	// supervised may still be running.
	ErrSuperviseGone = errors.New("its supervisor has gone")
	// ErrCannotStart: the supervisor was told to start the service and did not
	// within [StartLimit], which means that run cannot be executed.
	ErrCannotStart = errors.New("run was not started: it cannot be executed")
)

// StartLimit is how long a service that was told to start may show no sign of
// life at all. A supervisor starts run at once, and again 1 s after each death;
// it says nothing when run cannot be executed.
const StartLimit = 10 * time.Second

// FDsPerWait is how many file descriptors one wait holds at most. All waits of a
// [Loop] together hold one more.
const FDsPerWait = 4

// A Goal is the state that [WaitFor] waits for. Like s6-svwait it is reached when
// the service was in that state at any moment of the wait, so a service that
// dies at once was up nevertheless.
type Goal struct {
	name    string
	met     func(Status) bool
	events  string // letters each of which says that the goal is reached
	starts  bool   // reaching it takes a start of run
	orEnded bool   // the supervisor may end, if the status fits
}

// The goals.
var (
	goalUp        = Goal{"up", Status.Up, "uU", true, false}
	goalUpReady   = Goal{"up and ready", Status.UpReady, "U", true, false}
	goalDown      = Goal{"down", Status.Down, "dD", false, true}
	goalDownReady = Goal{"down for good", Status.DownReady, "D", false, true}
)

// GoalUp is reached when run is running: all that can be waited for when the
// service has no notification-fd.
func GoalUp() Goal { return goalUp }

// GoalUpReady is reached when run has said that it is ready.
func GoalUpReady() Goal { return goalUpReady }

// GoalDown is reached when run has died; its finish may be running.
func GoalDown() Goal { return goalDown }

// GoalDownReady is reached when run has died and its finish has ended.
func GoalDownReady() Goal { return goalDownReady }

// GoalStatus is reached when met is true of a status that was read; name is used
// in errors. Changes that send no event ([CmdOnceAtMost], [CmdPause]) are not seen
// before the next one that does.
func GoalStatus(name string, met func(Status) bool) Goal {
	return Goal{name: name, met: met, orEnded: true}
}

// String names the goal.
func (g Goal) String() string { return g.name }

// reachedBy reports whether one of the events says that the goal is reached.
func (g Goal) reachedBy(events []Event) bool {
	for _, e := range events {
		for i := range len(g.events) {
			if g.events[i] == byte(e) {
				return true
			}
		}
	}
	return false
}

// stopped reports whether the goal is to be reached by one of the commands, a stop.
func (g Goal) stopped(cmds []Command) bool {
	return g.reachedBy([]Event{EventDown}) && slices.Contains(cmds, CmdDown)
}

// WaitFor is [Loop.WaitFor] for who waits for one service only.
func WaitFor(ctx context.Context, dir string, goal Goal, cmds ...Command) (Status, error) {
	return new(Loop).WaitFor(ctx, dir, goal, cmds...)
}

// WaitFor sends the commands to the supervisor of the service directory dir and
// waits until the goal is reached. It returns the last status read; that may show
// more than the goal, such as a death right after a start. If the goal is reached
// already, the commands are sent all the same and it returns at once.
//
// The error wraps [ErrNotSupervised], [ErrPermanentFailure], [ErrSuperviseGone],
// [ErrCannotStart], or the cause of ctx's end, which is the only other limit.
// Nothing is taken back: after an error the service is as it is.
func (l *Loop) WaitFor(ctx context.Context, dir string, goal Goal, cmds ...Command) (Status, error) {
	return l.waitFor(ctx, dir, goal, StartLimit, cmds)
}

// ErrNotTold is wrapped by the error of [WaitFor] when the commands were not sent, since
// it could not be listened to what comes of them.
var ErrNotTold = errors.New("the supervisor was not told")

// notToldError makes an error one that wraps [ErrNotTold], and says nothing of it.
type notToldError struct{ error }

func (e notToldError) Unwrap() []error { return []error{e.error, ErrNotTold} }

func (l *Loop) waitFor(ctx context.Context, dir string, goal Goal, limit time.Duration, cmds []Command) (Status, error) {
	w, err := l.newWaiter(dir)
	if err != nil {
		return Status{}, notToldError{err}
	}
	defer w.close()
	if w.deaf != nil && !goal.stopped(cmds) {
		return Status{}, w.deaf
	}
	if goal.starts {
		w.expectSigns(limit)
	}
	st, err := w.run(ctx, goal, cmds)
	if err != nil {
		return st, fmt.Errorf("cannot wait until %s is %s: %w", dir, goal, err)
	}
	return st, nil
}

func (w *waiter) run(ctx context.Context, goal Goal, cmds []Command) (Status, error) {
	st, err := w.settle()
	if err != nil && !goal.stopped(cmds) {
		return st, err
	}
	// One that was about to be started again stays down only when the command has
	// been taken, of which no event tells.
	quiet := goal.stopped(cmds) && (err != nil || w.deaf != nil || goal.met(st) && st.WaitingToRestart() || w.lies(st))
	st = w.believe(goal, st)
	if err := SendControl(w.dir, cmds...); err != nil {
		return st, err
	}
	if quiet {
		return w.childless(ctx, st)
	}
	lives := st.PID != 0 || st.WantUp
	for !goal.met(st) {
		events, err := w.next(ctx)
		// Even at the end of ctx: the status may have changed without us.
		now, readErr := ReadStatus(w.dir)
		if readErr != nil {
			return st, errors.Join(err, readErr)
		}
		st = w.believe(goal, now)
		if w.decided(goal, st, events, err) {
			if goal.stopped(cmds) && st.WantUp && err == nil {
				// It ended by itself before the command was taken, and may be running again.
				return w.childless(ctx, st)
			}
			return st, nil
		}
		if errors.Is(err, errSilence) {
			switch st = Verify(w.dir, st); {
			case st.PID == 0:
				return st, ErrCannotStart
			case goal.met(st):
				return st, nil
			}
			continue
		}
		if err != nil {
			return st, err
		}
		if failed(events, &lives) && !st.WantUp {
			return st, ErrPermanentFailure
		}
	}
	return st, nil
}

// believe returns a status that was read as the one to judge by. One of before can
// say that the service is ready, where a full disk has kept it, and that must not
// count for a start that has only begun.
func (w *waiter) believe(goal Goal, st Status) Status {
	if goal.starts && st.Outdated() {
		return Verify(w.dir, st)
	}
	return st
}

// failed reports whether the events say that the service was given up for good. One
// that did not live when the wait began has to be started first: until then such an
// event is of its life before, whose status had been read already.
func failed(events []Event, lives *bool) bool {
	for _, e := range events {
		switch e {
		case EventUp, EventReady:
			*lives = true
		case EventFail:
			if *lives {
				return true
			}
		}
	}
	return false
}

// decided reports whether the goal is reached. The status that a dead supervisor
// left says only what it did last, so that it counts for little: a supervisor
// that ended by itself left the service down.
func (w *waiter) decided(goal Goal, st Status, events []Event, err error) bool {
	if goal.reachedBy(events) {
		return true
	}
	if errors.Is(err, ErrSuperviseGone) && !(goal.orEnded && st.DownReady()) {
		return false
	}
	return goal.met(st)
}

// settle reads the status from which the wait begins, and drops the events that
// belong to what was before it. One event may still come: that of the status
// itself, since s6-supervise writes the status first.
func (w *waiter) settle() (Status, error) {
	for {
		st, err := ReadStatus(w.dir)
		if err != nil {
			return st, err
		}
		if w.deaf != nil {
			return st, nil
		}
		events, err := drain(w.fifo)
		if err != nil || len(events) == 0 {
			return st, err
		}
	}
}
