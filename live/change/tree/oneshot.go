package tree

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/journal"
	"strata/live/runner"
)

// jobID is the id of a oneshot's job. An old result with the same one is dropped
// before the journal says that the job begins, so it is never taken for the new
// one.
func jobID(slot live.Slot, phase journal.Phase) string { return fmt.Sprintf("%d.%s", slot, phase) }

// Run implements [change.Supervisor].
func (s *Supervisor) Run(ctx context.Context, t change.Target, phase journal.Phase, limit time.Duration, begin func() error) error {
	c, err := s.connect(ctx)
	if err != nil {
		return notBegun(ctx, err)
	}
	defer func() { s.runners.put(c, err == nil) }()
	id := jobID(t.Slot, phase)
	if err = s.runners.fresh(ctx, c, id); err != nil {
		return notBegun(ctx, err)
	}
	if err = begin(); err != nil {
		return err
	}
	req := runner.Request{
		ID: id, Token: rand.Text(), Content: t.Content, Service: t.Name, Slot: uint32(t.Slot), Phase: phase,
		LimitMS: limit.Milliseconds(),
	}
	result, err := c.Run(ctx, req, s.Streams)
	if errors.Is(err, runner.ErrConnection) {
		// If only the connection was lost, the runner knows the job.
		if again, fetchErr := s.fetch(ctx, id, req.Token); fetchErr == nil {
			return outcome(ctx, again, nil)
		}
	}
	return outcome(ctx, result, err)
}

// notBegun is why a job was not asked for: the end of ctx leaves nothing running.
func notBegun(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return change.ErrInterrupted
	}
	return err
}

// outcome says how a job ended in the engine's words.
func outcome(ctx context.Context, r runner.Result, err error) error {
	var refused *runner.RefusedError
	switch {
	case err == nil && r.OK():
		return nil
	case err == nil && r.TimedOut:
		return change.ErrTimedOut
	case err == nil:
		return errors.New(r.String())
	case errors.As(err, &refused):
		return err
	case ctx.Err() != nil:
		return change.ErrAbandoned
	}
	return fmt.Errorf("%w: %w", change.ErrLost, err)
}

// recover finds out how the jobs ended that an earlier writer had begun, and
// writes it to the journal. It waits for those that still run.
func (s *Supervisor) recover(ctx context.Context, w *live.Writer, states []live.ServiceState, definition func(db.ServiceID) db.Digest) (found bool, err error) {
	noted := true
	for i, st := range states {
		if st.Type != db.Oneshot || st.Pending != journal.PhaseUp && st.Pending != journal.PhaseDown {
			continue // the end of a reload changes nothing
		}
		result, err := s.fetch(ctx, jobID(st.Slot, st.Pending), "")
		if ctx.Err() != nil {
			return found, context.Cause(ctx)
		}
		var event journal.Event
		switch {
		case err != nil && !st.Unknown && s.neverAsked(st, w, err):
			event = journal.Observed{Slot: st.Slot, Up: st.Up, What: "its program was not run"}
		case err != nil:
			event = journal.Failed{Slot: st.Slot, Phase: st.Pending, Reason: change.ErrLost.Error(), Unknown: true}
		case !result.OK():
			event = journal.Failed{Slot: st.Slot, Phase: st.Pending, Reason: result.String()}
		case st.Pending == journal.PhaseUp:
			event = journal.Up{Slot: st.Slot, Def: definition(db.ServiceID(i))}
		default:
			event = journal.Down{Slot: st.Slot}
		}
		found = true
		if err := w.Append("begun by an earlier command", event); err != nil {
			noted = false
			s.warn(err)
		}
	}
	if noted {
		s.runners.noted()
	}
	return found, nil
}

// neverAsked says of a job whose result cannot be had that the runner was not asked to
// run it: whoever was going to was killed before. The runner has the results of all
// jobs until a later writer has them in the journal, so if it is the one that was there
// when the job was begun it would know it.
func (s *Supervisor) neverAsked(st live.ServiceState, w *live.Writer, err error) bool {
	return errors.Is(err, runner.ErrUnknownJob) && s.dir.RanAt(live.RunnerSlot, w.Known(st.Slot).Begun)
}

// fetch waits for the result of a job, with a token of that one alone. A runner
// that is not there has none.
func (s *Supervisor) fetch(ctx context.Context, id, token string) (runner.Result, error) {
	c, err := runner.Dial(ctx, s.dir.RunnerSocket())
	if err != nil {
		return runner.Result{}, err
	}
	defer c.Close()
	return c.Wait(ctx, id, token)
}
