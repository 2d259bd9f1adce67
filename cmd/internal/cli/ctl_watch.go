package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"strata/cmd/internal/ui"
	"strata/live/explain"
	"strata/live/watch"
)

func newCtlWatch(s ui.Streams, o *ctlOptions) *cobra.Command {
	var h watch.History
	var since uint64
	c := &cobra.Command{
		Use:   "watch [-n N | --since SEQ] [NAME...]",
		Short: "Show what happens, as it happens",
		Long: `Show what happens to services, or to everything, a line for each event with its
cause, until interrupted: what the journal says, and what supervisors see that no
command asked for, such as a crash and the start after it.

Each record of the journal has a number; they go on whatever is dropped of the past.`,
		Example: `  rc-ctl watch
  rc-ctl watch -n 20 web
  rc-ctl watch --json --since 1234 | jq 'select(.kind == "failed")'`,
	}
	f := c.Flags()
	f.IntVarP(&h.Last, "number", "n", 0, "begin with the last `N` records")
	f.Uint64Var(&since, "since", 0, "begin with what followed the record number `SEQ`")
	f.BoolVar(&o.json, "json", false, "print JSON lines, format "+eventFormat)
	c.RunE = func(c *cobra.Command, args []string) error {
		if c.Flags().Changed("since") {
			h.Since = &since
		}
		if h.Last < 0 || h.Last > 0 && h.Since != nil {
			return usagef("give either -n, not below 0, or --since")
		}
		return runWatch(s, o, h, args)
	}
	return c
}

func runWatch(s ui.Streams, o *ctlOptions, h watch.History, args []string) error {
	v, err := look(o.live)
	if err != nil {
		return err
	}
	slots, err := v.filter(args)
	v.close()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	w := entryWriter{w: bufio.NewWriter(s.Out), json: o.json}
	emit := func(e watch.Event) error {
		w.now = time.Now()
		if e.Process != nil {
			w.process(*e.Process)
		} else {
			w.write(*e.Entry)
		}
		return nil
	}
	deaf := func(n int) {
		s.Warnf("of %d longruns only what commands do is shown: their supervisors cannot be listened to", n)
	}
	err = watch.Follow(ctx, v.dir, slots, h, emit, w.flush, deaf)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return withCode(liveCode(err), err)
}

// processJSON is what a supervisor saw, as JSON.
type processJSON struct {
	Format   string    `json:"format"`
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`
	Services []text    `json:"services"`
	Process  string    `json:"process"`
	PID      int       `json:"pid,omitempty"`
	Ended    string    `json:"ended,omitempty"`
	Text     text      `json:"text"`
}

func (w *entryWriter) process(p watch.Process) {
	if !w.json {
		_, _ = fmt.Fprintf(w.w, "%s  %s\n", explain.Moment(p.At, w.now), ui.Escape(p.Text()))
		return
	}
	w.line(processJSON{
		Format: eventFormat, At: p.At, Kind: "process", Services: []text{text(p.Name)},
		Process: p.What, PID: p.PID, Ended: p.Ended, Text: text(p.Text()),
	})
}
