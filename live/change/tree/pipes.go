package tree

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"strata/live"
	"strata/live/holder"
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

// has reports whether both ends of the pipe into a longrun are held. A pipe of
// which one end is missing is of no use to anybody.
func (p *pipeStore) has(consumer live.Slot) bool {
	return p.held[live.PipeReader(consumer)] && p.held[live.PipeWriter(consumer)]
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
	if p.client != nil && p.client.Gone() {
		p.drop() // what is started now is to wait for the next one
	}
	err := s.holdPipes(ctx, slots)
	var refused *fdholder.Error
	if err != nil && !errors.As(err, &refused) && ctx.Err() == nil && p.client != nil {
		// The connection is that to a daemon that has died since.
		p.drop()
		err = s.holdPipes(ctx, slots)
	}
	return err
}

func (s *Supervisor) holdPipes(ctx context.Context, slots []live.Slot) error {
	p := &s.pipes
	if p.client == nil {
		if err := s.connectHolder(ctx); err != nil {
			return err
		}
	}
	var missing []live.Slot
	for _, slot := range slots {
		if p.has(slot) {
			s.warn(holder.Note(ctx, p.client, s.dir, slot))
		} else {
			missing = append(missing, slot)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	// It is filled when it starts, so this is an old one, or the pipe is new.
	known, err := holder.Pipes(s.dir)
	if err != nil {
		return err
	}
	pipes := make([]holder.Pipe, len(missing))
	for i, slot := range missing {
		pipes[i] = known[slot]
		pipes[i].Consumer.Slot = slot
	}
	if err := holder.Store(ctx, p.client, s.dir, pipes, s.warn); err != nil {
		return fmt.Errorf("cannot make the pipe: %w", err)
	}
	for _, slot := range missing {
		p.held[live.PipeReader(slot)], p.held[live.PipeWriter(slot)] = true, true
	}
	return nil
}

// connectHolder brings the holder up and asks what it has.
func (s *Supervisor) connectHolder(ctx context.Context) error {
	if err := s.Internal(ctx, live.Holder); err != nil {
		if room := holder.CheckRoom(s.dir); room != nil {
			return room
		}
		return fmt.Errorf("%w: the log of s6-svscan says why", err)
	}
	c, err := holder.Dial(ctx, s.dir)
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
