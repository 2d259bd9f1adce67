package update

import (
	"context"
	"fmt"

	"strata/compile/db"
	"strata/live/change"
	"strata/live/journal"
)

// start does the third phase: it brings up what is to come up, then tells to
// reload.
func (a *applier) start(ctx context.Context) error {
	states, err := a.w.StatesSince(a.states, a.new.Table, a.touched())
	if err != nil {
		return err
	}
	if a.result.Start, err = a.run(ctx, a.new, states, change.Start, a.byOp[OpStart]); err != nil {
		return err
	}
	if len(a.byOp[OpReload]) == 0 || a.result.Start.Quit != nil {
		return nil
	}
	env, err := a.env.Engine(a.new, states)
	if err != nil {
		return err
	}
	for _, action := range a.byOp[OpReload] {
		j, err := a.newID(action)
		if err == nil {
			err = a.reload(ctx, env, j)
		}
		if err != nil {
			a.result.Trouble = append(a.result.Trouble, fmt.Errorf("cannot reload %s: %w", action.Service, err))
			continue
		}
		if err := a.done(action); err != nil {
			return err
		}
	}
	return nil
}

// reload sends a longrun its reload signal, or runs a oneshot's reload program.
func (a *applier) reload(ctx context.Context, env change.Env, j id) error {
	t := env.Targets(j)
	if t.Type == db.Oneshot {
		return env.Run(ctx, t, journal.PhaseReload, t.TimeoutUp, func() error {
			return a.w.Append(a.env.Cause, journal.Begin{Slot: t.Slot, Phase: journal.PhaseReload})
		})
	}
	return env.Reload(ctx, t)
}
