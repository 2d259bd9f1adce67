package watch

import (
	"testing"
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
)

// A wait has reached its goal, has no hope, or goes on.
func TestJudge(t *testing.T) {
	oneshot := func(change func(*look)) look {
		l := look{ServiceState: live.ServiceState{Type: db.Oneshot}}
		change(&l)
		return l
	}
	longrun := func(st s6.Status, change func(*look)) look {
		l := look{ServiceState: live.ServiceState{Type: db.Longrun, Supervised: true, Status: st}, readiness: true}
		l.Up, l.Starting = st.WantUp && st.UpReady(), st.WantUp && !st.UpReady()
		change(&l)
		return l
	}
	same := func(*look) {}
	stamp := func(n int64) s6.Stamp { return s6.StampOf(time.Unix(n, 0)) }
	ready := s6.Status{WantUp: true, PID: 5, Ready: true, Stamp: stamp(100)}
	failed := func(l *look) { l.Failure, l.Failed = "exit 3", journal.PhaseUp }
	tests := []struct {
		name    string
		goal    Goal
		look    look
		reached bool
		why     string
	}{
		{"a oneshot is down", Up, oneshot(same), false, ""},
		{"a oneshot is up", Up, oneshot(func(l *look) { l.Up = true }), true, ""},
		{"a oneshot runs", Up, oneshot(func(l *look) { l.Pending = journal.PhaseUp }), false, ""},
		{"a oneshot is being undone", Up, oneshot(func(l *look) { l.Up, l.Pending = true, journal.PhaseDown }), false, ""},
		{"a oneshot is unknown", Up, oneshot(func(l *look) { l.Up, l.Unknown = true, true }), false, ""},
		{"a oneshot failed", Up, oneshot(failed), false, "it failed: exit 3"},
		{"a oneshot failed and is tried again", Up, oneshot(func(l *look) { failed(l); l.busy = true }), false, ""},
		{"a oneshot was skipped", Up, oneshot(func(l *look) { l.Failure, l.Failed, l.Skipped = "db failed", journal.PhaseUp, true }), false, "it was skipped: db failed"},
		{"a longrun is down", Up, longrun(s6.Status{Ready: true}, same), false, ""},
		{"a longrun starts", Up, longrun(s6.Status{WantUp: true, PID: 5}, same), false, ""},
		{"a longrun that says nothing of readiness", Up, longrun(s6.Status{WantUp: true, PID: 5}, func(l *look) { l.readiness = false }), true, ""},
		{"a longrun is ready", Up, longrun(ready, same), true, ""},
		{"a longrun is ready and was told to stop", Up, longrun(s6.Status{PID: 5, Ready: true}, same), false, ""},
		{"a longrun waits to be started again", Up, longrun(s6.Status{WantUp: true, Ready: true}, same), false, ""},
		{"a longrun failed", Up, longrun(s6.Status{Ready: true}, failed), false, "it failed: exit 3"},
		{"a longrun failed and was started by hand", Up, longrun(s6.Status{WantUp: true, PID: 5}, failed), false, ""},
		{"a longrun gave up", Up, longrun(s6.Status{Ready: true}, func(l *look) { l.gaveUp = true }), false, "it gave up for good"},
		{"a longrun gave up long ago", Up, longrun(s6.Status{Ready: true}, func(l *look) { l.Permanent = true }), false, "it gave up for good"},
		{"a reload failed", Up, longrun(s6.Status{Ready: true}, func(l *look) { l.Failure, l.Failed = "exit 1", journal.PhaseReload }), false, ""},
		{"a longrun by the journal alone", Up, look{ServiceState: live.ServiceState{Type: db.Longrun, Up: true}}, true, ""},

		{"down: a oneshot is down", Down, oneshot(same), true, ""},
		{"down: a oneshot is up", Down, oneshot(func(l *look) { l.Up = true }), false, ""},
		{"down: a stop failed", Down, oneshot(func(l *look) { l.Up, l.Failure, l.Failed = true, "exit 1", journal.PhaseDown }), false, "it failed: exit 1"},
		{"down: a longrun is down", Down, longrun(s6.Status{Ready: true}, same), true, ""},
		{"down: its finish runs", Down, longrun(s6.Status{PID: 5, Finishing: true}, same), false, ""},
		{"down: it waits to be started again", Down, longrun(s6.Status{WantUp: true, Ready: true}, same), false, ""},
		{"down: its start failed", Down, longrun(s6.Status{Ready: true}, failed), true, ""},

		{"restarted: the same process", Restarted, longrun(ready, same), false, ""},
		{"restarted: another process", Restarted, longrun(s6.Status{WantUp: true, PID: 6, Ready: true, Stamp: stamp(101)}, same), true, ""},
		{"restarted: not ready yet", Restarted, longrun(s6.Status{WantUp: true, PID: 6, Stamp: stamp(101)}, same), false, ""},
		{"restarted: failed", Restarted, longrun(s6.Status{Ready: true}, failed), false, "it failed: exit 3"},
		{"restarted: a oneshot", Restarted, oneshot(func(l *look) { l.Up, l.Since = true, time.Unix(101, 0) }), true, ""},
		{"restarted: a oneshot as before", Restarted, oneshot(func(l *look) { l.Up, l.Since = true, time.Unix(100, 0) }), false, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.goal.reached(test.look, time.Unix(100, 0)); got != test.reached {
				t.Errorf("reached: %v", got)
			}
			if got := test.goal.hopeless(test.look); !test.reached && got != test.why {
				t.Errorf("hopeless: %q, want %q", got, test.why)
			}
		})
	}
}
