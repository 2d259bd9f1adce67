package explain_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"strata/live"
	"strata/live/change"
	"strata/live/explain"
)

// reported is a report of a start of a, with what it needs: b and c.
func reported(t *testing.T) (*explain.Report, map[explain.ID]change.Target) {
	t.Helper()
	s := sceneOf(t, nil, nil)
	plan, err := change.Make(s.Graphs, s.Services, change.Request{Op: change.Start, Names: []explain.ID{a}})
	if err != nil {
		t.Fatal(err)
	}
	targets := make(map[explain.ID]change.Target)
	for i, st := range s.Services {
		targets[explain.ID(i)] = change.Target{ID: explain.ID(i), Name: st.Name, TimeoutUp: 30 * time.Second}
	}
	return explain.NewReport(plan), targets
}

func TestReportArea(t *testing.T) {
	r, targets := reported(t)
	if got := r.Area(noon); got != nil {
		t.Errorf("before the beginning: %q", got)
	}
	r.Apply(change.Event{Kind: change.Began, Op: change.Start, Target: targets[c], At: noon})
	want := []string{"start: 0 of 3 done, 1 under way, 2 to come", "  c  12s of 30s, holds back 2"}
	if d := cmp.Diff(want, r.Area(noon.Add(12*time.Second))); d != "" {
		t.Errorf("at first (-want +got):\n%s", d)
	}
	r.Apply(change.Event{Kind: change.Done, Op: change.Start, Target: targets[c]})
	r.Apply(change.Event{Kind: change.Began, Op: change.Start, Target: targets[b], At: noon.Add(12 * time.Second)})
	want = []string{"start: 1 of 3 done, 1 under way, 1 to come", "  b  1s of 30s, holds back 1"}
	if d := cmp.Diff(want, r.Area(noon.Add(13*time.Second))); d != "" {
		t.Errorf("then (-want +got):\n%s", d)
	}
	r.Apply(change.Event{Kind: change.Failed, Op: change.Start, Target: targets[b], Err: errors.New("exit 1")})
	r.Apply(change.Event{Kind: change.Skipped, Op: change.Start, Target: targets[a]})
	if got := r.Area(noon); got != nil {
		t.Errorf("at the end: %q", got)
	}
}

// Of many steps under way a few are shown.
func TestReportAreaMany(t *testing.T) {
	states := make([]live.ServiceState, 10)
	names := make([]explain.ID, len(states))
	for i := range names {
		names[i] = explain.ID(i)
	}
	plan, err := change.Make(change.Graphs{}, states, change.Request{Op: change.Start, Names: names})
	if err != nil {
		t.Fatal(err)
	}
	r := explain.NewReport(plan)
	for _, id := range names {
		r.Apply(change.Event{Kind: change.Began, Op: change.Start, Target: change.Target{ID: id, Name: "x"}, At: noon})
	}
	got := r.Area(noon.Add(time.Second))
	if want := "start: 0 of 10 done, 10 under way|  x  1s|  x  1s|  x  1s|  x  1s|  and 6 more"; strings.Join(got, "|") != want {
		t.Errorf("%q", got)
	}
}

func TestReportReminders(t *testing.T) {
	r, targets := reported(t)
	r.Apply(change.Event{Kind: change.Began, Op: change.Start, Target: targets[c], At: noon})
	var at []int
	for second := range 200 {
		lines := r.Reminders(noon.Add(time.Duration(second) * time.Second))
		if len(lines) == 0 {
			continue
		}
		at = append(at, second)
		if second == 10 && lines[0] != "still waiting for c: 10s of 30s, holds back 2" {
			t.Errorf("%q", lines)
		}
	}
	if d := cmp.Diff([]int{10, 20, 40, 80, 160}, at); d != "" {
		t.Errorf("when it reminds (-want +got):\n%s", d)
	}
	stop := change.Event{Kind: change.Began, Op: change.Stop, Target: change.Target{ID: a, Name: "a"}, At: noon}
	r.Apply(stop)
	if got := r.Reminders(noon.Add(time.Minute)); len(got) != 1 || got[0] != "still waiting for a to stop: 1m" {
		t.Errorf("of a stop: %q", got)
	}
}

func TestSummary(t *testing.T) {
	step := func(name string, from, till, after int) change.Timing {
		return change.Timing{
			Target: change.Target{Name: name}, Op: change.Start, After: after,
			Began: noon.Add(time.Duration(from) * time.Second), Ended: noon.Add(time.Duration(till) * time.Second),
		}
	}
	r := change.Result{
		Done:    []explain.ID{a, b, c},
		Failed:  make([]change.Failure, 1),
		Skipped: make([]change.Skip, 2),
		Left:    make([]change.Target, 3),
		Timings: []change.Timing{step("c", 0, 2, -1), step("d", 0, 5, -1), step("b", 2, 3, 0), step("a", 5, 9, 1)},
	}
	want := []string{
		"start: 3 done in 9s, 1 failed, 2 skipped, 3 not begun",
		"slowest: d 5s, a 4s, c 2s",
		"critical path: d 5s, a 4s",
	}
	if d := cmp.Diff(want, explain.Summary(change.Start, r, 9*time.Second)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	one := change.Result{Done: []explain.ID{a}, Timings: r.Timings[:1]}
	if got := explain.Summary(change.Stop, one, time.Second); len(got) != 1 || got[0] != "stop: 1 done in 1s" {
		t.Errorf("of one: %q", got)
	}
	// A chain of 10,000 is a line that can be read.
	var chain change.Result
	for i := range 10_000 {
		chain.Timings = append(chain.Timings, step("x", i, i+1, i-1))
	}
	if got := explain.Summary(change.Start, chain, time.Hour); len(got[2]) > 200 || !strings.Contains(got[2], "(9992 more)") {
		t.Errorf("of a chain: %q", got[2])
	}
}

func TestHeld(t *testing.T) {
	targets := make([]change.Target, 7)
	for i := range targets {
		targets[i].Name = string(rune('a' + i))
	}
	for n, want := range map[int]string{0: "", 1: "; it held back a", 5: "; it held back a, b, c, d, e", 7: "; it held back a, b, c, d, e and 2 more"} {
		if got := explain.Held(targets[:n]); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
