package change_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/change/fake"
	"strata/live/journal"
)

var errBroken = errors.New("exit 1")

// run runs a request in the present bubble.
func (w *world) run(ctx context.Context, req change.Request) change.Result {
	w.t.Helper()
	r, err := change.Run(ctx, w.env, w.plan(req))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) failures(r change.Result) string {
	var out []string
	for _, f := range r.Failed {
		out = append(out, f.Error())
	}
	for _, s := range r.Skipped {
		out = append(out, fmt.Sprintf("skipped %s because of %s", s.Target.Name, s.Because))
	}
	for _, l := range r.Left {
		out = append(out, "left "+l.Name)
	}
	return strings.Join(out, "; ")
}

func TestNoLevelBarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// b and d are of one level, and so are a and c: b does not wait for c.
		w := newWorld(t, "b: a", "d: c")
		w.sup.Up["c"] = fake.Script{Delay: 10 * second}
		w.sup.Up["a"] = fake.Script{Delay: second}
		r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids("b d")})
		if !r.OK() {
			t.Fatal(w.failures(r))
		}
		got, want := fmt.Sprint(w.sup.Calls()[2:]), "[end start a start b end start b end start c start d end start d]"
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestFailedBranch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "top: mid", "mid: bad good", "bad: base", "good: base", "base:", "after: ~bad ?bad", "other: good")
		w.sup.Up["bad"] = fake.Script{Err: errBroken}
		r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids("top after other")})
		want := "cannot start bad: exit 1; skipped top because of bad; skipped mid because of bad"
		if got := w.failures(r); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		for _, name := range []string{"base", "good", "other", "after"} {
			if !w.sup.Running(name) {
				t.Errorf("%s is not up", name)
			}
		}
		if got := fmt.Sprint(w.sup.Released()); got != "[bad]" {
			t.Errorf("told to stop: %s", got)
		}
		// What failed works now: the same request again converges.
		w.absorb()
		delete(w.sup.Up, "bad")
		if r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids("top after other")}); !r.OK() {
			t.Error(w.failures(r))
		}
	})
}

func TestWaitsThroughWhatIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "c: a", "a: b", "b:").up("a")
		w.sup.Up["b"] = fake.Script{Err: errBroken}
		r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids("c")})
		if got, want := w.failures(r), "cannot start b: exit 1; skipped c because of b"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestStopOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web: db", "db: (net)", "(net):", "log: ~web").up("web db net log")
		w.sup.Down["log"] = fake.Script{Delay: second}
		r := w.run(t.Context(), change.Request{Op: change.Stop, Live: true})
		if !r.OK() {
			t.Error(w.failures(r))
		}
		if got, want := w.calls(), "stop log, stop web, stop db, stop net"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if w.sup.Idle() != 1 {
			t.Error("nobody said that nothing is up")
		}
		// What an update stops comes back.
		w.run(t.Context(), change.Request{Op: change.Stop, Exact: true, Names: w.allIDs()})
		if w.sup.Idle() != 1 {
			t.Error("it was said in an update that nothing is up")
		}
	})
}

func TestStopFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web: db", "db:").up("web db")
		w.sup.Down["web"] = fake.Script{Err: errBroken}
		r := w.run(t.Context(), change.Request{Op: change.Stop, Names: w.ids("db")})
		if got, want := w.failures(r), "cannot stop web: exit 1; skipped db because of web"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if w.sup.Idle() != 0 {
			t.Error("it was said that nothing is up")
		}
	})
}

func TestPruneEndsAtFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a:", "b:").up("a")
		w.sup.Down["a"] = fake.Script{Err: errBroken}
		r := w.run(t.Context(), change.Request{Op: change.Start, Prune: true, Names: w.ids("b")})
		if r.OK() || w.calls() != "stop a" {
			t.Errorf("calls: %s", w.calls())
		}
	})
}

func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a: b", "b:", "c:", "(d):")
		for i := range w.targets {
			w.targets[i].TimeoutUp = 30 * second
		}
		w.sup.Up["b"] = fake.Script{Hang: true}
		w.sup.Up["d"] = fake.Script{Hang: true}
		r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids("a c d")})
		want := "cannot start b: timed out: not up after its timeout-up of 30s; cannot start d: timed out: not up after its timeout-up of 30s; skipped a because of b"
		if got := w.failures(r); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		var limit *change.TimeoutError
		if r.Quit != nil || !errors.As(r.Failed[0], &limit) || limit.Service != "b" {
			t.Errorf("quit %v, failure %v", r.Quit, r.Failed[0])
		}
	})
}

func TestWholeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a: b", "b:", "(d):", "f: e", "e:")
		w.env.Limit = 5 * second
		w.sup.Up["b"] = fake.Script{Hang: true}
		w.sup.Up["d"] = fake.Script{Hang: true}
		r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids("a d f")})
		if !r.TimedOut() || len(r.Failed) != 2 {
			t.Fatalf("quit %v, %s", r.Quit, w.failures(r))
		}
		if !w.sup.Running("f") {
			t.Error("f had time enough")
		}
	})
}

