package rescue

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/journal"
	"strata/live/runner"
)

// supervisor is the ordinary one, except that oneshots do not depend on the runner.
type supervisor struct {
	*tree.Supervisor
	dir  *live.Dir
	down map[live.Slot]runner.Program

	once    sync.Once
	environ []string
}

var _ change.Supervisor = (*supervisor)(nil)

func (s *supervisor) warn(err error) {
	if err != nil && s.Warn != nil {
		s.Warn(err)
	}
}

// answerLimit is how long the runner may take to say that it is there.
const answerLimit = 5 * time.Second

// Run implements [change.Supervisor].
func (s *supervisor) Run(ctx context.Context, t change.Target, phase journal.Phase, limit time.Duration, begin func() error) error {
	p, ok := s.down[t.Slot]
	switch {
	case !ok:
		return errNoProgram
	case len(p.Argv) == 0:
		return nil
	}
	if s.answers(ctx) {
		if err := s.settle(ctx, t.Slot, limit); err != nil {
			return err
		}
		err := s.Supervisor.Run(ctx, t, phase, limit, begin)
		var refused *runner.RefusedError
		if !errors.As(err, &refused) && !errors.Is(err, change.ErrLost) {
			return err
		}
	}
	s.warn(begin())
	return s.direct(ctx, t, limit)
}

// settle waits for what an earlier command has left running, within the limit.
func (s *supervisor) settle(ctx context.Context, slot live.Slot, limit time.Duration) error {
	waiting := ctx
	if limit > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	err := s.Settle(waiting, slot)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return change.ErrAbandoned
	}
	return change.ErrTimedOut
}

// answers says whether the runner is there. One that is not is not started: it may
// be unable to, and everything is about to be down anyway.
func (s *supervisor) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	c, err := runner.Dial(ctx, s.dir.RunnerSocket())
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// Idle implements [change.Supervisor]. [Session.Stop] does it.
func (s *supervisor) Idle(context.Context) error { return nil }

// program makes the down program of a oneshot. Its directory is that of its
// definition, or, as the runner has it, the runner's.
func (s *supervisor) program(sv live.StopService) runner.Program {
	p := runner.Program{Argv: sv.Down, TTY: sv.TTY, Dir: s.dir.DefinitionDir(sv.Slot, *sv.Def)}
	if _, err := os.Stat(p.Dir); err != nil {
		p.Dir = s.dir.Servicedir(live.RunnerSlot)
	}
	return p
}
