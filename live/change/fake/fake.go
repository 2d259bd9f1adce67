package fake

import (
	"context"
	"fmt"
	"sync"
	"time"

	"strata/compile/db"
	"strata/live/change"
	"strata/live/journal"
)

// Script is how one transition of a service goes.
type Script struct {
	// Delay is how long it takes; Hang is for ever, until somebody gives up. With a
	// Gate it takes until something comes from there.
	Delay time.Duration
	Hang  bool
	Gate  <-chan struct{}
	// Err is how it ends; nil is success.
	Err error
}

// Call is one thing the supervisor was asked for.
type Call struct {
	Service string
	Op      change.Op
	// End is set on the second of two calls: the transition has ended, with Err.
	End bool
	Err error
	At  time.Time
}

// String is "start web", "end start web", or "end start web: CAUSE".
func (c Call) String() string {
	s := fmt.Sprintf("%s %s", c.Op, c.Service)
	if c.End {
		s = "end " + s
	}
	if c.Err != nil {
		s += ": " + c.Err.Error()
	}
	return s
}

// Supervisor implements [change.Supervisor]. Its fields are set before its use;
// what it remembers is read after it.
type Supervisor struct {
	// Up, Down and Reload are the scripts by service; without one it succeeds at
	// once.
	Up, Down, Reload map[string]Script

	mu       sync.Mutex
	calls    []Call
	released []string
	idle     int
	flying   int
	most     int
	running  map[string]bool
}

var _ change.Supervisor = (*fakeUp)(nil)

// fakeUp has the methods, since Up and Down are fields of Supervisor.
type fakeUp struct{ s *Supervisor }

// Engine is the supervisor as the engine sees it.
func (s *Supervisor) Engine() change.Supervisor { return &fakeUp{s} }

// Calls returns what it was asked for, in order.
func (s *Supervisor) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Released returns the longruns that were told to stop after a failure.
func (s *Supervisor) Released() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.released...)
}

// Idle returns how often it was said that nothing is up.
func (s *Supervisor) Idle() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.idle
}

// Most returns how many transitions were under way at once, at most.
func (s *Supervisor) Most() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// Running says what is up: longruns that run, oneshots whose last program was up.
func (s *Supervisor) Running(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[name]
}

func (s *Supervisor) note(c Call, flying int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.At = time.Now()
	s.calls = append(s.calls, c)
	s.flying += flying
	s.most = max(s.most, s.flying)
	if c.End && c.Err == nil && c.Op != change.Reload {
		if s.running == nil {
			s.running = make(map[string]bool)
		}
		s.running[c.Service] = c.Op == change.Start
	}
}

// play does what a script says.
func (s *Supervisor) play(ctx context.Context, name string, op change.Op, limit time.Duration) error {
	scripts := s.Up
	switch op {
	case change.Stop:
		scripts = s.Down
	case change.Reload:
		scripts = s.Reload
	}
	sc := scripts[name]
	s.note(Call{Service: name, Op: op}, 1)
	err := wait(ctx, sc, limit)
	s.note(Call{Service: name, Op: op, End: true, Err: err}, -1)
	return err
}

func wait(ctx context.Context, sc Script, limit time.Duration) error {
	var end, over <-chan time.Time
	switch {
	case sc.Hang, sc.Gate != nil:
	case sc.Delay == 0:
		return sc.Err
	default:
		t := time.NewTimer(sc.Delay)
		defer t.Stop()
		end = t.C
	}
	if limit > 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-end:
		return sc.Err
	case <-sc.Gate:
		return sc.Err
	case <-over:
		return change.ErrTimedOut
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (f *fakeUp) Up(ctx context.Context, t change.Target) error {
	return f.s.play(ctx, t.Name, change.Start, 0)
}

func (f *fakeUp) Down(ctx context.Context, t change.Target) error {
	return f.s.play(ctx, t.Name, change.Stop, 0)
}

func (f *fakeUp) Reload(ctx context.Context, t change.Target) error {
	return f.s.play(ctx, t.Name, change.Reload, 0)
}

func (f *fakeUp) Release(t change.Target) error {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if t.Type != db.Longrun {
		return fmt.Errorf("%s is no longrun", t.Name)
	}
	f.s.released = append(f.s.released, t.Name)
	return nil
}

func (f *fakeUp) Run(ctx context.Context, t change.Target, phase journal.Phase, limit time.Duration, begin func() error) error {
	if err := begin(); err != nil {
		return err
	}
	op := change.Start
	switch phase {
	case journal.PhaseDown:
		op = change.Stop
	case journal.PhaseReload:
		op = change.Reload
	}
	return f.s.play(ctx, t.Name, op, limit)
}

func (f *fakeUp) Idle(context.Context) error {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.s.idle++
	return nil
}
