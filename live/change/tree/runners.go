package tree

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/change"
	"strata/live/runner"
	"strata/live/s6"
)

// runners are the connections to the oneshot runner, and what is known of the
// results that it keeps.
type runners struct {
	mu   sync.Mutex
	idle []*runner.Client
	// renewed is set when the runner has been asked to go on with the present
	// program.
	renewed bool
	// known is set when the journal has all results that matter, cleared when the
	// runner has dropped them; used are the ids of the jobs since.
	known, cleared bool
	used           map[string]bool
}

// get takes an idle connection, or nil.
func (r *runners) get() *runner.Client {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.idle) > 0 {
		c := r.idle[len(r.idle)-1]
		r.idle = r.idle[:len(r.idle)-1]
		if !c.Gone() {
			return c
		}
		c.Close()
	}
	return nil
}

// put gives a connection back, if it is of use.
func (r *runners) put(c *runner.Client, good bool) {
	if !good {
		c.Close()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, c)
}

func (r *runners) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.idle {
		c.Close()
	}
	r.idle = nil
}

// noted says that the journal has all results that the runner keeps.
func (r *runners) noted() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known, r.cleared, r.used = true, false, make(map[string]bool)
}

// fresh sees to it that the runner has no result of an earlier job with this id,
// which a later command could take for the one of the job that begins. All of them
// are dropped at once, before the first job, where that is known to lose nothing.
func (r *runners) fresh(ctx context.Context, c *runner.Client, id string) error {
	if clean, err := r.clear(ctx, c, id); clean || err != nil {
		return err
	}
	return c.Prepare(ctx, id)
}

func (r *runners) clear(ctx context.Context, c *runner.Client, id string) (clean bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.known || r.used[id] {
		return false, nil
	}
	if !r.cleared {
		if err := c.Clear(ctx); err != nil {
			return false, err
		}
		r.cleared = true
	}
	r.used[id] = true
	return true, nil
}

// connect gives a connection to the runner.
func (s *Supervisor) connect(ctx context.Context) (*runner.Client, error) {
	if c := s.runners.get(); c != nil {
		return c, nil
	}
	return s.dial(ctx)
}

// dial connects to the runner, which is brought up if it is not, and goes on with
// the present program if it runs another.
func (s *Supervisor) dial(ctx context.Context) (*runner.Client, error) {
	c, err := runner.Dial(ctx, s.dir.RunnerSocket())
	if err == nil {
		if err = s.renew(ctx, c); err == nil {
			return c, nil
		}
		c.Close()
	}
	var refused *runner.RefusedError
	if errors.As(err, &refused) {
		return nil, err
	}
	return s.dialStarted(ctx)
}

// dialStarted brings the runner up and connects to it. If it has just died, its
// status says for a moment that it is up.
func (s *Supervisor) dialStarted(ctx context.Context) (*runner.Client, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, internalLimit, fmt.Errorf("%w after %v", change.ErrTimedOut, internalLimit))
	defer cancel()
	sub, err := s6.Subscribe(filepath.Join(s.dir.Servicedir(live.RunnerSlot), "event"))
	if err != nil {
		return nil, err
	}
	defer sub.Close()
	for {
		if err := s.Internal(ctx, live.Runner); err != nil {
			return nil, err
		}
		c, err := runner.Dial(ctx, s.dir.RunnerSocket())
		if !errors.Is(err, unix.ECONNREFUSED) {
			return c, err
		}
		if _, waitErr := sub.Next(ctx); waitErr != nil {
			return nil, fmt.Errorf("%w: %w", err, waitErr)
		}
	}
}

// renew asks a runner of another program than ours, once, to go on with the one
// that its definition names. One that cannot goes on as it is.
func (s *Supervisor) renew(ctx context.Context, c *runner.Client) error {
	self, err := runner.Self()
	if err != nil || self == c.Program() || !s.runners.mayRenew() {
		return nil
	}
	err = c.Renew(ctx)
	var refused *runner.RefusedError
	if errors.As(err, &refused) {
		s.warn(err)
		return nil
	}
	return err
}

// mayRenew says whether nobody has asked before.
func (r *runners) mayRenew() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := !r.renewed
	r.renewed = true
	return first
}
