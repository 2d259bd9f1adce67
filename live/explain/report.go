package explain

import (
	"fmt"
	"strings"
	"time"

	"strata/live/change"
)

// Report follows the run of a plan for whoever shows it. It has no clock, and its
// methods belong to one goroutine at a time.
type Report struct {
	op       change.Op
	progress *change.Progress
	failed   int
	skipped  int
	reminded map[ID]time.Duration // when each step is mentioned next
}

// NewReport is the report of a plan of which nothing has happened.
func NewReport(plan change.Plan) *Report {
	return &Report{op: plan.Request.Op, progress: change.NewProgress(plan), reminded: make(map[ID]time.Duration)}
}

// Apply takes note of an event.
func (r *Report) Apply(e change.Event) {
	r.progress.Apply(e)
	switch e.Kind {
	case change.Began:
		delete(r.reminded, e.Target.ID)
	case change.Failed:
		r.failed++
	case change.Skipped:
		r.skipped++
	}
}

// mentioned is how many steps under way the area shows.
const mentioned = 4

// Area says what is going on in a few lines: the counts, and the steps that have been
// under way longest, with their limits and what they hold back.
func (r *Report) Area(now time.Time) []string {
	done, total := r.progress.Counts()
	flying := r.progress.Flying()
	if flying == 0 {
		return nil
	}
	head := fmt.Sprintf("%s: %d of %d done, %d under way", r.op, done, total, flying)
	if left := total - done - flying; left > 0 {
		head += fmt.Sprintf(", %d to come", left)
	}
	if r.failed > 0 {
		head += fmt.Sprintf(", %d failed, %d skipped", r.failed, r.skipped)
	}
	lines := []string{head}
	for _, step := range r.progress.Running(mentioned) {
		lines = append(lines, "  "+stepName(step)+"  "+stepState(step, now))
	}
	if more := flying - mentioned; more > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more", more))
	}
	return lines
}

// firstReminder is how long a step has to be under way to be mentioned where there is
// no area; then each time that has doubled.
const firstReminder = 10 * time.Second

// Reminders are lines about steps that take long, those under way longest. Each is
// mentioned at growing intervals.
func (r *Report) Reminders(now time.Time) []string {
	const oldest = 20 // to count what a step holds back costs more than to show it
	var lines []string
	for _, step := range r.progress.Running(oldest) {
		took := now.Sub(step.Began)
		due := max(firstReminder, r.reminded[step.Target.ID])
		if took < due || len(lines) == mentioned {
			continue
		}
		for due <= took {
			due *= 2
		}
		r.reminded[step.Target.ID] = due
		lines = append(lines, "still waiting for "+stepName(step)+": "+stepState(step, now))
	}
	return lines
}

// stepName names the service of a step, and what is done to it unless that is a start.
func stepName(step change.Running) string {
	if step.Op == change.Start {
		return step.Target.Name
	}
	return step.Target.Name + " to " + step.Op.String()
}

// stepState is how long a step has taken, how long it may, and what it holds back.
func stepState(step change.Running, now time.Time) string {
	text := Duration(now.Sub(step.Began))
	if step.Limit > 0 {
		text += " of " + Duration(step.Limit)
	}
	if step.Holds > 0 {
		text += fmt.Sprintf(", holds back %d", step.Holds)
	}
	return text
}

// Held says what a failure held back, empty if it was nothing.
func Held(held []change.Target) string {
	const most = 5
	if len(held) == 0 {
		return ""
	}
	names := make([]string, 0, most)
	for _, t := range held[:min(most, len(held))] {
		names = append(names, t.Name)
	}
	text := strings.Join(names, ", ")
	if more := len(held) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return "; it held back " + text
}

// Summary says of a run that has ended what came of it, what took longest, and which
// steps waited for each other from its beginning to its end.
func Summary(op change.Op, r change.Result, took time.Duration) []string {
	head := fmt.Sprintf("%s: %s in %s", op, count(len(r.Done), "done"), Duration(took))
	for _, part := range []string{
		count(len(r.Failed), "failed"), count(len(r.Skipped), "skipped"), count(len(r.Left), "not begun"),
	} {
		if !strings.HasPrefix(part, "0 ") {
			head += ", " + part
		}
	}
	lines := []string{head}
	if len(r.Timings) < 2 {
		return lines
	}
	return append(lines, "slowest: "+timings(r.Slowest(3)), "critical path: "+timings(r.CriticalPath()))
}

func count(n int, what string) string { return fmt.Sprintf("%d %s", n, what) }

// timings lists steps with what they took; of a long list the beginning and the end.
func timings(list []change.Timing) string {
	const ends = 4
	parts := make([]string, 0, 2*ends+1)
	for i, t := range list {
		switch hidden := len(list) - 2*ends; {
		case hidden > 1 && i == ends:
			parts = append(parts, fmt.Sprintf("(%d more)", hidden))
		case hidden > 1 && i > ends && i < ends+hidden:
		default:
			parts = append(parts, fmt.Sprintf("%s %s", t.Target.Name, Duration(t.Took())))
		}
	}
	return strings.Join(parts, ", ")
}
