package explain_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"strata/compile/db"
	"strata/live"
	"strata/live/explain"
	"strata/live/journal"
)

// TestTell shows the text of each kind of record.
func TestTell(t *testing.T) {
	table := journal.Table{{Slot: 16, Name: "web", Type: db.Longrun}, {Slot: 17, Name: "db", Type: db.Longrun}}
	next := journal.Table{{Slot: 16, Name: "www", Type: db.Longrun}}
	many := make([]live.Slot, 9)
	for i := range many {
		many[i] = 16
	}
	steps := []struct {
		cause string
		event journal.Event
		want  string
	}{
		{"", journal.Init{Table: table}, "live directory made with 2 services"},
		{"rc-ctl start web", journal.Want{Slots: []live.Slot{16}, Up: true}, "web: wanted up (rc-ctl start web)"},
		{"rc-ctl stop web", journal.Want{Slots: []live.Slot{16}}, "web: no longer wanted up (rc-ctl stop web)"},
		{"rc-ctl start web", journal.Run{Op: "start", Slots: []live.Slot{16, 17}}, "start begins: web, db (rc-ctl start web)"},
		{"needed by web", journal.Begin{Slot: 17, Phase: journal.PhaseUp}, "db: runs its up program (needed by web)"},
		{"needed by web", journal.Failed{Slot: 17, Phase: journal.PhaseUp, Reason: "exit 3", By: 16}, "db: cannot start: exit 3 (needed by web)"},
		{"needed by web", journal.Failed{Slot: 17, Phase: journal.PhaseUp, Reason: "finish exited 125", Permanent: true}, "db: cannot start: finish exited 125, it gave up for good (needed by web)"},
		{"db failed", journal.Skipped{Slot: 16, Phase: journal.PhaseUp, By: 17}, "web: cannot start: db failed"},
		{"rc-ctl start web", journal.RunEnd{Outcome: "1 failed, 1 skipped"}, "ended: 1 failed, 1 skipped (rc-ctl start web)"},
		{"rc-ctl start web", journal.Up{Slot: 16}, "web: is up (rc-ctl start web)"},
		{"needs db", journal.Down{Slot: 16, By: 17}, "web: is down (needs db)"},
		{"rc-ctl reload web", journal.Reloaded{Slot: 16}, "web: was reloaded (rc-ctl reload web)"},
		{"observed", journal.Observed{Slot: 16, Up: true}, "web: observed: up"},
		{"observed", journal.Observed{Slot: 16, What: "found down: exit 1"}, "web: observed: found down: exit 1"},
		{"", journal.Redefined{Slot: 16}, "web: has a new definition"},
		{"rc-update", journal.PatchBegin{Table: next, Actions: 2}, "patch begins: 2 actions, from database 0000000000000000 to 0000000000000000 (rc-update)"},
		{"", journal.PatchStep{Action: 1}, "patch: action 1 done"},
		{"", journal.PatchStep{Action: 2, Failed: "no"}, "patch: action 2 failed: no"},
		{"", journal.Switch{Table: next}, "switched to database 0000000000000000"},
		{"", journal.PatchEnd{Outcome: journal.Applied}, "patch applied"},
		{"", journal.Up{Slot: 16}, "www: is up"},
		{"", journal.Up{Slot: 99}, "(slot 99): is up"},
		{"", journal.Run{Op: "stop", Slots: many}, "stop begins: www, www, www, www, www and 4 more"},
		{"", journal.Snapshot{}, "what was before is not kept"},
	}
	var teller explain.Teller
	for i, s := range steps {
		e := teller.Tell(journal.Record{Seq: uint64(i + 1), Cause: s.cause, Event: s.event})
		if d := cmp.Diff(s.want, e.Text()); d != "" {
			t.Errorf("%T (-want +got):\n%s", s.event, d)
		}
	}
}

// A command's end is about the services of its beginning, also across a compaction.
func TestTellRunEnd(t *testing.T) {
	run := journal.Run{Op: "start", Slots: []live.Slot{16}}
	for _, first := range []journal.Event{run, journal.Snapshot{State: journal.State{Run: &journal.RunState{Run: run}}}} {
		var teller explain.Teller
		teller.Tell(journal.Record{Event: first})
		e := teller.Tell(journal.Record{Event: journal.RunEnd{}})
		if !e.About(map[live.Slot]bool{16: true}) || e.About(map[live.Slot]bool{17: true}) {
			t.Errorf("after %T: about %v", first, e.Slots)
		}
	}
}
