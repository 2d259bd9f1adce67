package cli

import (
	"slices"
	"sync"
	"time"

	"strata/cmd/internal/ui"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/explain"
)

// longRun is how long a run has to take for its summary to be of interest to those
// who did not ask for one.
const longRun = 10 * time.Second

// peopleTell tells people: lines on standard error, and below them, on a terminal, an
// area that shows what is going on.
type peopleTell struct {
	s         ui.Streams
	op        change.Op
	verbosity int
	dry       bool
	session   *tree.Session

	began  time.Time
	show   *display
	mu     sync.Mutex      // of the report, which the display reads
	report *explain.Report // nil if nothing is shown
}

func (t *peopleTell) planned(session *tree.Session, p change.Plan) {
	t.session, t.began = session, time.Now()
	if t.verbosity < 1 {
		return
	}
	for _, ph := range p.Phases {
		t.tellHeld(p.Request.Names, ph.Held)
	}
	if p.Request.Op == change.Restart {
		t.tellDown(p)
	}
	if t.dry || p.Moves() == 0 {
		return
	}
	t.report = explain.NewReport(p)
	t.show = newDisplay(t.s, t.looks((*explain.Report).Area), t.looks((*explain.Report).Reminders))
	t.s = t.show.streams(t.s)
}

// looks is a look at the report, from any goroutine.
func (t *peopleTell) looks(at func(*explain.Report, time.Time) []string) func(time.Time) []string {
	return func(now time.Time) []string {
		t.mu.Lock()
		defer t.mu.Unlock()
		return at(t.report, now)
	}
}

// tellHeld says which of the services that were to be stopped stay up for another's
// sake.
func (t *peopleTell) tellHeld(asked []change.ID, held []change.Held) {
	for _, h := range held {
		if slices.Contains(asked, h.Service) {
			t.warn("%s stays up: %s, which is essential, needs it", t.name(h.Service), t.name(h.By))
		}
	}
}

// tellDown says which of the services that were to be restarted are not up.
func (t *peopleTell) tellDown(p change.Plan) {
	up := make(map[change.ID]bool)
	for _, ph := range p.Phases {
		for _, h := range ph.Held {
			up[h.Service] = true
		}
		for _, id := range ph.Kept {
			up[id] = true
		}
		for _, s := range ph.Steps {
			up[s.Service] = up[s.Service] || !s.Noop
		}
	}
	for _, id := range p.Request.Names {
		if !up[id] {
			t.warn("%s is not up, and is not restarted", t.name(id))
		}
	}
}

func (t *peopleTell) name(id change.ID) string { return ui.Escape(t.session.States[id].Name) }

func (t *peopleTell) observe(e change.Event) {
	if t.report != nil {
		t.mu.Lock()
		t.report.Apply(e)
		t.mu.Unlock()
	}
	if t.show != nil {
		t.show.asks(e, t.asks)
	}
	if t.dry {
		t.pretend(e)
		return
	}
	name, because := ui.Escape(e.Target.Name), ui.Escape(e.Because)
	switch e.Kind {
	case change.Began:
		t.say(3, "%s: %s (%s)", name, doing(e.Op), because)
	case change.Done:
		t.say(2, "%s: %s in %s (%s)", name, done(e.Op), explain.Duration(e.Took), because)
	case change.Already:
		t.say(3, "%s: %s already", name, done(e.Op))
	case change.Failed:
		t.say(0, "cannot %s %s: %s%s", e.Op, name, ui.ErrorText(e.Err), ui.Escape(explain.Held(e.Held)))
	case change.Skipped:
		t.say(2, "cannot %s %s: %s failed", e.Op, name, because)
	case change.Kept:
		t.warn("%s is essential: it is not stopped", name)
	case change.Quitting:
		t.say(1, "%s: nothing more is begun", ui.ErrorText(e.Err))
	}
}

// pretend tells of a dry run, whose steps are what was asked for.
func (t *peopleTell) pretend(e change.Event) {
	switch e.Kind {
	case change.Began:
		t.s.Printf("%s %s (%s)\n", e.Op, ui.Escape(e.Target.Name), ui.Escape(e.Because))
	case change.Kept:
		t.warn("%s is essential: it is not stopped", ui.Escape(e.Target.Name))
	}
}

func (t *peopleTell) ended(r change.Result, _ error) {
	if t.show != nil {
		t.show.close()
	}
	took := time.Since(t.began)
	if t.report == nil || t.verbosity < 2 && took < longRun || len(r.Timings) == 0 {
		return
	}
	for _, line := range explain.Summary(t.op, r, took) {
		t.s.Errorf("%s", ui.Escape(line))
	}
}

// asks says whether a oneshot talks to a person.
func (t *peopleTell) asks(target change.Target) bool {
	sv, err := t.session.View.DB.Service(target.ID)
	return err == nil && sv.Name == target.Name && sv.TTY != ""
}

func (t *peopleTell) say(level int, format string, args ...any) {
	if t.verbosity >= level {
		t.s.Errorf(format, args...)
	}
}

func (t *peopleTell) warn(format string, args ...any) {
	if t.verbosity >= 1 {
		t.s.Warnf(format, args...)
	}
}

// doing and done are what an operation does to a service.
func doing(op change.Op) string {
	switch op {
	case change.Stop:
		return "stopping"
	case change.Reload:
		return "reloading"
	}
	return "starting"
}

func done(op change.Op) string {
	switch op {
	case change.Stop:
		return "down"
	case change.Reload:
		return "reloaded"
	}
	return "up"
}
