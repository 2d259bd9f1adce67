package update

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"strata/live"
)

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

// renameBack takes the renamings back, the last one first.
func (a *applier) renameBack() error {
	var errs []error
	for k := len(a.renamed) - 1; k >= 0; k-- {
		errs = append(errs, a.renameStep(a.renamed[k].inverse()))
	}
	return errors.Join(errs...)
}

// superviseBack gives what was dropped for its name its supervisor again.
func (a *applier) superviseBack(ctx context.Context) error {
	if len(a.dropped) == 0 {
		return nil
	}
	var errs []error
	for _, n := range a.dropped {
		errs = append(errs, a.w.LinkName(n))
	}
	return errors.Join(append(errs, a.w.Supervise(ctx, a.dropped))...)
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
