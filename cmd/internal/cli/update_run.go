package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/journal"
	"strata/update"
	"strata/update/applier"
)

// updateJob is one update of a live directory.
type updateJob struct {
	s           ui.Streams
	live, newdb string
	patch       *update.Patch // nil: plan one
	conv        update.Conversions
	plan        update.Options
	store       storeFlags
	block       bool
	limit       time.Duration
	cause       string
	planned     func(*update.Patch)
	observe     func(update.Action)
	moved       func(change.Event) // nil is nobody
	warn        func(error)
	differs     func() // is told once the new database is another one; nil is nobody
}

// run takes the lock, a copy of the new database, and applies the patch itself. The
// first SIGINT or SIGTERM ends it early, before or after the switch but not in it,
// once oneshots that run have ended; the second one leaves them to themselves.
func (j updateJob) run() (p *update.Patch, r update.Result, err error) {
	ctx, abandon, stop := interruptible()
	defer stop()
	var t taking
	defer t.close()
	err = j.locked(ctx, func(d *live.Dir) { t.begin(j, d) }, func(w *live.Writer, sup *tree.Supervisor) error {
		p, err = j.with(ctx, w, sup, &t, func(base update.Base, draft *db.Draft, p *update.Patch) error {
			env := j.env(w, sup, abandon)
			env.Check = draft.Keep
			r, err = update.Apply(ctx, w, base, draft.DB, p, env)
			return err
		})
		return err
	})
	return p, r, ended(&r, err)
}

// ended drops an error that came after the update had ended, of giving the live
// directory back: how the update ended matters more, and the error is told with that.
func ended(r *update.Result, err error) error {
	var late *closeError
	if r.Outcome == "" || !errors.As(err, &late) {
		return err
	}
	r.Notes = append(r.Notes, late.err)
	return nil
}

// closeError says that only giving the live directory back went wrong.
type closeError struct{ err error }

func (e *closeError) Error() string { return e.err.Error() }
func (e *closeError) Unwrap() error { return e.err }

// locked does something under the lock of the live directory. held is what needs the lock
// and not the journal, which is read after it; nil is nothing.
func (j updateJob) locked(ctx context.Context, held func(*live.Dir), do func(*live.Writer, *tree.Supervisor) error) error {
	d, err := openLive(j.s, j.live)
	if err != nil {
		return err
	}
	hurryIn(d)
	w, err := d.LockAnd(ctx, j.block, func() {
		if held != nil {
			held(d)
		}
	})
	if err != nil {
		return err
	}
	sup := tree.New(d)
	sup.Warn = j.warn
	defer sup.Close()
	err = do(w, sup)
	closed := w.Close()
	if err == nil && closed != nil {
		return &closeError{closed}
	}
	return errors.Join(err, closed)
}

func (j updateJob) env(w *live.Writer, sup *tree.Supervisor, abandon <-chan struct{}) update.Env {
	return update.Env{
		Engine: func(v live.View, states []live.ServiceState) (change.Env, error) {
			env := sup.Env(w, v, states)
			env.Observe, env.Abandon = j.moved, abandon
			return env, nil
		},
		Cause: j.cause, Limit: j.limit, Observe: j.observe,
	}
}

// begin plans, and writes down that the patch is going to be applied. from is where to
// look on then.
func (j updateJob) begin(ctx context.Context, w *live.Writer, sup *tree.Supervisor, t *taking, from *lookout) (*update.Patch, error) {
	return j.with(ctx, w, sup, t, func(base update.Base, draft *db.Draft, p *update.Patch) error {
		if err := from.before(w); err != nil {
			return err
		}
		return update.Begin(w, base, draft.DB, p, update.Env{Cause: j.cause, Limit: j.limit, Check: draft.Keep})
	})
}

// with plans, unless there is a patch already, and does something with the patch.
func (j updateJob) with(ctx context.Context, w *live.Writer, sup *tree.Supervisor, t *taking, do func(update.Base, *db.Draft, *update.Patch) error) (*update.Patch, error) {
	defer t.close()
	if w.Head().Patch != nil {
		return nil, fmt.Errorf("cannot update: %w", live.ErrHalfApplied)
	}
	draft, move, err := t.wait()
	if err != nil {
		return nil, err
	}
	if j.differs != nil && !draft.IsKept() {
		j.differs()
	}
	session, err := tree.Open(ctx, w, sup)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	base := update.Base{State: session.State(), View: session.View}
	p := j.patch
	if p == nil {
		p, err = update.PlanLive(w.Dir, base, draft.DB, j.conv, j.plan)
		if err == nil {
			err = move.into(p)
		}
	}
	if err != nil {
		// What is wrong with the database matters more than what a plan makes of that.
		if damage := draft.Keep(); damage != nil {
			return nil, damage
		}
		return nil, errors.Join(err, w.Sweep())
	}
	if p.Store != nil {
		if _, err := openStore(j.s, p.Store.Path); err != nil {
			return nil, errors.Join(err, w.Sweep())
		}
	}
	if !p.Empty() {
		if err := tree.CheckRoom(); err != nil {
			return nil, errors.Join(err, w.Sweep())
		}
	}
	if j.planned != nil {
		j.planned(p)
	}
	err = do(base, draft, p)
	if errors.Is(err, update.ErrFit) {
		err = errors.Join(err, w.Sweep())
	}
	return p, err
}

// reportResult says what failed.
func reportResult(s ui.Streams, r update.Result) {
	applier.Tell(r, func(err error) { s.Errorf("%s", ui.ErrorText(err)) })
	switch {
	case r.Switched:
	case r.Outcome == journal.Aborted:
		s.Errorf("nothing was switched, and what had been stopped is up again")
	default:
		s.Errorf("nothing was switched, and not all that was stopped is up again")
	}
}

// resultCode is the exit code of an update that was tried.
func resultCode(r update.Result) error {
	if r.OK() {
		return nil
	}
	return endCode(r.Switched, r.TimedOut())
}

// endCode is the exit code of an update that did not end well.
func endCode(switched, timedOut bool) error {
	code := exitFailed
	if timedOut {
		code = exitTimeout
	}
	if !switched {
		code += exitNotSwitched
	}
	return silent(code)
}

// updateResult is the answer of rc-update --json: the patch, if it is known, and what
// became of it.
type updateResult struct {
	Format   string          `json:"format"`
	Switched bool            `json:"switched"`
	Outcome  journal.Outcome `json:"outcome"`
	Failed   []string        `json:"failed"`
	Patch    *update.Patch   `json:"patch,omitempty"`
}

func updateReport(p *update.Patch, r update.Result) updateResult {
	out := updateResult{Format: "strata-update/1", Switched: r.Switched, Outcome: r.Outcome, Failed: []string{}, Patch: p}
	for _, part := range []change.Result{r.Stop, r.Start} {
		for _, f := range part.Failed {
			out.Failed = append(out.Failed, f.Target.Name)
		}
	}
	return out
}
