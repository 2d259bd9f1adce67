package live

import (
	"context"
	"errors"
	"slices"

	"strata/live/journal"
)

// dropHalf removes the directory in use if a patch was left in the middle there and
// nothing of the old or the new database is up. Only links and definitions, some
// switched and some not, are lost then, and the wishes of operators.
//
// It does not matter how far the patch has got: supervisors are found by their
// service directories and links in the scandir by where they lead to, whatever
// names either has, and whichever database knows it. A kill on the way leaves
// nothing up and the journal, if it is there, with the patch: the next call goes on.
func (in *initer) dropHalf(ctx context.Context, f *found) (dropped bool, err error) {
	if idle, err := f.idleHalf(); !idle || err != nil {
		return false, err
	}
	lock, err := f.dir.Hold(ctx, in.Block)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	// Whoever had the lock may have ended the patch, or started something.
	if f.journal, err = journal.Load(f.dir.JournalPath()); err != nil {
		return false, err
	}
	if idle, err := f.idleHalf(); !idle || err != nil {
		return false, err
	}
	in.warn("a patch is half applied in %s, and nothing is up: making it anew", f.dir.path)
	if err := in.removeLinks(in.Scandir, ""); err != nil {
		return false, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, oldLimit, errors.New("it does not end"))
	defer cancel()
	for _, dir := range supervised(f.dir.real) {
		if err := in.Hooks.Hit("end-half"); err != nil {
			return false, err
		}
		if err := end(limited, dir); err != nil {
			return false, err
		}
	}
	return true, in.removeRemains(ctx, "")
}

// idleHalf says that a patch is half applied and nothing of either database is up,
// on its way, or unknown.
func (f *found) idleHalf() (bool, error) {
	if f.journal.Head().Patch == nil {
		return false, nil
	}
	st, err := f.dir.join(f.journal)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(slices.Concat(st.Services, st.Other), func(s ServiceState) bool {
		return s.Up || s.Starting || s.Unknown || s.Pending != "" || s.Status.Up()
	}), nil
}
