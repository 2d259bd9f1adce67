package explain_test

import (
	"strings"
	"testing"
	"time"

	"strata/compile/db"
	"strata/live/explain"
	"strata/live/journal"
	"strata/live/s6"
)

// started is a history in which everything that a needs was started for it.
func started() []step {
	return []step{
		{"rc-ctl start a", journal.Want{Slots: slots(a), Up: true}},
		{"rc-ctl start a", journal.Run{Op: "start", Slots: slots(a, b, c)}},
		{"needed by b", journal.Up{Slot: slot(c), Def: db.Digest{2}, By: slot(b)}},
		{"needed by a", journal.Up{Slot: slot(b), Def: db.Digest{2}, By: slot(a)}},
		{"rc-ctl start a", journal.Up{Slot: slot(a), Def: db.Digest{2}}},
		{"rc-ctl start a", journal.RunEnd{Outcome: "done"}},
	}
}

// failed is one in which c fails, and what needs it is skipped.
func failed() []step {
	return []step{
		{"rc-ctl start a", journal.Run{Op: "start", Slots: slots(a, b, c)}},
		{"needed by b", journal.Failed{Slot: slot(c), Phase: journal.PhaseUp, Reason: "exit 3", By: slot(b)}},
		{"c failed", journal.Skipped{Slot: slot(a), Phase: journal.PhaseUp, By: slot(c)}},
		{"c failed", journal.Skipped{Slot: slot(b), Phase: journal.PhaseUp, By: slot(c)}},
		{"rc-ctl start a", journal.RunEnd{Outcome: "1 failed, 2 skipped"}},
	}
}

