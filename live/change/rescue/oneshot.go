package rescue

import (
	"context"
	"errors"
	"os"
	"slices"
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
	down map[live.Slot]program
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
	case len(p.argv) == 0:
		return nil
	}
	if s.answers(ctx) {
		err := s.Supervisor.Run(ctx, t, phase, limit, begin)
		var refused *runner.RefusedError
		if !errors.As(err, &refused) && !errors.Is(err, change.ErrLost) {
			return err
		}
	}
	s.warn(begin())
	return p.run(ctx, limit, s.Streams)
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
func (s *Session) program(sv live.StopService) program {
	p := program{argv: sv.Down, tty: sv.TTY, dir: s.dir.DefinitionDir(sv.Slot, *sv.Def)}
	if _, err := os.Stat(p.dir); err != nil {
		p.dir = s.dir.Servicedir(live.RunnerSlot)
	}
	if s.environ == nil {
		s.environ = environment(s.dir.Scandir())
	}
	p.env = append(slices.Clip(s.environ), runner.NameVar+"="+sv.Name)
	return p
}
