package watch

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
)

// waiting is a wait that goes on beside the test.
type waiting struct {
	m    *machine
	done chan struct{}
	o    Outcome
	err  error
}

// wait begins to wait for services.
func (m *machine) wait(r Request, names ...string) *waiting {
	m.t.Helper()
	for _, name := range names {
		r.Slots = append(r.Slots, m.slots[name])
	}
	w := &waiting{m: m, done: make(chan struct{})}
	ctx := limited(m.t)
	go func() {
		defer close(w.done)
		w.o, w.err = Wait(ctx, m.dir, r)
	}()
	return w
}

// ends expects how it ends.
func (w *waiting) ends(reached []string, hopeless map[string]string) {
	w.m.t.Helper()
	<-w.done
	if w.err != nil {
		w.m.t.Fatal(w.err)
	}
	want := Outcome{Hopeless: make(map[live.Slot]string)}
	for _, name := range reached {
		want.Reached = append(want.Reached, w.m.slots[name])
	}
	for name, why := range hopeless {
		want.Hopeless[w.m.slots[name]] = why
	}
	if d := cmp.Diff(want, w.o, cmpopts.IgnoreFields(Outcome{}, "Left"), cmpopts.EquateEmpty()); d != "" {
		w.m.t.Errorf("the outcome (-want +got):\n%s", d)
	}
}

// The order of what a test does and of what the wait sees first is open: either must
// lead to the same end.
func TestWait(t *testing.T) {
	m := newMachine(t)
	w := m.wait(Request{Goal: Up}, "a", "b", "d")
	m.control("a", s6.GoalUp(), s6.CmdUp)
	m.control("b", s6.GoalUpReady(), s6.CmdUp)
	m.append("", journal.Up{Slot: m.slots["d"]})
	w.ends([]string{"a", "b", "d"}, nil)
	// What is so already is not waited for.
	m.wait(Request{Goal: Up}, "a", "b", "d").ends([]string{"a", "b", "d"}, nil)
	m.wait(Request{Goal: Up, Any: true}, "c", "a").ends([]string{"a"}, nil)

	w = m.wait(Request{Goal: Down}, "a", "d")
	m.control("a", s6.GoalDownReady(), s6.CmdDown)
	m.append("", journal.Down{Slot: m.slots["d"]})
	w.ends([]string{"a", "d"}, nil)
}

// What has failed, with nobody at work on it, is not waited for.
func TestL14NoHope(t *testing.T) {
	m := newMachine(t)
	w := m.wait(Request{Goal: Up}, "a", "d")
	m.append("", journal.Failed{Slot: m.slots["d"], Phase: journal.PhaseUp, Reason: "exit 1"})
	w.ends(nil, map[string]string{"d": "it failed: exit 1"})
	// A command that tries it again is hope, until its end.
	pid, start := live.Process()
	m.append("", journal.Run{Op: "start", PID: pid, Start: start, Slots: []live.Slot{m.slots["d"]}})
	w = m.wait(Request{Goal: Up}, "d")
	m.append("", journal.Up{Slot: m.slots["d"]}, journal.RunEnd{})
	w.ends([]string{"d"}, nil)
	// One that was killed is none.
	m.append("", journal.Down{Slot: m.slots["d"]}, journal.Skipped{Slot: m.slots["d"], Phase: journal.PhaseUp, By: m.slots["a"]})
	m.append("", journal.Run{Op: "start", PID: pid, Start: start + 1, Slots: []live.Slot{m.slots["d"]}})
	m.wait(Request{Goal: Up}, "d").ends(nil, map[string]string{"d": "it was skipped: "})
}

// TestWaitGaveUp: no file says that a service gave up, but its supervisor does.
func TestWaitGaveUp(t *testing.T) {
	m := newMachine(t)
	ctx := limited(t)
	feed, err := Open(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	w := waiter{
		dir: m.dir, feed: feed, tail: journal.NewTail(m.dir.JournalPath()), services: make(map[live.Slot]*waited),
		request: Request{Goal: Up, Slots: []live.Slot{m.slots["c"]}},
	}
	defer w.tail.Close()
	if _, err := feed.Listen(m.slots["c"]); err != nil {
		t.Fatal(err)
	}
	// Only now, so that the letter cannot be missed.
	if err := s6.SendControl(m.dir.Servicedir(m.slots["c"]), s6.CmdUp); err != nil {
		t.Fatal(err)
	}
	if err := w.wait(ctx); err != nil {
		t.Fatal(err)
	}
	if got := w.outcome().Hopeless[m.slots["c"]]; got != "it gave up for good" {
		t.Errorf("hopeless: %q", got)
	}
}

func TestWaitRestarted(t *testing.T) {
	m := newMachine(t)
	m.control("b", s6.GoalUpReady(), s6.CmdUp)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(os.ErrDeadlineExceeded)
	r := Request{Goal: Restarted, Slots: []live.Slot{m.slots["b"]}}
	o, err := Wait(ctx, m.dir, r)
	if !errors.Is(err, os.ErrDeadlineExceeded) || len(o.Left) != 1 || r.Done(o) {
		t.Errorf("the same process: %+v, %v", o, err)
	}
	w := m.wait(Request{Goal: Restarted}, "b")
	for {
		// The wait may begin after a restart, and then needs another one.
		m.control("b", s6.GoalDownReady(), s6.CmdDown)
		m.control("b", s6.GoalUpReady(), s6.CmdUp)
		select {
		case <-w.done:
			w.ends([]string{"b"}, nil)
			return
		default:
		}
	}
}
