package change_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/live/change"
	"strata/live/change/fake"
	"strata/live/journal"
)

// The critical path goes through what is up already, and from one phase to the next.
func TestCriticalPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web: app", "app: mid quick", "mid: db", "db:", "quick:", "old:").up("mid old")
		for name, seconds := range map[string]time.Duration{"web": 1, "app": 2, "db": 4, "quick": 3} {
			w.sup.Up[name] = fake.Script{Delay: seconds * second}
		}
		w.sup.Down["old"] = fake.Script{Delay: second}
		r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids("web"), Prune: true})
		list := func(timings []change.Timing) string {
			var out []string
			for _, tm := range timings {
				out = append(out, fmt.Sprintf("%s %s %v", tm.Op, tm.Target.Name, tm.Took()))
			}
			return strings.Join(out, ", ")
		}
		if got, want := list(r.CriticalPath()), "stop old 1s, start db 4s, start app 2s, start web 1s"; got != want {
			t.Errorf("critical path:\ngot  %s\nwant %s", got, want)
		}
		if got, want := list(r.Slowest(2)), "start db 4s, start quick 3s"; got != want {
			t.Errorf("slowest:\ngot  %s\nwant %s", got, want)
		}
		if got := len(r.Slowest(100)); got != 5 {
			t.Errorf("%d timings", got)
		}
	})
}

// A timeout names the limit and the place that set it, and what it held back.
func TestTimeoutSaysWhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web: app", "app: db", "db:")
		w.targets[w.id("db")].TimeoutUp = 30 * second
		w.sup.Up["db"] = fake.Script{Hang: true}
		w.env.Where = func(id change.ID, field string) string {
			return fmt.Sprintf("admin:%s.toml:3 (%s)", w.names[id], field)
		}
		var held []change.Target
		w.env.Observe = func(e change.Event) {
			if e.Kind == change.Failed {
				held = e.Held
				if e.Took != 30*second {
					t.Errorf("it took %v", e.Took)
				}
			}
		}
		r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids("web")})
		const want = "timed out: not up after its timeout-up of 30s, set at admin:db.toml:3 (timeout-up)"
		if len(r.Failed) != 1 || r.Failed[0].Err.Error() != want || !errors.Is(r.Failed[0], change.ErrTimedOut) {
			t.Errorf("%+v", r.Failed)
		}
		if len(held) != 2 || held[0].Name != "web" || held[1].Name != "app" || len(r.Failed[0].Held) != 2 {
			t.Errorf("held back: %+v", held)
		}
	})
}

// The journal tells of the whole command, and what was skipped because of whom.
func TestJournalOfARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web: app", "app: db", "db:", "other:")
		w.sup.Up["db"] = fake.Script{Delay: second, Err: errBroken}
		var told []string
		w.journal = func(cause string, events ...journal.Event) error {
			for _, e := range events {
				switch e := e.(type) {
				case journal.Run:
					told = append(told, fmt.Sprintf("run %s of %d (%s)", e.Op, len(e.Slots), cause))
				case journal.RunEnd:
					told = append(told, "end: "+e.Outcome)
				case journal.Skipped:
					told = append(told, fmt.Sprintf("skipped %d by %d (%s)", e.Slot, e.By, cause))
				case journal.Up:
					told = append(told, fmt.Sprintf("up %d by %d (%s)", e.Slot, e.By, cause))
				case journal.Failed:
					told = append(told, fmt.Sprintf("failed %d by %d (%s)", e.Slot, e.By, cause))
				}
			}
			return nil
		}
		w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids("web other")})
		got := strings.Join(told, "\n")
		want := "run start of 4 (asked for)\nup 19 by 0 (asked for)\nfailed 18 by 17 (needed by app)\n" +
			"skipped 16 by 18 (db failed)\nskipped 17 by 18 (db failed)\nend: 1 failed, 2 skipped"
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}
