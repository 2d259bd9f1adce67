package tree

import (
	"context"

	"strata/live"
	"strata/live/journal"
)

// Settle waits until no program of a oneshot runs that an earlier command has begun
// and not waited for. The error is the cause of ctx's end.
func (s *Supervisor) Settle(ctx context.Context, slot live.Slot) error {
	for _, phase := range []journal.Phase{journal.PhaseUp, journal.PhaseDown, journal.PhaseReload} {
		// How it ended is for the journal, and a runner that is not there runs nothing.
		_, _ = s.fetch(ctx, jobID(slot, phase), "")
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}