// TestWhy looks at what is said of one service after a history.
func TestWhy(t *testing.T) {
	running := s6.Status{WantUp: true, PID: 7, Stamp: stamp(2)}
	tests := []struct {
		name    string
		history []step
		tree    tree
		id      explain.ID
		state   explain.State
		want    string
	}{
		{"untouched", nil, nil, a, explain.Down, `
			a is down: nothing has started it since the live directory was made`},
		{"asked for", started(), nil, a, explain.Up, `
			a is up since 12:00:05: started by rc-ctl start a
			it is wanted up`},
		{"pulled in", started(), nil, c, explain.Up, `
			c is up since 12:00:03: needed by b (rc-ctl start a)
			needed now by b
			b is up since 12:00:04: needed by a (rc-ctl start a)
			a is up since 12:00:05: started by rc-ctl start a`},
		{"skipped", failed(), nil, a, explain.Skipped, `
			a is down: it was skipped at 12:00:03 because c failed (rc-ctl start a)
			c is down: its start failed at 12:00:02: exit 3 (rc-ctl start a)`},
		{"failed", failed(), nil, c, explain.Failed, `
			c is down: its start failed at 12:00:02: exit 3 (rc-ctl start a)`},
		{"skipped, and what failed is up by now", merge(failed(), []step{{"rc-ctl start c", journal.Up{Slot: slot(c)}}}), nil, a, explain.Skipped, `
			a is down: it was skipped at 12:00:03 because c failed (rc-ctl start a)`},
		{"skipped for one that is gone", []step{run("start", a), {"x failed", journal.Skipped{Slot: slot(a), Phase: journal.PhaseUp, By: 99}}, {"", journal.RunEnd{}}}, nil, a, explain.Skipped, `
			a is down: it was skipped at 12:00:02 because (slot 99) failed (rc-ctl start x)`},
		{"gave up", []step{run("start", c), {"rc-ctl start x", journal.Failed{Slot: slot(c), Phase: journal.PhaseUp, Reason: "permanent failure", Permanent: true}}, {"", journal.RunEnd{}}}, nil, c, explain.Failed, `
			c is down: it gave up for good at 12:00:02: permanent failure (rc-ctl start x)`},
		{"stopped", merge(started(), []step{run("stop", a), {"rc-ctl stop x", journal.Down{Slot: slot(a)}}, {"", journal.RunEnd{}}}), nil, a, explain.Down, `
			a is down since 12:00:08: stopped by rc-ctl stop x
			it is wanted up, and is not`},
		{"taken along", merge(started(), []step{run("stop", a, b), {"needs b", journal.Down{Slot: slot(a), By: slot(b)}}, {"rc-ctl stop x", journal.Down{Slot: slot(b)}}, {"", journal.RunEnd{}}}), nil, a, explain.Down, `
			a is down since 12:00:08: stopped because it needs b (rc-ctl stop x)
			it is wanted up, and is not
			b is down since 12:00:09: stopped by rc-ctl stop x`},
		{"held by what is essential", []step{run("start", e, f), {"needed by e", journal.Up{Slot: slot(f), By: slot(e)}}, {"rc-ctl start x", journal.Up{Slot: slot(e)}}, {"", journal.RunEnd{}}}, nil, f, explain.Up, `
			f is up since 12:00:02: needed by e (rc-ctl start x)
			needed now by e, which is essential
			e is up since 12:00:03: started by rc-ctl start x`},
		{"essential", []step{run("start", e), {"rc-ctl start x", journal.Up{Slot: slot(e)}}, {"", journal.RunEnd{}}}, nil, e, explain.Up, `
			e is up since 12:00:02: started by rc-ctl start x
			it is essential: a stop leaves it up unless it is told otherwise`},
		{"its stop failed", merge(started(), []step{run("stop", a), {"rc-ctl stop x", journal.Failed{Slot: slot(a), Phase: journal.PhaseDown, Reason: "timed out"}}, {"", journal.RunEnd{}}}), nil, a, explain.Up, `
			a is up since 12:00:05
			its stop failed: timed out
			it is wanted up`},
		{"its reload failed", merge(started(), []step{run("reload", a), {"rc-ctl reload x", journal.Failed{Slot: slot(a), Phase: journal.PhaseReload, Reason: "exit 1"}}, {"", journal.RunEnd{}}}), nil, a, explain.Up, `
			a is up since 12:00:05
			its reload failed: exit 1
			it is wanted up`},
		{"found running", nil, tree{a: {WantUp: true, PID: 7, Ready: true, Stamp: stamp(2)}}, a, explain.Up, `
			a is up since 12:00:02: found running, by other means than a command of ours`},
		{"found down", started(), tree{a: {Ready: true, Wait: 9, Stamp: stamp(8)}}, a, explain.Down, `
			a is down since 12:00:08: found down: signal SIGKILL, by other means than a command of ours
			it is wanted up, and is not`},
		{"found down, and noted", merge(started(), []step{{"observed", journal.Observed{Slot: slot(a), What: "found down: exit 1"}}}), nil, a, explain.Down, `
			a is down since 12:00:07: found down: exit 1, by other means than a command of ours
			it is wanted up, and is not`},
		{"restarting", started(), tree{a: {WantUp: true, Ready: true, Wait: 0x300, Stamp: stamp(5)}}, a, explain.Restarting, `
			a is up since 12:00:05: started by rc-ctl start a
			its process has ended (exit 3) and is about to be started again
			it is wanted up`},
		{"waits through others", []step{run("start", a, b, c)}, tree{c: running}, a, explain.Waiting, `
			a is down: to start it waits for b (rc-ctl start x)
			b is down: to start it waits for c (rc-ctl start x)
			c is starting, for 29s of 1m (rc-ctl start x)`},
		{"has just come up", []step{run("start", b, c)}, tree{c: {WantUp: true, PID: 7, Ready: true, Stamp: stamp(2)}}, c, explain.Up, `
			c is starting, for 29s of 1m (rc-ctl start x)`},
		{"waits no more for what has just come up", []step{run("start", b, c)}, tree{c: {WantUp: true, PID: 7, Ready: true, Stamp: stamp(2)}}, b, explain.Waiting, `
			b is down: to start it waits for its turn (rc-ctl start x)`},
		{"waits for an order", []step{run("start", d, c, e), {"wanted by d", journal.Up{Slot: slot(c), By: slot(d)}}, {"rc-ctl start x", journal.Begin{Slot: slot(e), Phase: journal.PhaseUp}}}, nil, d, explain.Waiting, `
			d is down: to start it waits for e (rc-ctl start x)
			e is running its up program, for 30s of 1m (rc-ctl start x)`},
		{"waits to be stopped", merge(started(), []step{run("stop", a, b, c)}), tree{a: {PID: 7, Stamp: stamp(5)}}, c, explain.Up, `
			c is up: to stop it waits for b (rc-ctl stop x)
			needed now by b
			b is up: to stop it waits for a (rc-ctl stop x)
			a is stopping (rc-ctl stop x)`},
		{"waits for its turn", []step{run("start", c)}, nil, c, explain.Waiting, `
			c is down: to start it waits for its turn (rc-ctl start x)`},
		{"a restart brings back", merge(started(), []step{run("restart", a, b), {"needs b", journal.Down{Slot: slot(a), By: slot(b)}}, {"rc-ctl restart x", journal.Down{Slot: slot(b)}}}), tree{b: running}, a, explain.Waiting, `
			a is down: to start it waits for b (rc-ctl restart x)
			b is starting, for 37s of 1m (rc-ctl restart x)`},
		{"begun by a command that is gone", []step{{"rc-ctl start x", journal.Begin{Slot: slot(e), Phase: journal.PhaseUp}}}, nil, e, explain.RunningUp, `
			e is running its up program, since 12:00:01: a command that is gone began it, and the next command takes note of how it ended`},
		{"lost", []step{run("start", e), {"rc-ctl start x", journal.Failed{Slot: slot(e), Phase: journal.PhaseUp, Reason: "its result is lost", Unknown: true}}, {"", journal.RunEnd{}}}, nil, e, explain.Unknown, `
			e is unknown since 12:00:02: its result is lost`},
		{"started by somebody else just now", nil, tree{a: running}, a, explain.Starting, `
			a is starting since 12:00:02: its supervisor starts it, by other means than a command of ours`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := sceneOf(t, test.history, test.tree)
			chain := s.Why(test.id)
			got := strings.Join(s.Sentences(chain), "\n")
			if want := strings.TrimSpace(strings.ReplaceAll(test.want, "\n\t\t\t", "\n")); got != want {
				t.Errorf("it says\n%s\nwant\n%s", got, want)
			}
			if chain[0].State != test.state {
				t.Errorf("the state is %s, want %s", chain[0].State, test.state)
			}
		})
	}
}

// TestWhyDeadCommand: what a command that was killed was about to do is no wait.
func TestWhyDeadCommand(t *testing.T) {
	s := sceneOf(t, []step{run("start", a, b, c)}, nil)
	s.Working = false
	if got := s.Why(a)[0]; got.Reason != explain.Untouched || got.State != explain.Down {
		t.Errorf("%+v", got)
	}
}

func TestMoment(t *testing.T) {
	if got := explain.Moment(noon, noon.Add(time.Hour)); got != "12:00:00" {
		t.Errorf("today: %s", got)
	}
	if got := explain.Moment(noon, noon.AddDate(0, 0, 1)); got != "2026-11-20 12:00:00" {
		t.Errorf("yesterday: %s", got)
	}
}

func TestCommand(t *testing.T) {
	for want, names := range map[string][]string{
		"rc-ctl start":             nil,
		"rc-ctl start a b c d":     {"a", "b", "c", "d"},
		"rc-ctl start a b c d ...": {"a", "b", "c", "d", "e"},
	} {
		if got := explain.Command("rc-ctl", "start", names); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
