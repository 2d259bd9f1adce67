package explain_test

import (
	"testing"
	"time"

	"strata/compile/db"
	"strata/live/explain"
	"strata/live/journal"
	"strata/live/s6"
)

func TestStatus(t *testing.T) {
	tests := []struct {
		name         string
		history      []step
		tree         tree
		id           explain.ID
		state        explain.State
		ready, stale bool
		note         string
	}{
		{"down", nil, nil, a, explain.Down, false, false, ""},
		{"up", started(), nil, a, explain.Up, true, false, ""},
		{"older than its definition", []step{{"", journal.Up{Slot: slot(a), Def: db.Digest{1}}}}, nil, a, explain.Up, true, true, "older than its definition"},
		{"a oneshot is never stale", []step{{"", journal.Up{Slot: slot(e), Def: db.Digest{1}}}}, nil, e, explain.Up, true, false, ""},
		{"crashed", started(), tree{a: {WantUp: true, Ready: true, Wait: 0x300}}, a, explain.Restarting, false, false, "it ended: exit 3"},
		{"came back and is not ready", started(), tree{a: {WantUp: true, PID: 7}}, a, explain.Up, false, false, ""},
		{"finishing", started(), tree{a: {PID: 7, Finishing: true}}, a, explain.Finishing, false, false, "found down: exit 0"},
		{"failed", failed(), nil, c, explain.Failed, false, false, "exit 3"},
		{"skipped", failed(), nil, b, explain.Skipped, false, false, "c failed"},
		{"failed to stop", merge(started(), []step{{"", journal.Failed{Slot: slot(a), Phase: journal.PhaseDown, Reason: "exit 1"}}}), nil, a, explain.Up, true, false, "its stop failed: exit 1"},
		{"gave up", []step{{"", journal.Failed{Slot: slot(a), Phase: journal.PhaseUp, Reason: "finish exited 125", Permanent: true}}}, nil, a, explain.Failed, false, false, "gave up: finish exited 125"},
		{"waiting", []step{run("start", a, b)}, nil, a, explain.Waiting, false, false, "waits for b"},
		{"its turn", []step{run("start", c)}, nil, c, explain.Waiting, false, false, "waits for its turn"},
		{"starting", []step{run("start", c)}, tree{c: {WantUp: true, PID: 7, Stamp: stamp(2)}}, c, explain.Starting, false, false, "for 29s of 1m"},
		{"failed, and tried again", merge(failed(), []step{run("start", c, b)}), nil, b, explain.Waiting, false, false, "waits for c"},
		{"a oneshot runs", []step{run("start", e), {"", journal.Begin{Slot: slot(e), Phase: journal.PhaseUp}}}, nil, e, explain.RunningUp, false, false, "for 30s of 1m"},
		{"a oneshot is undone", []step{{"", journal.Up{Slot: slot(e)}}, run("stop", e), {"", journal.Begin{Slot: slot(e), Phase: journal.PhaseDown}}}, nil, e, explain.RunningDown, true, false, "for 30s"},
		{"reloading", merge(started(), []step{run("reload", a)}), nil, a, explain.Up, true, false, "waits for its turn"},
		{"pruned", merge(started(), []step{run("start", a, d)}), nil, a, explain.Up, true, false, "waits for its turn"},
		{"found", nil, tree{a: {WantUp: true, PID: 7, Ready: true}}, a, explain.Up, true, false, "found running"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := sceneOf(t, test.history, test.tree)
			got := s.Status(test.id)
			if got.State != test.state || got.Ready != test.ready || got.Stale != test.stale {
				t.Errorf("%s, ready %v, stale %v; want %s, %v, %v", got.State, got.Ready, got.Stale, test.state, test.ready, test.stale)
			}
			if note := s.Note(test.id); note != test.note {
				t.Errorf("note %q, want %q", note, test.note)
			}
		})
	}
}

// TestStatusUnsupervised: what s6 says of a longrun without a supervisor is old.
func TestStatusUnsupervised(t *testing.T) {
	s := sceneOf(t, nil, tree{a: {PID: 7, Ready: true, Wait: s6.WaitStatus(9)}})
	s.Services[a].Supervised, s.Services[a].Up = false, false
	if got := s.Status(a); got.State != explain.Down || got.PID != 0 || got.Ready {
		t.Errorf("%+v", got)
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:                          "0s",
		340*time.Millisecond + 4:              "340ms",
		1260 * time.Millisecond:               "1.3s",
		12*time.Second + 400*time.Millisecond: "12s",
		time.Minute:                           "1m",
		10 * time.Minute:                      "10m",
		62 * time.Second:                      "1m2s",
		time.Hour:                             "1h",
		48 * time.Hour:                        "2d",
		5*time.Hour + 6*time.Minute:           "5h6m",
		50 * time.Hour:                        "2d2h",
	} {
		if got := explain.Duration(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}
