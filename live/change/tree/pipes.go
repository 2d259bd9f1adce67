package tree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/runner"
	"strata/live/s6/fdholder"
)

// pipeStore remembers which pipes the holder is known to have.
type pipeStore struct {
	mu     sync.Mutex
	client *fdholder.Client
	held   map[string]bool
}

func (p *pipeStore) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}

func (p *pipeStore) drop() {
	if p.client != nil {
		p.client.Close()
	}
	p.client, p.held = nil, nil
}

// ensurePipes sees to it that the holder is up and has the pipes into the longruns
// with these slots.
func (s *Supervisor) ensurePipes(ctx context.Context, slots []live.Slot) error {
	if len(slots) == 0 {
		return nil
	}
	p := &s.pipes
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client == nil {
		if err := s.connectHolder(ctx); err != nil {
			return err
		}
	}
	for _, slot := range slots {
		if err := p.ensure(ctx, slot); err != nil {
			p.drop()
			return fmt.Errorf("cannot make the pipe: %w", err)
		}
	}
	return nil
}

// connectHolder brings the holder up and asks what it has.
func (s *Supervisor) connectHolder(ctx context.Context) error {
	if err := s.internal(ctx, live.Holder); err != nil {
		return err
	}
	path, done, err := runner.ShortPath(s.dir.HolderSocket())
	if err != nil {
		return err
	}
	defer done()
	c, err := fdholder.Dial(ctx, path)
	if err != nil {
		return err
	}
	ids, err := c.List(ctx)
	if err != nil {
		return errors.Join(err, c.Close())
	}
	held := make(map[string]bool, len(ids))
	for _, id := range ids {
		held[id] = true
	}
	s.pipes.client, s.pipes.held = c, held
	return nil
}

// ensure stores a pipe, both ends at once, unless both are there. A pipe of which
// one end is missing is of no use to anybody.
func (p *pipeStore) ensure(ctx context.Context, slot live.Slot) error {
	read, write := live.PipeReader(slot), live.PipeWriter(slot)
	if p.held[read] && p.held[write] {
		return nil
	}
	// Not os.Pipe, whose pipes are non-blocking, for all who will ever have them.
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("cannot make a pipe: %w", err)
	}
	r, w := os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe")
	defer r.Close()
	defer w.Close()
	err := p.client.SetDump(ctx, []fdholder.Held{{ID: read, File: r}, {ID: write, File: w}})
	if err != nil {
		return err
	}
	p.held[read], p.held[write] = true, true
	return nil
}
