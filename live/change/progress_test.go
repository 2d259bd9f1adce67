package change_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"strata/live/change"
	"strata/live/change/fake"
)

// follow runs a request and returns what its progress is at each event.
func (w *world) follow(t *testing.T, req change.Request) []string {
	plan := w.plan(req)
	p := change.NewProgress(plan)
	var lines []string
	w.env.Observe = func(e change.Event) {
		p.Apply(e)
		done, total := p.Counts()
		line := fmt.Sprintf("%d/%d", done, total)
		for _, r := range p.Running(10) {
			line += fmt.Sprintf(" %s %s", r.Op, r.Target.Name)
			if r.Limit > 0 {
				line += fmt.Sprintf(" of %v", r.Limit)
			}
			if r.Holds > 0 {
				line += fmt.Sprintf(" holds %d", r.Holds)
			}
		}
		lines = append(lines, line)
	}
	if _, err := change.Run(t.Context(), w.env, plan); err != nil {
		t.Fatal(err)
	}
	if done, total := p.Counts(); done != total || p.Flying() != 0 {
		t.Errorf("in the end %d/%d, %d under way", done, total, p.Flying())
	}
	return lines
}

func TestProgress(t *testing.T) {
	tests := []struct {
		name string
		req  func(*world) change.Request
		fail bool
		want string
	}{
		{
			"start", func(w *world) change.Request { return change.Request{Op: change.Start, Names: w.ids("web")} }, false,
			"0/3 start db of 30s holds 2|1/3|1/3 start app holds 1|2/3|2/3 start web|3/3",
		},
		{
			"failure", func(w *world) change.Request { return change.Request{Op: change.Start, Names: w.ids("web")} }, true,
			"0/3 start db of 30s holds 2|1/3|2/3|3/3",
		},
		{
			"restart", func(w *world) change.Request {
				w.up("db app")
				return change.Request{Op: change.Restart, Names: w.ids("db")}
			}, false,
			"0/4|0/4 stop app holds 1|1/4|1/4 stop db|2/4|2/4 start db of 30s holds 1|3/4|3/4 start app|4/4",
		},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "web: app", "app: db", "db:")
			w.targets[w.id("db")].TimeoutUp = 30 * second
			if test.fail {
				w.sup.Up["db"] = fake.Script{Err: errBroken}
			}
			if got := strings.Join(w.follow(t, test.req(w)), "|"); got != test.want {
				t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
			}
		})
	}
}
