package cli

import (
	"errors"
	"time"

	"strata/cmd/internal/ui"
	"strata/live/change"
	"strata/live/change/tree"
)

// progressFormat is the version of the JSON lines of commands that change something.
const progressFormat = "strata-progress/1"

// jsonTell prints each event as a JSON line, and a summary at the end.
type jsonTell struct {
	s     ui.Streams
	op    change.Op
	dry   bool
	began time.Time
}

// progressJSON is one line. The fields that a kind does not have are left out.
type progressJSON struct {
	Format  string       `json:"format"`
	Kind    string       `json:"kind"`
	At      *time.Time   `json:"at,omitempty"`
	Op      string       `json:"op,omitempty"`
	Service text         `json:"service,omitempty"`
	Because text         `json:"because,omitempty"`
	TookMS  *int64       `json:"took_ms,omitempty"`
	Error   text         `json:"error,omitempty"`
	Timeout *timeoutJSON `json:"timeout,omitempty"`
	Held    []text       `json:"held,omitempty"`
	Steps   *int         `json:"steps,omitempty"` // how many there are to be
	DryRun  bool         `json:"dry_run,omitempty"`
	Summary *summaryJSON `json:"summary,omitempty"`
}

// timeoutJSON is the limit that was reached.
type timeoutJSON struct {
	LimitMS int64 `json:"limit_ms"`
	// Where is the place that set it, SOURCE:PATH:LINE.
	Where text `json:"where,omitempty"`
	// Whole is set if it was the limit of the whole command.
	Whole bool `json:"whole,omitempty"`
}

// summaryJSON is what the last line has.
type summaryJSON struct {
	ExitCode     int          `json:"exit_code"`
	Done         int          `json:"done"`
	Failed       []text       `json:"failed"`
	Skipped      []text       `json:"skipped"`
	Left         []text       `json:"left"`
	Slowest      []timingJSON `json:"slowest"`
	CriticalPath []timingJSON `json:"critical_path"`
}

type timingJSON struct {
	Service text   `json:"service"`
	Op      string `json:"op"`
	TookMS  int64  `json:"took_ms"`
}

// eventKinds are the names of kinds.
var eventKinds = map[change.EventKind]string{
	change.Began: "began", change.Already: "already", change.Done: "done", change.Failed: "failed",
	change.Skipped: "skipped", change.Kept: "kept", change.Quitting: "quitting",
}

func (t *jsonTell) line(v progressJSON) {
	v.Format = progressFormat
	_ = encodeLine(t.s.Out, v) // a reader that is gone is no reason to stop anything
}

func (t *jsonTell) planned(_ *tree.Session, p change.Plan) {
	t.began = time.Now()
	steps := p.Moves()
	t.line(progressJSON{Kind: "planned", At: &t.began, Op: t.op.String(), Steps: &steps, DryRun: t.dry})
}

func (t *jsonTell) observe(e change.Event) {
	out := progressJSON{
		Kind: eventKinds[e.Kind], At: &e.At, Op: e.Op.String(), Service: text(e.Target.Name), Because: text(e.Because),
	}
	if e.Kind == change.Done || e.Kind == change.Failed {
		took := e.Took.Milliseconds()
		out.TookMS = &took
	}
	if e.Err != nil {
		out.Error = text(e.Err.Error())
		var limit *change.TimeoutError
		if errors.As(e.Err, &limit) {
			out.Timeout = &timeoutJSON{limit.Limit.Milliseconds(), text(limit.Where), limit.Whole}
		}
	}
	for _, held := range e.Held {
		out.Held = append(out.Held, text(held.Name))
	}
	t.line(out)
}

func (t *jsonTell) ended(r change.Result, err error) {
	if err != nil {
		return // it is told on standard error, and there is nothing to sum up
	}
	now := time.Now()
	took := now.Sub(t.began).Milliseconds()
	sum := summaryJSON{
		ExitCode: codeOf(resultError(r)), Done: len(r.Done),
		Failed: []text{}, Skipped: []text{}, Left: []text{},
		Slowest: newTimings(r.Slowest(10)), CriticalPath: newTimings(r.CriticalPath()),
	}
	for _, f := range r.Failed {
		sum.Failed = append(sum.Failed, text(f.Target.Name))
	}
	for _, s := range r.Skipped {
		sum.Skipped = append(sum.Skipped, text(s.Target.Name))
	}
	for _, l := range r.Left {
		sum.Left = append(sum.Left, text(l.Name))
	}
	t.line(progressJSON{Kind: "summary", At: &now, Op: t.op.String(), TookMS: &took, Summary: &sum})
}

func newTimings(list []change.Timing) []timingJSON {
	out := make([]timingJSON, 0, len(list))
	for _, t := range list {
		out = append(out, timingJSON{text(t.Target.Name), t.Op.String(), t.Took().Milliseconds()})
	}
	return out
}
