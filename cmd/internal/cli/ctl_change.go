package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"strata/cmd/internal/ui"
	"strata/live"
	"strata/live/change"
	"strata/live/change/rescue"
	"strata/live/change/tree"
	"strata/update/applier"
)

// applierGrace is how long a full stop, or who takes an update back, waits until it
// has left off.
const applierGrace = 5 * time.Second

// changeJob is one request to the engine, of rc-ctl or s6-rc.
type changeJob struct {
	s         ui.Streams
	live      string
	req       change.Request
	names     []string
	block     bool
	verbosity int
	run       tree.Options
	// observe tells what happens; nil is as rc-ctl does it.
	observe func(change.Event)
}

// do runs the request. The first SIGINT or SIGTERM lets oneshots that run end, the
// second one leaves them to themselves.
func (j changeJob) do() error {
	ctx, abandon, stop := interruptible()
	defer stop()
	j.run.Abandon = abandon
	j.run.Observe = j.observe
	if j.observe == nil {
		j.run.Observe = j.tell
	}
	ran := false
	err := j.ordinary(ctx, &ran)
	if !ran && tree.StopsAll(j.req) && rescue.Helps(err) {
		return j.rescue(ctx, err)
	}
	return err
}

// ordinary runs the request with the help of database and journal. It sets ran
// once that has been done, whatever became of it.
func (j changeJob) ordinary(ctx context.Context, ran *bool) error {
	d, err := openLive(j.s, j.live)
	if err != nil {
		return withCode(liveCode(err), err)
	}
	if tree.StopsAll(j.req) && !j.run.Dry {
		if err := applier.Suspend(d, applierGrace); err != nil {
			return withCode(liveCode(err), err)
		}
	}
	w, err := d.Lock(ctx, j.block)
	if err != nil {
		return withCode(liveCode(err), err)
	}
	err = j.locked(ctx, w, ran)
	return errors.Join(err, w.Close())
}

// supervisor is the tree's, with our own streams for oneshots.
func (j changeJob) supervisor(d *live.Dir) *tree.Supervisor {
	sup := tree.New(d)
	sup.Streams = []*os.File{os.Stdin, os.Stdout, os.Stderr}
	sup.Warn = func(err error) {
		if j.verbosity > 0 {
			j.s.Warnf("%s", ui.Escape(err.Error()))
		}
	}
	return sup
}

func (j changeJob) locked(ctx context.Context, w *live.Writer, ran *bool) error {
	sup := j.supervisor(w.Dir)
	defer sup.Close()
	session, err := tree.Open(ctx, w, sup)
	if err != nil {
		return withCode(liveCode(err), err)
	}
	defer session.Close()
	if j.req.Names, err = tree.Resolve(session.View.DB, j.names); err != nil {
		return withCode(liveCode(err), err)
	}
	_, result, err := session.Run(ctx, j.req, j.run)
	if err != nil {
		return withCode(liveCode(err), err)
	}
	*ran = true
	if result.Journal != nil {
		j.s.Warnf("%s", ui.Escape(result.Journal.Error()))
	}
	return resultError(result)
}

// resultError gives what a run ended with its exit code. Failures have been told.
func resultError(r change.Result) error {
	var limit *change.TimeoutError
	switch {
	case r.OK():
		return nil
	case errors.As(r.Quit, &limit):
		return withCode(exitTimeout, fmt.Errorf("%w%s", limit, left(r)))
	case r.Quit != nil:
		return withCode(exitFailed, fmt.Errorf("%w%s", r.Quit, left(r)))
	}
	return silent(exitFailed)
}

func left(r change.Result) string {
	switch len(r.Left) {
	case 0:
		return ""
	case 1:
		return "; the turn of " + ui.Escape(r.Left[0].Name) + " did not come"
	}
	return fmt.Sprintf("; the turn of %s and %d others did not come", ui.Escape(r.Left[0].Name), len(r.Left)-1)
}

// tell says what happens, as much as the verbosity asks for.
func (j changeJob) tell(e change.Event) {
	name, doing, done := ui.Escape(e.Target.Name), "starting", "is up"
	if e.Op == change.Stop {
		doing, done = "stopping", "is down"
	}
	if j.run.Dry {
		if e.Kind == change.Began {
			j.s.Printf("%s %s (%s)\n", e.Op, name, ui.Escape(e.Because))
		}
		if e.Kind != change.Kept {
			return
		}
	}
	switch e.Kind {
	case change.Began:
		j.say(2, "%s: %s (%s)", name, doing, ui.Escape(e.Because))
	case change.Done:
		j.say(2, "%s %s", name, done)
	case change.Already:
		j.say(3, "%s %s already", name, done)
	case change.Failed:
		j.say(0, "cannot %s %s: %s", e.Op, name, ui.Escape(e.Err.Error()))
	case change.Skipped:
		j.say(1, "cannot %s %s: %s failed", e.Op, name, ui.Escape(e.Because))
	case change.Kept:
		if j.verbosity >= 1 {
			j.s.Warnf("%s is essential: it is not stopped", name)
		}
	case change.Quitting:
		j.say(1, "%s: nothing more is begun", ui.Escape(e.Err.Error()))
	}
}

func (j changeJob) say(level int, format string, args ...any) {
	if j.verbosity >= level {
		j.s.Errorf(format, args...)
	}
}
