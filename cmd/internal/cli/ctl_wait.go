package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"strata/cmd/internal/ui"
	"strata/live/change"
	"strata/live/explain"
	"strata/live/watch"
)

// waitFormat is the version of what rc-ctl wait prints as JSON.
const waitFormat = "strata-wait/1"

// waitOptions are those of rc-ctl wait.
type waitOptions struct {
	up, down, restart bool
	request           watch.Request
	timeout           timeoutFlag
}

func newCtlWait(s ui.Streams, o *ctlOptions) *cobra.Command {
	var w waitOptions
	c := &cobra.Command{
		Use:   "wait [-u | -d | -r] [-t TIME] [--any] NAME...",
		Short: "Wait until services are up, or down",
		Long: `Wait until services are up, or down. Nothing is started or stopped.

A longrun is up when it runs, and is ready if it says so; a oneshot is up when its
program has succeeded. The end is exit code 0; 2 if the time is over; 1 if it cannot
come to that any more, because a service failed, or gave up for good, and no command is
at work on it.`,
		Example: `  rc-ctl wait database && load-fixtures
  rc-ctl wait -t 30s --any primary standby
  rc-ctl wait -d web             # until it is down`,
		Args: usageArgs(namesDue),
		RunE: func(_ *cobra.Command, args []string) error { return runWait(s, o, w, args) },
	}
	f := c.Flags()
	f.BoolVarP(&w.up, "up", "u", false, "until they are up (this is the default)")
	f.BoolVarP(&w.down, "down", "d", false, "until they are down")
	f.BoolVarP(&w.restart, "restarted", "r", false, "until they were started anew, and are up")
	f.BoolVar(&w.request.Any, "any", false, "until one of them is, rather than all")
	f.VarP(&w.timeout, "timeout", "t", timeoutHelp)
	f.BoolVar(&o.json, "json", false, "print one JSON document, format "+waitFormat)
	return c
}

// goal is what the flags ask for.
func (w waitOptions) goal() (watch.Goal, error) {
	switch {
	case w.up && (w.down || w.restart), w.down && w.restart:
		return 0, usagef("only one of -u, -d and -r can be given")
	case w.down:
		return watch.Down, nil
	case w.restart:
		return watch.Restarted, nil
	}
	return watch.Up, nil
}

func runWait(s ui.Streams, o *ctlOptions, w waitOptions, args []string) (err error) {
	r := w.request
	if r.Goal, err = w.goal(); err != nil {
		return err
	}
	v, ids, sc, err := o.lookAt(args)
	if err != nil {
		return err
	}
	defer v.close()
	for _, id := range ids {
		r.Slots = append(r.Slots, sc.Services[id].Slot)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	if w.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(w.timeout))
		defer cancel()
	}
	outcome, err := watch.Wait(ctx, v.dir, r)
	waited := waitedFor{s: s, ids: ids, sc: sc, request: r, outcome: outcome, limit: time.Duration(w.timeout)}
	if o.json {
		if err := s.JSON(waited.json()); err != nil {
			return err
		}
	}
	return waited.end(o.live, err)
}

// waitedFor is a wait that has ended.
type waitedFor struct {
	s       ui.Streams
	ids     []change.ID
	sc      *explain.Scene
	request watch.Request
	outcome watch.Outcome
	limit   time.Duration
}

// end says what is missing and gives the wait its exit code. path is where to
// look for the reasons.
func (w waitedFor) end(path string, err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		w.s.Errorf("timed out after %v, and not %s:", w.limit, w.request.Goal)
		w.tellMissing(path)
		return silent(exitTimeout)
	case errors.Is(err, context.Canceled):
		return withCode(exitFailed, change.ErrInterrupted)
	case err != nil:
		return withCode(liveCode(err), err)
	case w.request.Done(w.outcome):
		return nil
	}
	for _, id := range w.ids {
		if why := w.outcome.Hopeless[w.sc.Services[id].Slot]; why != "" {
			w.s.Errorf("%s will not be %s: %s", ui.Escape(w.sc.Services[id].Name), w.request.Goal, ui.Escape(why))
		}
	}
	return silent(exitFailed)
}

// tellMissing says of what is missing why it is.
func (w waitedFor) tellMissing(path string) {
	v, err := look(path)
	if err != nil {
		w.s.Errorf("%s", ui.ErrorText(err))
		return
	}
	defer v.close()
	now, err := v.scene()
	if err != nil {
		w.s.Errorf("%s", ui.ErrorText(err))
		return
	}
	for id, st := range now.Services {
		if slices.Contains(w.outcome.Left, st.Slot) {
			for _, line := range now.Sentences(now.Why(change.ID(id))) {
				w.s.Errorf("%s", ui.Escape(line))
			}
		}
	}
}

// waitJSON is the document.
type waitJSON struct {
	Format   string             `json:"format"`
	Goal     string             `json:"goal"`
	Done     bool               `json:"done"`
	Services []waitedForService `json:"services"`
}

type waitedForService struct {
	Name     text `json:"name"`
	Reached  bool `json:"reached"`
	Hopeless text `json:"hopeless,omitempty"`
}

func (w waitedFor) json() waitJSON {
	out := waitJSON{Format: waitFormat, Goal: w.request.Goal.String(), Done: w.request.Done(w.outcome), Services: []waitedForService{}}
	for _, id := range w.ids {
		st := w.sc.Services[id]
		out.Services = append(out.Services, waitedForService{
			Name: text(st.Name), Reached: slices.Contains(w.outcome.Reached, st.Slot), Hopeless: text(w.outcome.Hopeless[st.Slot]),
		})
	}
	return out
}
