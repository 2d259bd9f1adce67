package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/live"
	"strata/live/explain"
	"strata/live/journal"
)

// eventFormat is the version of what rc-ctl log and rc-ctl watch print as JSON.
const eventFormat = "strata-event/1"

func newCtlLog(s ui.Streams, o *ctlOptions) *cobra.Command {
	var last int
	c := &cobra.Command{
		Use:   "log [-n N] [NAME...]",
		Short: "Show what has happened, and because of what",
		Long: `Show what the journal has of services, or of everything: what was asked for, begun,
done, failed, skipped and observed, each with its cause, the oldest first.

The journal keeps at least the last 1000 records.`,
		Example: `  rc-ctl log web
  rc-ctl log -n 20
  rc-ctl log --json | jq 'select(.kind == "failed")'`,
		RunE: func(_ *cobra.Command, args []string) error { return runLog(s, o, last, args) },
	}
	c.Flags().IntVarP(&last, "number", "n", 0, "show the last `N` (0: all that are kept)")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON lines, format "+eventFormat)
	return c
}

func runLog(s ui.Streams, o *ctlOptions, last int, args []string) error {
	if last < 0 {
		return usagef("-n %d is negative", last)
	}
	v, err := look(o.live)
	if err != nil {
		return err
	}
	defer v.close()
	filter, err := v.filter(args)
	if err != nil {
		return err
	}
	records, err := journal.Read(v.dir.JournalPath())
	if err != nil {
		return withCode(exitInvalid, err)
	}
	w := entryWriter{w: bufio.NewWriter(s.Out), json: o.json, now: time.Now()}
	for _, e := range explain.History(records, filter, last) {
		w.write(e)
	}
	return w.flush()
}

// filter are the slots that names stand for; no names are no filter.
func (v *seen) filter(args []string) (map[live.Slot]bool, error) {
	if len(args) == 0 {
		return nil, nil
	}
	ids, err := v.chosen(args)
	if err != nil {
		return nil, err
	}
	sc, err := v.scene() // slots are in no summary
	if err != nil {
		return nil, err
	}
	slots := make(map[live.Slot]bool, len(ids))
	for _, id := range ids {
		slots[sc.Services[id].Slot] = true
	}
	return slots, nil
}

// entryWriter writes entries as lines for people, or as JSON lines.
type entryWriter struct {
	w    *bufio.Writer
	json bool
	now  time.Time
}

func (w *entryWriter) write(e explain.Entry) {
	if !w.json {
		_, _ = fmt.Fprintf(w.w, "%s  %s\n", explain.Moment(e.At, w.now), ui.Escape(e.Text()))
		return
	}
	w.line(newEvent(e))
}

// line writes one JSON line. What goes wrong with the writing shows at the flush.
func (w *entryWriter) line(v any) {
	_ = encodeLine(w.w, v)
}

func (w *entryWriter) flush() error {
	if err := w.w.Flush(); err != nil {
		return fmt.Errorf("cannot write to standard output: %w", err)
	}
	return nil
}

// encodeLine writes v as one line of JSON.
func encodeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// eventJSON is a record as JSON. The fields that a kind does not have are left out.
type eventJSON struct {
	Format    string       `json:"format"`
	Seq       uint64       `json:"seq,omitempty"`
	At        time.Time    `json:"at"`
	Kind      journal.Kind `json:"kind"`
	Services  []text       `json:"services,omitempty"`
	By        text         `json:"by,omitempty"`
	Cause     text         `json:"cause,omitempty"`
	Op        string       `json:"op,omitempty"`
	PID       int          `json:"pid,omitempty"`
	Phase     string       `json:"phase,omitempty"`
	Up        *bool        `json:"up,omitempty"`
	Reason    text         `json:"reason,omitempty"`
	Unknown   bool         `json:"unknown,omitempty"`
	Permanent bool         `json:"permanent,omitempty"`
	Outcome   text         `json:"outcome,omitempty"`
	Action    int          `json:"action,omitempty"`
	Database  string       `json:"database,omitempty"`
	Text      text         `json:"text"`
}

func newEvent(e explain.Entry) eventJSON {
	out := eventJSON{
		Format: eventFormat, Seq: e.Seq, At: e.At, Kind: e.Kind, By: text(e.By), Cause: text(e.Cause), Text: text(e.Text()),
	}
	for _, name := range e.Names {
		out.Services = append(out.Services, text(name))
	}
	switch v := e.Event.(type) {
	case journal.Want:
		out.Up = &v.Up
	case journal.Run:
		out.Op, out.PID = v.Op, v.PID
	case journal.RunEnd:
		out.Outcome = text(v.Outcome)
	case journal.Begin:
		out.Phase = string(v.Phase)
	case journal.Failed:
		out.Phase, out.Reason, out.Unknown, out.Permanent = string(v.Phase), text(v.Reason), v.Unknown, v.Permanent
	case journal.Skipped:
		out.Phase = string(v.Phase)
	case journal.Observed:
		out.Up, out.Reason = &v.Up, text(v.What)
	case journal.Switch:
		out.Database = v.Content.String()
	case journal.PatchBegin:
		out.Database = v.New.String()
	case journal.PatchStep:
		out.Action, out.Reason = v.Action, text(v.Failed)
	case journal.PatchEnd:
		out.Outcome = text(v.Outcome)
	}
	return out
}
