package cli

import (
	"context"
	"errors"
	"time"

	"strata/cmd/internal/ui"
	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/journal"
	"strata/update"
)

// updateJob is one update of a live directory.
type updateJob struct {
	s           ui.Streams
	live, newdb string
	conv        update.Conversions
	plan        update.Options
	block       bool
	limit       time.Duration
	cause       string
	planned     func(*update.Patch)
	observe     func(update.Action)
	moved       func(change.Event) // nil is nobody
	warn        func(error)
}

// run takes the lock, a copy of the new database, and applies the patch. The first
// SIGINT or SIGTERM ends it early, before or after the switch but not in it, once
// oneshots that run have ended; the second one leaves them to themselves.
func (j updateJob) run() (p *update.Patch, r update.Result, err error) {
	ctx, abandon, stop := interruptible()
	defer stop()
	d, err := openLive(j.s, j.live)
	if err != nil {
		return nil, r, err
	}
	w, err := d.Lock(ctx, j.block)
	if err != nil {
		return nil, r, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	sup := tree.New(d)
	sup.Warn = j.warn
	defer sup.Close()
	if err := settle(ctx, w, sup); err != nil {
		return nil, r, err
	}
	st, err := w.State()
	if err != nil {
		return nil, r, err
	}
	if err := trustDatabase(j.s, j.newdb); err != nil {
		return nil, r, err
	}
	newdb, err := w.AddDB(j.newdb)
	if err != nil {
		return nil, r, err
	}
	defer func() { err = errors.Join(err, newdb.Close()) }()
	p, err = update.PlanLive(d, st, newdb, j.conv, j.plan)
	if err != nil {
		return nil, r, errors.Join(err, w.Sweep())
	}
	if j.planned != nil {
		j.planned(p)
	}
	r, err = update.Apply(ctx, w, newdb, p, update.Env{
		Engine: func(v live.View, states []live.ServiceState) (change.Env, error) {
			env := sup.Env(w, v, states)
			env.Observe, env.Abandon = j.moved, abandon
			return env, nil
		},
		Cause: j.cause, Limit: j.limit, Observe: j.observe,
	})
	return p, r, err
}

// settle fetches the results of oneshots that an earlier command did not wait for.
func settle(ctx context.Context, w *live.Writer, sup *tree.Supervisor) error {
	session, err := tree.Open(ctx, w, sup)
	if err != nil {
		return err
	}
	return session.Close()
}

// reportResult says what failed.
func reportResult(s ui.Streams, r update.Result) {
	for _, part := range []change.Result{r.Stop, r.Back, r.Start} {
		for _, f := range part.Failed {
			s.Errorf("%s", ui.Escape(f.Error()))
		}
		for _, k := range part.Skipped {
			s.Errorf("%s", ui.Escape("did not "+k.Op.String()+" "+k.Target.Name+": "+k.Because+" failed"))
		}
		for _, t := range part.Left {
			s.Errorf("%s", ui.Escape("did not come to "+t.Name))
		}
		if part.Quit != nil {
			s.Errorf("%s", ui.Escape(part.Quit.Error()))
		}
	}
	for _, err := range r.Trouble {
		s.Errorf("%s", ui.Escape(err.Error()))
	}
	for _, err := range r.Notes {
		s.Warnf("%s", ui.Escape(err.Error()))
	}
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
	code := exitFailed
	if r.TimedOut() {
		code = exitTimeout
	}
	if !r.Switched {
		code += exitNotSwitched
	}
	return silent(code)
}

// updateResult is the answer of rc-update --json: the patch and what became of it.
type updateResult struct {
	Format   string          `json:"format"`
	Switched bool            `json:"switched"`
	Outcome  journal.Outcome `json:"outcome"`
	Failed   []string        `json:"failed"`
	Patch    *update.Patch   `json:"patch"`
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
