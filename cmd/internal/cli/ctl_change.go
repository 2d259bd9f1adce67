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
	// choose gives the services that are meant; nil is what the names stand for.
	choose func(*tree.Session) ([]change.ID, error)
	tell   teller
	// own is where the standard output of oneshots goes, if it is not ours.
	own *os.File
}

// teller says what becomes of a request, as much as the verbosity asks for.
type teller interface {
	// planned is told, before anything is done, what is going to be.
	planned(*tree.Session, change.Plan)
	// observe is told what happens, by one goroutine at a time.
	observe(change.Event)
	// ended is told what came of it, the error if it was a mistake of the engine or
	// there is no plan. Nothing comes after that.
	ended(change.Result, error)
}

// do runs the request. The first SIGINT or SIGTERM lets oneshots that run end, the
// second one leaves them to themselves.
func (j changeJob) do() error {
	ctx, abandon, stop := interruptible()
	defer stop()
	j.run.Abandon = abandon
	j.run.Observe = j.tell.observe
	ran := false
	err := j.ordinary(ctx, &ran)
	if !ran && tree.StopsAll(j.req) && rescue.Helps(err) {
		return j.rescue(ctx, err)
	}
	return hinted(err)
}

// ordinary runs the request with the help of database and journal. It sets ran
// once that has been done, whatever became of it.
func (j changeJob) ordinary(ctx context.Context, ran *bool) error {
	d, err := openLive(j.s, j.live)
	if err != nil {
		return withCode(liveCode(err), err)
	}
	hurryIn(d)
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
	if j.own != nil {
		sup.Streams[1] = j.own
	}
	sup.Warn = func(err error) {
		if j.verbosity > 0 {
			j.s.Warnf("%s", ui.ErrorText(err))
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
	if j.req.Names, err = j.chosen(session); err != nil {
		return withCode(liveCode(err), err)
	}
	j.run.Named = tree.Named(session.View.DB, j.names)
	j.run.Planned = func(p change.Plan) { j.tell.planned(session, p) }
	_, result, err := session.Run(ctx, j.req, j.run)
	j.tell.ended(result, err)
	if err != nil {
		return withCode(liveCode(err), err)
	}
	*ran = true
	if result.Journal != nil {
		j.s.Warnf("%s", ui.ErrorText(result.Journal))
	}
	return resultError(result)
}

// chosen are the services that the request is about.
func (j changeJob) chosen(session *tree.Session) ([]change.ID, error) {
	if j.choose != nil {
		return j.choose(session)
	}
	return tree.Resolve(session.View.DB, j.names)
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
