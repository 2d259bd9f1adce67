package update

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"strata/live"
	"strata/live/change"
	"strata/live/journal"
)

// Abort is [Ask] for taking the patch back, and [Resume].
func Abort(ctx context.Context, w *live.Writer, env Env) (Result, error) {
	if err := Ask(w, env.Cause, true); err != nil {
		return Result{}, err
	}
	return Resume(ctx, w, env)
}

// undo takes back a switch that has not been made: what was new is dropped, names
// and definitions are as before, what was stopped is started. Where that cannot be
// done the patch stays under way: names and directories would be of two databases.
func (a *applier) undo(ctx context.Context) error {
	a.result.Outcome = journal.AbortedWithFailures
	ctx = context.WithoutCancel(ctx)
	if err := a.w.Append(a.env.Cause, journal.PatchAbort{}); err != nil {
		a.result.Notes = append(a.result.Notes, err)
	}
	err := errors.Join(a.dropNew(ctx), a.renameBack(), a.superviseBack(ctx), a.defineBack(), a.unpipeNew(ctx))
	if err == nil {
		err = a.takeBack(ctx)
	}
	if err != nil {
		return err
	}
	return a.finish()
}

// takeBack starts what was stopped.
func (a *applier) takeBack(ctx context.Context) error {
	st, err := a.w.State()
	if err != nil {
		return err
	}
	var back []Action
	for _, action := range a.byOp[OpStop] {
		if i, ok := find(a.old.DB, action.Service); ok && !st.Services[i].Up {
			back = append(back, Action{Op: OpStart, Service: action.Service})
		}
	}
	if len(back) == 0 {
		a.result.Outcome = journal.Aborted
		return nil
	}
	// The starts are no actions of the patch, and its limit is not theirs.
	again := *a
	again.deadline, again.env.Observe, again.noted = time.Time{}, nil, map[int]bool{0: true}
	a.result.Back, err = again.run(ctx, a.old, st.Services, change.Start, back)
	if err == nil && a.result.Back.OK() {
		a.result.Outcome = journal.Aborted
	}
	return err
}

// dropNew takes what was made for the new database out of the scandir. Its
// directories go with the next sweep.
func (a *applier) dropNew(ctx context.Context) error {
	var linked []live.Named
	for _, n := range a.made() {
		target, err := os.Readlink(a.w.NamePath(n.Name))
		if err == nil && filepath.Base(target) == filepath.Base(a.w.Servicedir(n.Slot)) {
			linked = append(linked, n)
		}
	}
	return a.drop(ctx, linked)
}

// renameBack gives longruns their old names.
func (a *applier) renameBack() error { return a.w.Rename(a.renamings(false)) }

// superviseBack gives what was dropped for its name its supervisor again.
func (a *applier) superviseBack(ctx context.Context) error {
	freed := a.freed()
	if len(freed) == 0 {
		return nil
	}
	var errs []error
	for _, n := range freed {
		errs = append(errs, a.w.LinkName(n))
	}
	return errors.Join(append(errs, a.w.Supervise(ctx, freed))...)
}

// defineBack switches to the old definitions.
func (a *applier) defineBack() error {
	var errs []error
	for _, action := range a.byOp[OpDefine] {
		i, err := a.oldID(action)
		if err == nil {
			err = a.defineOne(a.old, i)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
