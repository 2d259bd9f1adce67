package change

import (
	"context"
	"errors"
	"fmt"
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
)

// Target is what has to be known of a service to move it.
type Target struct {
	ID   ID
	Name string
	Type db.Type
	Slot live.Slot
	// Def is the definition that a start uses, Content the database it is from.
	Def, Content db.Digest
	// TimeoutUp and TimeoutDown are 0 for no limit.
	TimeoutUp, TimeoutDown time.Duration
	// Pipes are the slots of the longruns whose pipes it uses: its own if
	// something feeds it, and that of what it feeds.
	Pipes []live.Slot
}

// Supervisor does to services what steps say. Its methods are called by several
// goroutines at once, for different services.
type Supervisor interface {
	// Up starts a longrun and waits until it is ready, or running if it does not
	// say when it is ready. Down stops one and waits until nothing of it runs.
	// Both return early when ctx ends, with its cause, and leave the service as
	// it is then, to be up or to be down. After success the service is marked to be up, or down, if its
	// supervisor should be started again.
	Up(ctx context.Context, t Target) error
	Down(ctx context.Context, t Target) error
	// Release tells a longrun to stop, since it failed to start, and does not wait
	// until it has.
	Release(t Target) error
	// Reload sends a longrun that runs its reload signal. Nobody learns what
	// becomes of that.
	Reload(ctx context.Context, t Target) error
	// Run runs a oneshot's program for the phase and returns nil if it exited 0.
	// begin is called once the request can be made and before it is: its error
	// ends Run. A limit above 0 ends the program; the error wraps [ErrTimedOut]
	// then. The error wraps [ErrLost] if nobody will ever know, and
	// [ErrAbandoned] if ctx ended: the program runs on, and its result is kept.
	Run(ctx context.Context, t Target, phase journal.Phase, limit time.Duration, begin func() error) error
	// Idle is called when no service is up any more.
	Idle(ctx context.Context) error
}

// The ways in which a transition fails that are told apart; they are wrapped.
var (
	ErrTimedOut  = errors.New("timed out")
	ErrLost      = errors.New("its result is lost: the oneshot runner ended meanwhile")
	ErrAbandoned = errors.New("left running")
	// ErrInterrupted is the cause to end the context of [Run] with on a signal.
	ErrInterrupted = errors.New("interrupted")
)

// TimeoutError says which limit was reached. It wraps [ErrTimedOut].
type TimeoutError struct {
	Service string
	Op      Op
	Limit   time.Duration
	// Where is the place that set it, "SOURCE:PATH:LINE", or empty.
	Where string
	// Whole is set if it was the limit of the whole run and not the service's.
	Whole bool
}

// Error names the phase, the limit, and what set it.
func (e *TimeoutError) Error() string {
	if e.Whole {
		return fmt.Sprintf("timed out: the limit of the whole %s, %v, is over", e.Op, e.Limit)
	}
	text := fmt.Sprintf("timed out: not %s after its %s of %v", e.Op.aim(), e.Op.limitField(), e.Limit)
	if e.Where != "" {
		text += ", set at " + e.Where
	}
	return text
}

// Unwrap returns ErrTimedOut.
func (e *TimeoutError) Unwrap() error { return ErrTimedOut }

// Env is what [Run] works with.
type Env struct {
	// Targets are the services of the database, States their states, by number.
	Targets func(ID) Target
	States  []live.ServiceState
	Supervisor
	// Journal records events with their cause, all or none; nil records nothing. It
	// may be called by several goroutines at once.
	Journal func(cause string, events ...journal.Event) error
	// Where gives the place that set a field of a service, "SOURCE:PATH:LINE", for
	// error texts; nil knows none.
	Where func(id ID, field string) string
	// Observe is told what happens, by one goroutine at a time; nil is nobody.
	Observe func(Event)
	// Cause is why the services that were asked for move: "rc-ctl start".
	Cause string
	// MaxParallel is how many steps may be under way at once; 0 is no limit.
	MaxParallel int
	// Limit is how long the whole run may take; 0 is no limit.
	Limit time.Duration
	// Abandon, once closed, makes the run end without waiting for oneshots.
	Abandon <-chan struct{}
}

// EventKind says what happened to a service.
type EventKind uint8

// The kinds of events.
const (
	Began EventKind = iota + 1
	Already
	Done
	Failed
	Skipped
	Kept
	Quitting // the run begins nothing more; no service
)

// Event is one thing that happened during a run.
type Event struct {
	Kind EventKind
	Op   Op
	// Target is the service.
	Target Target
	// At is when it happened, Took how long what is Done or has Failed took.
	At   time.Time
	Took time.Duration
	// Err is the reason of a failure, or of quitting. Because is, of what was
	// skipped, the service that it waited for in vain, else what pulled it in.
	Err     error
	Because string
	// Held are the services that are skipped because of a failure.
	Held []Target
}

// Failure is a step that failed.
type Failure struct {
	Target Target
	Op     Op
	Err    error
	// Held are the services that were skipped because of it.
	Held []Target
}

// Error reads "cannot start web: exit 1".
func (f Failure) Error() string { return fmt.Sprintf("cannot %s %s: %v", f.Op, f.Target.Name, f.Err) }

// Unwrap returns the reason.
func (f Failure) Unwrap() error { return f.Err }

// Skip is a step that was not tried because another one failed.
type Skip struct {
	Target Target
	Op     Op
	// Because is the service whose step failed.
	Because string
}

// Result is what a run has done.
type Result struct {
	// Done are the services that were moved, in the order in which they were.
	Done []ID
	// Timings are the steps that were begun and have ended, in the order of their
	// ends.
	Timings []Timing
	// Failed and Skipped are sorted by service.
	Failed  []Failure
	Skipped []Skip
	// Left are services whose turn did not come, because the run was to end.
	Left []Target
	// Quit is why the run was ended early: a [*TimeoutError], the cause of the
	// context's end, or nil.
	Quit error
	// Journal is the first error of writing the journal, if not all could be written
	// later; it stopped nothing.
	Journal error
}

// OK says that all was done.
func (r Result) OK() bool {
	return len(r.Failed) == 0 && len(r.Skipped) == 0 && len(r.Left) == 0 && r.Quit == nil
}

// TimedOut says that the limit of the whole run ended it.
func (r Result) TimedOut() bool { return whole(r.Quit) }

func whole(err error) bool {
	var timeout *TimeoutError
	return errors.As(err, &timeout) && timeout.Whole
}
