package tree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/change"
	"strata/live/s6"
)

// superviseLimit is how long a supervisor that is not there may take to appear:
// s6-svscan starts one that was killed again after a second.
const superviseLimit = 10 * time.Second

// internalLimit is how long an internal service may take to be ready.
const internalLimit = 30 * time.Second

// ErrNoSupervisor is wrapped when no supervisor appears for a service.
var ErrNoSupervisor = errors.New("no supervisor has appeared within " + superviseLimit.String() + ": is s6-svscan running?")

// Supervisor implements [change.Supervisor].
type Supervisor struct {
	// Streams are the standard streams of oneshots, three of them; nil is the log
	// of the tree.
	Streams []*os.File
	// Warn is told of what went wrong and stopped nothing; nil drops it.
	Warn func(error)

	dir      *live.Dir
	loop     s6.Loop
	patience time.Duration // superviseLimit, but for tests

	// internals is held while one of the internal services is brought up.
	internals sync.Mutex
	pipes     pipeStore
	runners   runners
	programs  programs
}

var _ change.Supervisor = (*Supervisor)(nil)

// New returns the supervisor of a live directory. The caller closes it.
func New(d *live.Dir) *Supervisor { return &Supervisor{dir: d, patience: superviseLimit} }

// Close gives the connections to the internal services up.
func (s *Supervisor) Close() {
	s.pipes.close()
	s.runners.close()
}

func (s *Supervisor) warn(err error) {
	if err != nil && s.Warn != nil {
		s.Warn(err)
	}
}

// Up implements [change.Supervisor].
func (s *Supervisor) Up(ctx context.Context, t change.Target) error {
	if err := s.ensurePipes(ctx, t.Pipes); err != nil {
		return err
	}
	return s.up(ctx, s.dir.Servicedir(t.Slot))
}

// up starts what is in a service directory.
func (s *Supervisor) up(ctx context.Context, dir string) error {
	if err := s.programs.check(dir, dir+"/run"); err != nil {
		return err
	}
	// What a run of ours becomes: see package servicedir.
	if user := dir + "/run.user"; unix.Access(user, unix.F_OK) == nil {
		if err := s.programs.check(dir, user); err != nil {
			return err
		}
	}
	// A process that was told to stop may still look ready. Its end comes first.
	if st, err := s6.ReadStatus(dir); err == nil && st.Up() && !st.WantUp {
		if err := s.waitFor(ctx, dir, s6.GoalDownReady(), s6.CmdDown); err != nil {
			return err
		}
	}
	goal := s6.GoalUp()
	if unix.Access(dir+"/notification-fd", unix.F_OK) == nil {
		goal = s6.GoalUpReady()
	}
	if err := s.waitFor(ctx, dir, goal, s6.CmdUp); err != nil {
		return err
	}
	s.warn(s6.UnmarkDown(dir))
	return nil
}

// Down implements [change.Supervisor].
func (s *Supervisor) Down(ctx context.Context, t change.Target) error {
	return s.down(ctx, s.dir.Servicedir(t.Slot))
}

func (s *Supervisor) down(ctx context.Context, dir string) error {
	err := s.waitFor(ctx, dir, s6.GoalDownReady(), s6.CmdDown)
	switch {
	case err == nil:
		s.warn(s6.MarkDown(dir))
	case unsupervised(err):
		s.keepDown(dir)
	case errors.Is(err, s6.ErrNotTold): // it goes on
	case unsupervised(heed(dir)):
		s.keepDown(dir)
	}
	return err
}

// keepDown has a service down whose supervisor has gone: the next one finds the mark
// and does not start it, and one that has started it already is told.
func (s *Supervisor) keepDown(dir string) {
	s.warn(s6.MarkDown(dir))
	s.warn(release(dir))
}

// unsupervised reports whether an error says that there was no supervisor to be told,
// or none any more.
func unsupervised(err error) bool {
	return errors.Is(err, s6.ErrNotSupervised) || errors.Is(err, s6.ErrSuperviseGone)
}

// Release implements [change.Supervisor].
func (s *Supervisor) Release(t change.Target) error {
	return release(s.dir.Servicedir(t.Slot))
}

// release tells the supervisor, if there is one, that its service is to be down.
func release(dir string) error {
	err := s6.SendControl(dir, s6.CmdDown)
	if errors.Is(err, s6.ErrNotSupervised) {
		return nil // the next one goes by the mark
	}
	if err == nil {
		_ = heed(dir) // if it is gone or does not listen, nothing is to be done
	}
	return err
}

// heedLimit is how long a supervisor may take to read what it was told.
const heedLimit = time.Second

// heed gives the supervisor the time to take note that its service is to be down.
// Whoever looks next would else find it wanted up, and believe that it is.
func heed(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), heedLimit)
	defer cancel()
	return s6.Heeded(ctx, dir)
}

// waitFor sends the command and waits, once there is a supervisor to send it to.
func (s *Supervisor) waitFor(ctx context.Context, dir string, goal s6.Goal, cmd s6.Command) error {
	_, err := s.loop.WaitFor(ctx, dir, goal, cmd)
	if !errors.Is(err, s6.ErrNotSupervised) {
		return cause(ctx, err)
	}
	if err := s.appear(ctx, dir); err != nil {
		return notAppeared{cause(ctx, err)}
	}
	_, err = s.loop.WaitFor(ctx, dir, goal, cmd)
	return cause(ctx, err)
}

// notAppeared makes an error one that wraps [s6.ErrNotSupervised], and says nothing of it.
type notAppeared struct{ error }

func (e notAppeared) Unwrap() []error { return []error{e.error, s6.ErrNotSupervised} }

// cause takes the words about the wait away where ctx says why it ended.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return context.Cause(ctx)
	}
	return err
}

// appear waits until the service directory has a supervisor.
func (s *Supervisor) appear(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.patience, ErrNoSupervisor)
	defer cancel()
	return s6.AwaitSupervised(ctx, dir)
}

// Internal brings an internal service up.
func (s *Supervisor) Internal(ctx context.Context, in live.Internal) error {
	s.internals.Lock()
	defer s.internals.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, internalLimit, fmt.Errorf("%w after %v", change.ErrTimedOut, internalLimit))
	defer cancel()
	if err := s.up(ctx, s.dir.Servicedir(in.Slot)); err != nil {
		return fmt.Errorf("cannot start the internal service %s: %w", in.Name, err)
	}
	return nil
}

// Idle implements [change.Supervisor]: it stops the internal services.
func (s *Supervisor) Idle(ctx context.Context) error {
	s.Close()
	var errs []error
	for _, in := range live.Internals() {
		dir := s.dir.Servicedir(in.Slot)
		st, err := s6.ReadStatus(dir)
		st = s6.Verify(dir, st) // it is asked seldom, and a full disk makes the file lie
		if errors.Is(err, os.ErrNotExist) || err == nil && st.DownReady() && !st.WantUp {
			continue
		}
		if err == nil {
			limited, cancel := context.WithTimeoutCause(ctx, internalLimit, change.ErrTimedOut)
			err = s.down(limited, dir)
			cancel()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("cannot stop the internal service %s: %w", in.Name, err))
		}
	}
	return errors.Join(errs...)
}
