package update

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/runner"
	"strata/live/s6/fdholder"
)

// holder connects to the fd-holder. It is nil if that does not run: then it holds
// nothing, and the engine makes pipes when it starts what uses them.
func (a *applier) holder(ctx context.Context) *fdholder.Client {
	path, done, err := runner.ShortPath(a.w.HolderSocket())
	if err != nil {
		return nil
	}
	defer done()
	c, err := fdholder.Dial(ctx, path)
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
		for _, action := range actions {
			j, err := a.newID(action)
			if err != nil {
				return err
			}
			if err := storePipe(ctx, c, held, a.new.Slot(j)); err != nil {
				return fmt.Errorf("cannot make the pipe into %s: %w", action.Service, err)
			}
		}
	}
	return a.done(actions...)
}

// storePipe gives the holder both ends of a pipe, unless it has them.
func storePipe(ctx context.Context, c *fdholder.Client, held []string, consumer live.Slot) error {
	read, write := live.PipeReader(consumer), live.PipeWriter(consumer)
	if slices.Contains(held, read) && slices.Contains(held, write) {
		return nil
	}
	// Not os.Pipe, whose pipes are non-blocking for all who will have them.
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	r, w := os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe")
	defer r.Close()
	defer w.Close()
	return c.SetDump(ctx, []fdholder.Held{{ID: read, File: r}, {ID: write, File: w}})
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
