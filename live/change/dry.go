package change

import (
	"context"
	"time"

	"strata/live/journal"
)

// Dry returns a supervisor that does nothing and succeeds, each time after a
// delay: with it [Run] shows what would be done, and in which order.
func Dry(delay time.Duration) Supervisor { return dry(delay) }

type dry time.Duration

func (d dry) wait(ctx context.Context) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(time.Duration(d))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (d dry) Up(ctx context.Context, _ Target) error     { return d.wait(ctx) }
func (d dry) Down(ctx context.Context, _ Target) error   { return d.wait(ctx) }
func (d dry) Release(Target) error                       { return nil }
func (d dry) Reload(ctx context.Context, _ Target) error { return d.wait(ctx) }
func (d dry) Idle(context.Context) error                 { return nil }

func (d dry) Run(ctx context.Context, _ Target, _ journal.Phase, _ time.Duration, _ func() error) error {
	return d.wait(ctx)
}
