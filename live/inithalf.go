package live

import (
	"context"
	"errors"
	"slices"

	"strata/live/journal"
)

// dropDead removes the directory in use if it is good for nothing any more and
// nothing is up: a patch was left in the middle, its database is damaged, or all was
// stopped in it because it is damaged. Only links and definitions, some switched and
// some not, are lost then, and the wishes of operators.
//
// It does not matter how far a patch has got: supervisors are found by their
// service directories and links in the scandir by where they lead to, whatever
// names either has, and whichever database knows it. A kill on the way leaves
// nothing up, and what says that the directory is dead: the next call goes on.
func (in *initer) dropDead(ctx context.Context, f *found) (dropped bool, err error) {
	if why, err := f.dead(); why == "" || err != nil {
		return false, err
	}
	lock, err := f.dir.Hold(ctx, in.Block)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	// Whoever had the lock may have ended the patch, or started something.
	if f.broken == nil {
		if f.journal, err = journal.Load(f.dir.JournalPath()); err != nil {
			return false, err
		}
	}
	why, err := f.dead()
	if why == "" || err != nil {
		return false, err
	}
	in.warn("%s in %s, and nothing is up: making it anew", why, f.dir.path)
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

// dead says why a directory is good for nothing any more; empty if it is, or if
// something in it, of either database during a patch, is up, on its way, or unknown.
func (f *found) dead() (why string, err error) {
	switch {
	case f.broken != nil:
		if f.dir.stoppedAll() {
			return "something is damaged", nil
		}
		return "", nil
	case f.journal.Head().Patch != nil:
		why = "a patch is half applied"
	case f.noDatabase:
		why = "the database is damaged"
	default:
		return "", nil
	}
	st, err := f.dir.join(f.journal, new(presence))
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(slices.Concat(st.Services, st.Other), func(s ServiceState) bool {
		return s.Up || s.Starting || s.Unknown || s.Pending != "" || s.Status.Up()
	}) {
		why = ""
	}
	return why, nil
}
