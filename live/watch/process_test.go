package watch

import (
	"testing"
	"time"

	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
)

// What supervisors say is told unless a command asked for it.
func TestProcess(t *testing.T) {
	at := func(n int) time.Time { return time.Unix(1_800_000_000+int64(n), 0) }
	stamp := func(n int) s6.Stamp { return s6.StampOf(at(n)) }
	runs := func(n int) s6.Status { return s6.Status{WantUp: true, PID: 7, Stamp: stamp(n)} }
	ended := func(n int, wantUp bool) s6.Status {
		return s6.Status{WantUp: wantUp, Ready: true, Stamp: stamp(n), Wait: 0x300}
	}
	tests := []struct {
		name   string
		op     string // of a command from 10 to 20, about slot 5
		slot   live.Slot
		letter s6.Event
		status s6.Status
		want   string // empty if it is not told
	}{
		{"started by a command", "start", 5, s6.EventUp, runs(12), ""},
		{"ready after a command", "start", 5, s6.EventReady, s6.Status{WantUp: true, PID: 7, Ready: true, Stamp: stamp(12), ReadyStamp: stamp(13)}, ""},
		{"died during a start", "start", 5, s6.EventDied, ended(12, true), "x: died: exit 3"},
		{"given up by a start", "start", 5, s6.EventDied, ended(12, false), ""},
		{"stopped by a command", "stop", 5, s6.EventDied, ended(12, false), ""},
		{"died by a restart, and runs again", "restart", 5, s6.EventDied, runs(13), ""},
		{"died during a reload", "reload", 5, s6.EventDied, ended(12, true), "x: died: exit 3"},
		{"died after a command", "start", 5, s6.EventDied, ended(21, true), "x: died: exit 3"},
		{"started again after a command", "start", 5, s6.EventUp, runs(22), "x: was started by its supervisor (pid 7)"},
		{"ready again", "start", 5, s6.EventReady, s6.Status{WantUp: true, PID: 7, Ready: true, Stamp: stamp(22), ReadyStamp: stamp(23)}, "x: is ready"},
		{"died before a command", "stop", 5, s6.EventDied, ended(9, false), "x: died: exit 3"},
		{"started while a command was about others", "start", 6, s6.EventUp, runs(12), "x: was started by its supervisor (pid 7)"},
		{"gave up during a start", "start", 5, s6.EventFail, ended(12, false), "x: gave up for good: its finish exited 125"},
		{"its finish has ended", "", 5, s6.EventDown, ended(12, true), ""},
		{"a new supervisor", "start", 5, s6.EventStart, runs(12), "x: its supervisor was started"},
		{"no supervisor", "", 5, s6.EventExit, ended(12, false), "x: its supervisor has ended"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var c commands
			if test.op != "" {
				c.apply(journal.Record{At: at(10), Event: journal.Run{Op: test.op, Slots: []live.Slot{5}}})
				c.apply(journal.Record{At: at(20), Event: journal.RunEnd{}})
			}
			p, ok := newProcess(Letter{test.slot, test.letter}, test.status, at(25))
			p.Name = "x"
			got := ""
			if ok && !c.wanted(p, test.status.WantUp) {
				got = p.Text()
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// A command that goes on has no end yet, also if its beginning was compacted away.
func TestCommandsGoOn(t *testing.T) {
	run := journal.Run{Op: "start", Slots: []live.Slot{5}}
	p := Process{At: time.Unix(100, 0), Slot: 5, What: Started}
	for _, e := range []journal.Event{run, journal.Snapshot{State: journal.State{Run: &journal.RunState{Run: run}}}} {
		var c commands
		c.apply(journal.Record{Event: e})
		if !c.wanted(p, true) {
			t.Errorf("%T: not asked for", e)
		}
	}
}
