package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"strata/cmd/internal/ui"
	"strata/live"
	"strata/live/change/tree"
	"strata/live/explain"
	"strata/live/journal"
	"strata/update"
	"strata/update/applier"
)

// errLeft says that nobody looks on any more.
var errLeft = errors.New("the update goes on: rc-update --attach looks on again, --abort takes it back")

// apply begins an update, has the applier do it, and looks on.
func (o updateOptions) apply(s ui.Streams, j updateJob) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	var p *update.Patch
	var from lookout
	defer func() { from.close() }()
	var t taking
	defer t.close()
	err := j.locked(ctx, func(d *live.Dir) { t.begin(j, d) }, func(w *live.Writer, sup *tree.Supervisor) (err error) {
		early, later := applier.Early{Dir: w.Dir}, context.WithoutCancel(ctx)
		j.differs = func() { early.Start(later) } // what it reads is ready when the patch is
		p, err = j.begin(ctx, w, sup, &t, &from)
		if err != nil || p.Empty() {
			return errors.Join(err, early.Stop(applierGrace))
		}
		return update.Left(w, early.Wait(later))
	})
	switch {
	case err != nil:
		return updateError(err)
	case p.Empty() && o.json:
		return s.JSON(updateReport(p, update.Result{Switched: true, Outcome: journal.Applied}))
	case p.Empty():
		s.Printf("%s\n", patchCounts(p.Counts))
		tellStore(s, p.Store)
		return nil
	}
	return o.attend(ctx, s, p, false, from)
}

// ask has the applier go on with the patch under way, or take it back, and looks on.
func (o updateOptions) ask(s ui.Streams, back bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	if err := o.leaveOff(back); err != nil {
		return updateError(err)
	}
	j := updateJob{s: s, live: o.live, block: o.block, warn: o.warner(s)}
	err := j.locked(ctx, nil, func(w *live.Writer, _ *tree.Supervisor) error {
		if err := update.Ask(w, s.Tool, back); err != nil {
			return err
		}
		return update.Left(w, applier.Start(context.WithoutCancel(ctx), w.Dir))
	})
	if err != nil {
		return updateError(err)
	}
	return o.attend(ctx, s, nil, back, lookout{})
}

// leaveOff makes an applier leave off that is at work on what is to be taken back.
func (o updateOptions) leaveOff(back bool) error {
	if !back {
		return nil
	}
	d, err := live.Open(o.live)
	if err != nil {
		return err
	}
	return applier.Suspend(d, applierGrace)
}

// askHere is ask, in this process.
func (o updateOptions) askHere(s ui.Streams, back bool) error {
	ctx, abandon, stop := interruptible()
	defer stop()
	j := updateJob{s: s, live: o.live, block: o.block, cause: s.Tool, warn: o.warner(s)}
	var r update.Result
	if err := o.leaveOff(back); err != nil {
		return updateError(err)
	}
	err := j.locked(ctx, nil, func(w *live.Writer, sup *tree.Supervisor) (err error) {
		if err := update.Ask(w, s.Tool, back); err != nil {
			return err
		}
		r, err = applier.Resume(ctx, w, sup, j.env(w, sup, abandon))
		return err
	})
	if err = ended(&r, err); err != nil {
		return updateError(err)
	}
	return o.finish(s, nil, r, back)
}

// finish tells how an update ended that this process applied.
func (o updateOptions) finish(s ui.Streams, p *update.Patch, r update.Result, back bool) error {
	reportResult(s, r)
	if o.json {
		if err := s.JSON(updateReport(p, r)); err != nil {
			return err
		}
	} else {
		o.summary(s, p, r.Outcome)
		if p != nil && r.Switched {
			tellStore(s, p.Store)
		}
	}
	if back && r.Outcome == journal.Aborted || r.OK() {
		return nil
	}
	return endCode(r.Switched, r.TimedOut())
}

// summary is the last line of text.
func (o updateOptions) summary(s ui.Streams, p *update.Patch, outcome journal.Outcome) {
	switch {
	case p != nil && (outcome == journal.Applied || outcome == journal.AppliedWithFailures):
		s.Printf("%s\n", patchCounts(p.Counts))
	case outcome != "":
		s.Printf("%s\n", outcome)
	}
}

// phaseVerb is what is done in a phase.
func phaseVerb(p journal.Phase) string {
	switch p {
	case journal.PhaseUp:
		return "start"
	case journal.PhaseDown:
		return "stop"
	}
	return string(p)
}

// lookout is where somebody begins to look on who has begun the update.
type lookout struct {
	head journal.State
	tail *journal.Tail // nil: somebody else has
}

// before is where the update has not been begun yet.
func (l *lookout) before(w *live.Writer) (err error) {
	l.head = w.Head()
	l.tail, err = w.Tail()
	return err
}

func (l *lookout) close() {
	if l.tail != nil {
		_ = l.tail.Close() // it was only read
	}
}

func (l *lookout) attend(ctx context.Context, d *live.Dir, tell func(journal.Record)) (applier.Ending, error) {
	if l.tail == nil {
		return applier.Attend(ctx, d, tell)
	}
	return applier.AttendFrom(ctx, d, l.head, l.tail, tell)
}

// attend looks on until the update has ended. With back it is to be taken back.
func (o updateOptions) attend(ctx context.Context, s ui.Streams, p *update.Patch, back bool, from lookout) error {
	d, err := live.Open(o.live)
	if err != nil {
		return updateError(err)
	}
	if from.tail == nil {
		st, err := d.State()
		if err != nil {
			return updateError(err)
		}
		from.head = journal.State{Table: st.Table, Patch: st.Patch}
	}
	var teller explain.Teller
	failed := []string{}
	move := moveUnderWay(d, from.head.Patch, p)
	teller.Tell(journal.Record{Event: journal.Snapshot{State: journal.State{Table: from.head.Table, Patch: from.head.Patch}}})
	end, err := from.attend(ctx, d, func(r journal.Record) {
		e := teller.Tell(r)
		switch v := r.Event.(type) {
		case journal.Failed:
			failed = append(failed, e.Names...)
			s.Errorf("%s", ui.Escape("cannot "+phaseVerb(v.Phase)+" "+e.Names[0]+": "+v.Reason))
			return
		case journal.Skipped:
			s.Errorf("%s", ui.Escape("did not "+phaseVerb(v.Phase)+" "+e.Names[0]+": "+e.By+" failed"))
			return
		}
		if o.verbosity >= 2 && !o.json {
			s.Errorf("%s", ui.Escape(e.Text()))
		}
	})
	switch {
	case errors.Is(err, context.Canceled):
		return errLeft
	case err != nil:
		return updateError(err)
	case end.Outcome == "":
		return fmt.Errorf("cannot look on: %w", update.ErrNoPatch)
	case o.json:
		report := updateResult{Format: "strata-update/1", Switched: end.Switched(), Outcome: end.Outcome, Failed: failed, Patch: p}
		if err := s.JSON(report); err != nil {
			return err
		}
	default:
		o.summary(s, p, end.Outcome)
	}
	if end.Switched() {
		switch {
		case move != nil && !move.Done():
			s.Errorf("%s", ui.Escape("cannot make "+move.Short(move.To)+" the current generation of "+move.Path+": the log of the supervision tree says why; the same command again tries it again"))
		case !o.json:
			tellStore(s, move)
		}
	}
	if end.Outcome == journal.Applied || back && end.Outcome == journal.Aborted {
		return nil
	}
	return endCode(end.Switched(), end.TimedOut)
}
