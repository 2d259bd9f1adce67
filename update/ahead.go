package update

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
)

// Ahead reads the patch that is under way while its caller finds out about the services.
type Ahead struct {
	w     *live.Writer
	under *journal.Patch
	done  chan struct{} // closed when the rest is there
	patch *Patch
	other live.View // the database that does not count, or not yet
	err   error
}

// ReadAhead begins to read the patch that is under way. The caller closes it.
func ReadAhead(w *live.Writer) *Ahead {
	a := &Ahead{w: w, under: w.Head().Patch, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		a.err = a.read()
	}()
	return a
}

func (a *Ahead) read() error {
	under := a.under
	if under == nil {
		return ErrNoPatch
	}
	var patch, other error
	var beside sync.WaitGroup
	beside.Go(func() { a.patch, patch = keptPatch(a.w, under.Patch) })
	beside.Go(func() {
		if under.Switched {
			a.other, other = a.w.View(under.Old, under.OldTable)
		} else {
			a.other, other = a.w.View(under.New, under.Table)
		}
	})
	beside.Wait()
	return cmp.Or(patch, other)
}

func keptPatch(w *live.Writer, digest db.Digest) (*Patch, error) {
	text, err := w.KeptPatch(digest)
	if err != nil {
		return nil, err
	}
	return ParsePatch(text)
}

// Close waits until all is read and closes it.
func (a *Ahead) Close() {
	<-a.done
	if a.other.DB != nil {
		_ = a.other.DB.Close() // only a map is given back
	}
}

// Resume is [Resume] of what was read, with base read under the lock meanwhile.
func (a *Ahead) Resume(ctx context.Context, base Base, env Env) (Result, error) {
	<-a.done
	if a.err != nil {
		return Result{}, Left(a.w, a.err)
	}
	under := a.under
	if now := base.State.Patch; now == nil || now.Patch != under.Patch || now.Switched != under.Switched {
		return Result{}, Left(a.w, errors.New("cannot resume update: it is not the one that was read"))
	}
	b := &applier{
		w: a.w, env: env, patch: a.patch, byOp: map[Op][]Action{}, noted: map[int]bool{}, aborts: under.Aborts,
		old: base.View, new: a.other, states: base.State.Services,
		digest: under.Patch, first: under.Tries == 0 && !under.Again,
	}
	if b.result.Switched = under.Switched; under.Switched {
		b.old, b.new, b.states = a.other, base.View, base.State.Other
	}
	for _, seq := range under.Done {
		b.noted[seq] = true
	}
	b.limit(under.Limit)
	b.sort()
	b.try()
	result, err := b.resume(ctx, under.Aborting)
	return result, Left(a.w, err)
}
