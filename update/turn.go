package update

import (
	"context"
	"fmt"

	"strata/live"
	"strata/live/journal"
)

// takeBackSwitched takes a patch back that was switched, by its inverse. What the
// patch had not started yet is not started for that.
func (a *applier) takeBackSwitched(ctx context.Context) (Result, error) {
	// Names and directories must be those of one database.
	if err := a.switchOver(context.WithoutCancel(ctx)); err != nil {
		return a.result, fmt.Errorf("cannot take the update back: %w", err)
	}
	b, err := a.turn()
	if err != nil {
		return a.result, fmt.Errorf("cannot take the update back: %w", err)
	}
	b.result.Notes, b.result.Trouble = a.result.Notes, a.result.Trouble
	b.compare()
	defer b.alike()
	err = b.forward(ctx)
	b.result.Aborted = true
	return b.result, err
}

// turn begins the patch that takes this one back.
func (a *applier) turn() (*applier, error) {
	st, err := a.w.State()
	if err != nil {
		return nil, err
	}
	p := a.patch.Inverse()
	for i := range a.states {
		if a.states[i].Wanted {
			p.After.Wanted = append(p.After.Wanted, a.states[i].Name)
		}
	}
	b := &applier{
		w: a.w, env: a.env, patch: p, byOp: map[Op][]Action{}, noted: map[int]bool{}, aborts: true, states: st.Services,
		old: live.View{DB: a.new.DB, Table: st.Table}, new: live.View{DB: a.old.DB},
	}
	b.env.Limit = 0
	event, err := b.announce()
	if err != nil {
		return nil, err
	}
	pid, start := live.Process()
	end := journal.PatchEnd{Outcome: journal.Aborted}
	return b, a.w.Append(a.env.Cause, end, event, journal.PatchTry{PID: pid, Start: start})
}
