package update

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"strata/live"
	"strata/live/holder"
	"strata/live/s6/fdholder"
)

// holder connects to the fd-holder. It is nil if that does not run: then it holds
// nothing, and the engine makes pipes when it starts what uses them.
func (a *applier) holder(ctx context.Context) *fdholder.Client {
	c, err := holder.Dial(ctx, a.w.Dir)
	if err != nil {
		return nil
	}
	return c
}

// pipe makes the pipes into consumers that had none.
func (a *applier) pipe(ctx context.Context) error {
	actions := a.byOp[OpPipe]
	if len(actions) == 0 {
		return nil
	}
	if c := a.holder(ctx); c != nil {
		defer c.Close()
		held, err := c.List(ctx)
		if err != nil {
			return err
		}
		var missing []holder.Pipe
		for _, action := range actions {
			j, err := a.newID(action)
			if err != nil {
				return err
			}
			slot := a.new.Slot(j)
			if !slices.Contains(held, live.PipeReader(slot)) || !slices.Contains(held, live.PipeWriter(slot)) {
				missing = append(missing, holder.Pipe{Consumer: holder.Member{Name: action.Service, Slot: slot}})
			}
		}
		// A consumer that is up is not on its pipe yet, which is no trouble.
		if err := holder.Store(ctx, c, a.w.Dir, missing, func(error) {}); err != nil {
			return fmt.Errorf("cannot make pipes: %w", err)
		}
	}
	return a.done(actions...)
}

// unpipe drops the pipes that have no consumer any more.
func (a *applier) unpipe(ctx context.Context) {
	var slots []live.Slot
	for _, action := range a.byOp[OpUnpipe] {
		if i, ok := find(a.old.DB, action.Service); ok {
			slots = append(slots, a.old.Slot(i))
		}
	}
	if err := a.dropPipes(ctx, slots); err != nil {
		a.result.Trouble = append(a.result.Trouble, err)
	}
}

// unpipeNew drops the pipes that were made for a switch that is not made.
func (a *applier) unpipeNew(ctx context.Context) error {
	var slots []live.Slot
	for _, action := range a.byOp[OpPipe] {
		if j, ok := find(a.new.DB, action.Service); ok {
			slots = append(slots, a.new.Slot(j))
		}
	}
	return a.dropPipes(ctx, slots)
}

func (a *applier) dropPipes(ctx context.Context, consumers []live.Slot) error {
	if len(consumers) == 0 {
		return nil
	}
	c := a.holder(ctx)
	if c == nil {
		return nil
	}
	defer c.Close()
	var errs []error
	for _, slot := range consumers {
		for _, pipe := range []string{live.PipeReader(slot), live.PipeWriter(slot)} {
			if err := c.Delete(ctx, pipe); !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
