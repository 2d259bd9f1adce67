package applier

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/s6"
	"strata/update"
)

// MaxTries is how often the applier begins with a patch before it waits for somebody
// to ask again.
const MaxTries = 2

// Main is the program of the applier's longrun: it waits for the lock of the live
// directory at path, and applies or takes back the patch that is under way, if there
// is one. The end of ctx makes it leave off at the next safe point. It tells what
// goes wrong with services, which is no error of its own.
func Main(ctx context.Context, path string, tell func(error)) error {
	d, err := live.Open(path)
	if err != nil {
		return err
	}
	w, err := d.Lock(ctx, true)
	switch {
	case errors.Is(context.Cause(ctx), update.ErrSuspended) && err != nil:
		return nil // who wanted it has changed his mind
	case err != nil:
		return err
	}
	sup := tree.New(d)
	sup.Warn = tell
	defer sup.Close()
	if patch := w.Head().Patch; patch == nil {
		return leave(w, sup, update.Tidy(w)) // the one before may have been killed at its end
	} else if patch.Tries >= MaxTries {
		tell(fmt.Errorf("cannot update: tried %d times: rc-update --resume tries again, --abort takes the update back", patch.Tries))
		return leave(w, sup, nil)
	}
	result, err := Resume(ctx, w, sup, update.Env{Cause: w.Head().Patch.Cause})
	Tell(result, tell)
	if errors.Is(err, update.ErrSuspended) {
		tell(err)
		err = nil
	}
	return leave(w, sup, err)
}

// leave gives the lock back. Unless something went wrong the supervisor is told before
// that not to start this program again: whoever gets the lock next may want to have it
// started. It has heard that then: else this process might end before, and nobody be told
// that it is not started again.
func leave(w *live.Writer, sup *tree.Supervisor, err error) error {
	if err == nil {
		_ = s6.MarkDown(w.Servicedir(live.ApplierSlot)) // for the next supervisor; who has no room for that does without
		err = sup.Release(change.Target{Slot: live.ApplierSlot})
	}
	return errors.Join(err, w.Close())
}

// Resume is [update.Resume] with a supervision tree: it fetches first the results of
// oneshots that nobody waited for. The engine of env is made here; sup is whose.
func Resume(ctx context.Context, w *live.Writer, sup *tree.Supervisor, env update.Env) (update.Result, error) {
	ahead := update.ReadAhead(w)
	defer ahead.Close()
	session, err := tree.Open(ctx, w, sup)
	if err != nil {
		return update.Result{}, update.Left(w, err)
	}
	defer session.Close()
	if env.Engine == nil {
		env.Engine = func(v live.View, states []live.ServiceState) (change.Env, error) {
			return sup.Env(w, v, states), nil
		}
	}
	return ahead.Resume(ctx, update.Base{State: session.State(), View: session.View}, env)
}

// Tell tells what went wrong in an update, one error each.
func Tell(r update.Result, tell func(error)) {
	for _, part := range []change.Result{r.Stop, r.Back, r.Start} {
		for _, f := range part.Failed {
			tell(f)
		}
		for _, k := range part.Skipped {
			tell(fmt.Errorf("did not %s %s: %s failed", k.Op, k.Target.Name, k.Because))
		}
		for _, t := range part.Left {
			tell(fmt.Errorf("did not come to %s", t.Name))
		}
		if part.Quit != nil {
			tell(part.Quit)
		}
		if part.Journal != nil {
			tell(part.Journal)
		}
	}
	for _, err := range r.Trouble {
		tell(err)
	}
	for _, err := range r.Notes {
		tell(err)
	}
}

// Start has the applier started. Whoever holds the lock gives it back afterwards.
func Start(ctx context.Context, d *live.Dir) error {
	sup := tree.New(d)
	defer sup.Close()
	return sup.Internal(ctx, live.Applier)
}

// Early starts the applier before the patch is written down, for who has the lock: it
// gets ready until it gets that. The zero value, but for the directory, has not started it.
type Early struct {
	Dir  *live.Dir
	done chan struct{} // closed when err is known
	err  error
}

// Start begins to start it.
func (e *Early) Start(ctx context.Context) {
	e.done = make(chan struct{})
	go func() {
		defer close(e.done)
		e.err = Start(ctx, e.Dir)
	}()
	runtime.Gosched() // who calls this is about to keep all processors busy
}

// Wait waits until it was started. If that was not begun, or failed, it is started now.
func (e *Early) Wait(ctx context.Context) error {
	if e.done != nil {
		if <-e.done; e.err == nil {
			return nil
		}
	}
	return Start(ctx, e.Dir)
}

// Stop makes it leave off, if it was started, and be as it was: there is nothing to
// apply.
func (e *Early) Stop(grace time.Duration) error {
	if e.done == nil {
		return nil
	}
	<-e.done // of what is to be stopped it does not matter how it was started
	err := Suspend(e.Dir, grace)
	_ = s6.MarkDown(e.Dir.Servicedir(live.ApplierSlot)) // the next command does it, too
	return err
}

// Suspend makes an applier that runs leave off: at its next safe point if that comes
// within the grace, else at once. A patch is half applied then. Whoever cannot ask the
// supervisor has nothing to wait for.
func Suspend(d *live.Dir, grace time.Duration) error {
	dir := d.Servicedir(live.ApplierSlot)
	st, err := s6.ReadStatus(dir)
	if err != nil || st.DownReady() && !st.WantUp {
		return nil // nothing runs there
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	_, err = s6.WaitFor(ctx, dir, s6.GoalDownReady(), s6.CmdDown)
	if ctx.Err() != nil {
		_, err = s6.WaitFor(context.Background(), dir, s6.GoalDownReady(), s6.CmdDown, s6.CmdKill)
	}
	if errors.Is(err, s6.ErrNotSupervised) || errors.Is(err, s6.ErrSuperviseGone) {
		return nil
	}
	return err
}