// What ends a oneshot for the limit of the whole may come before our own clock
// says so: that is the end of the run all the same.
func TestWholeTimeoutOfOneshot(t *testing.T) {
	for _, c := range []struct {
		own, whole time.Duration
		quits      bool
		want       string
	}{
		{10 * second, 5 * second, true, "cannot start d: timed out: the limit of the whole start, 5s, is over; left e"},
		{5 * second, 10 * second, false, "cannot start d: timed out: not up after its timeout-up of 5s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "(d):", "e:")
			w.env.MaxParallel = 1
			w.env.Limit, w.targets[0].TimeoutUp = c.whole, c.own
			w.sup.Up["d"] = fake.Script{Err: change.ErrTimedOut}
			r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids("d e")})
			if got := w.failures(r); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if r.TimedOut() != c.quits {
				t.Errorf("limit %s: quit %v", c.whole, r.Quit)
			}
		})
	}
}

func TestLameDuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "after: (one)", "(one):", "long:", "later: long")
		w.sup.Up["one"] = fake.Script{Delay: 10 * second}
		w.sup.Up["long"] = fake.Script{Delay: 10 * second}
		ctx, interrupt := context.WithCancelCause(t.Context())
		w.env.Observe = func(e change.Event) {
			if e.Kind == change.Began && e.Target.Name == "long" {
				interrupt(change.ErrInterrupted)
			}
		}
		r := w.run(ctx, change.Request{Op: change.Start, Names: w.ids("after later")})
		if !errors.Is(r.Quit, change.ErrInterrupted) {
			t.Errorf("quit: %v", r.Quit)
		}
		if got, want := w.failures(r), "cannot start long: interrupted; skipped later because of long; left after"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if !w.sup.Running("one") {
			t.Error("the oneshot was not waited for")
		}
	})
}

func TestAbandon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "(one):")
		w.sup.Up["one"] = fake.Script{Hang: true}
		abandon := make(chan struct{})
		w.env.Abandon = abandon
		close(abandon)
		var failed int
		w.journal = func(_ string, events ...journal.Event) error {
			for _, e := range events {
				if _, ok := e.(journal.Failed); ok {
					failed++
				}
			}
			return nil
		}
		r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids("one")})
		if len(r.Failed) != 1 || !errors.Is(r.Failed[0], change.ErrAbandoned) || failed != 0 {
			t.Errorf("%s, %d records of failures", w.failures(r), failed)
		}
	})
}

func TestMaxParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines []string
		for i := range 50 {
			lines = append(lines, fmt.Sprintf("s%d:", i))
		}
		w := newWorld(t, lines...)
		w.env.MaxParallel = 7
		for _, n := range w.names {
			w.sup.Up[n] = fake.Script{Delay: second}
		}
		w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids(strings.Join(w.names, " "))})
		if w.sup.Most() != 7 {
			t.Errorf("%d at once, want 7", w.sup.Most())
		}
	})
}

func TestJournalFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "(a): b", "b:").up("a b")
		w.journal = func(string, ...journal.Event) error { return os.ErrPermission }
		r := w.run(t.Context(), change.Request{Op: change.Stop, Names: w.ids("b")})
		if !r.OK() || r.Journal == nil || w.sup.Running("a") || w.sup.Running("b") {
			t.Errorf("a stop depends on the journal: %s", w.failures(r))
		}
		w.absorb()
		if r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids("a")}); r.OK() {
			t.Error("a oneshot was run without a record that it began")
		}
	})
}

// TestJournalFailsOnce: a record that could not be written is written with the next one,
// in its order. Where it is the one that a oneshot needs, that fails, and the journal
// knows.
func TestJournalFailsOnce(t *testing.T) {
	for at := 1; ; at++ {
		done := false
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "(a): b", "b:", "(c): a")
			calls := 0
			up, begun := map[live.Slot]bool{}, map[live.Slot]bool{}
			w.journal = func(_ string, events ...journal.Event) error {
				if calls++; calls == at {
					return os.ErrPermission
				}
				for _, e := range events {
					switch e := e.(type) {
					case journal.Begin:
						if up[e.Slot] || begun[e.Slot] {
							t.Errorf("record %d fails: %+v out of order", at, e)
						}
						begun[e.Slot] = true
					case journal.Up:
						up[e.Slot] = true
					}
				}
				return nil
			}
			r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.ids("c")})
			if r.Journal != nil {
				t.Errorf("record %d fails: %v", at, r.Journal)
			}
			for _, target := range w.targets {
				if running := w.sup.Running(target.Name); target.Type == db.Longrun && up[target.Slot] != running {
					t.Errorf("record %d fails: %s is up in the journal %t, and runs %t", at, target.Name, up[target.Slot], running)
				}
			}
			if r.OK() && len(up) != 3 {
				t.Errorf("record %d fails: the journal knows of %d that are up", at, len(up))
			}
			done = calls < at
		})
		if done {
			break
		}
	}
}

func TestCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a: b", "b: a")
		if _, err := change.Run(t.Context(), w.env, w.plan(change.Request{Op: change.Start, Names: w.ids("a")})); err == nil {
			t.Error("a cycle is no error")
		}
	})
}
