package live_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
)

// TestStateJournalled shows what a state takes from the journal alone: who moved a
// service, what failed, and the command under way.
func TestStateJournalled(t *testing.T) {
	tr := newTree(t)
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"), oneshot("b"), oneshot("c"), oneshot("d")))
	w := lock(t, d)
	defer w.Close()
	if st := state(t, d); st.Run != nil || st.Running() {
		t.Errorf("before any command: %+v", st.Run)
	}
	slot := func(name string) live.Slot { return service(t, state(t, d).Services, name).Slot }
	a, b, c, other := slot("a"), slot("b"), slot("c"), slot("d")
	pid, start := live.Process()
	events := []journal.Event{
		journal.Run{Op: "start", PID: pid, Start: start, Slots: []live.Slot{a, b, c, other}},
		journal.Up{Slot: b, By: c},
		journal.Failed{Slot: a, Phase: journal.PhaseUp, Reason: "gave up", Permanent: true, By: c},
		journal.Skipped{Slot: c, Phase: journal.PhaseUp, By: a},
	}
	for _, e := range events {
		if err := w.Append("rc-ctl start", e); err != nil {
			t.Fatal(err)
		}
	}
	st := state(t, d)
	if !st.Running() || st.Run.Op != "start" || !cmp.Equal(st.Run.Left, map[live.Slot]bool{other: true}) {
		t.Errorf("under way: %+v", st.Run)
	}
	const command = "rc-ctl start"
	ignore := cmpopts.IgnoreFields(live.ServiceState{}, "Since", "At", "Supervised", "Status")
	for _, want := range []live.ServiceState{
		{Slot: a, Name: "a", Type: db.Longrun, Cause: command, By: c, Command: command, Failure: "gave up", Failed: journal.PhaseUp, Permanent: true},
		{Slot: b, Name: "b", Type: db.Oneshot, Up: true, Cause: command, By: c, Command: command},
		{Slot: c, Name: "c", Type: db.Oneshot, Cause: command, By: a, Command: command, Failure: command, Failed: journal.PhaseUp, Skipped: true},
		{Slot: other, Name: "d", Type: db.Oneshot},
	} {
		if diff := cmp.Diff(want, service(t, st.Services, want.Name), ignore); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Name, diff)
		}
	}
	// One that was killed.
	if err := w.Append("", journal.Run{Op: "stop", PID: pid, Start: start + 1}); err != nil {
		t.Fatal(err)
	}
	if st := state(t, d); st.Run == nil || st.Running() {
		t.Errorf("killed: %+v", st.Run)
	}
}
