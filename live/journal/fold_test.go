package journal

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"strata/compile/db"
)

// TestFoldSteps shows what each kind of record does to one service.
func TestFoldSteps(t *testing.T) {
	def := db.Digest{7}
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	tests := []struct {
		name   string
		events []Event
		want   Service
	}{
		{"want", []Event{Want{Slots: []Slot{9, 5}, Up: true}}, Service{Wanted: true}},
		{"want no more", []Event{Want{Slots: []Slot{5}, Up: true}, Want{Slots: []Slot{5}}}, Service{}},
		{"begin", []Event{Begin{5, PhaseUp}}, Service{Pending: PhaseUp, Begun: 2}},
		{"up", []Event{Begin{5, PhaseUp}, Up{5, def, 0}}, Service{Up: true, Def: def, Since: at(3)}},
		{"up again", []Event{Up{5, def, 0}, Up{5, def, 0}}, Service{Up: true, Def: def, Since: at(2)}},
		{"down", []Event{Up{5, def, 0}, Redefined{5, def}, Down{5, 0}}, Service{Since: at(4)}},
		{"failed", []Event{Begin{5, PhaseUp}, Failed{Slot: 5, Phase: PhaseUp, Reason: "exit 1"}}, Service{Failure: "exit 1", Failed: PhaseUp}},
		{"failed down", []Event{Up{5, def, 0}, Failed{Slot: 5, Phase: PhaseDown, Reason: "exit 1"}}, Service{Up: true, Def: def, Since: at(2), Failure: "exit 1", Failed: PhaseDown}},
		{"unknown", []Event{Failed{Slot: 5, Phase: PhaseUp, Reason: "lost", Unknown: true}}, Service{Unknown: true, Failure: "lost", Failed: PhaseUp}},
		{"known again", []Event{Failed{Slot: 5, Phase: PhaseUp, Reason: "lost", Unknown: true}, Down{5, 0}}, Service{Since: at(3)}},
		{"pulled in", []Event{Run{Slots: []Slot{5}}, Up{5, def, 9}}, Service{Up: true, Def: def, Since: at(3), By: 9, Command: "run"}},
		{"asked for next", []Event{Up{5, def, 9}, Down{5, 0}}, Service{Since: at(3)}},
		{"permanent", []Event{Failed{Slot: 5, Phase: PhaseUp, Reason: "gave up", Permanent: true}}, Service{Failure: "gave up", Failed: PhaseUp, Permanent: true}},
		{"permanent no more", []Event{Failed{Slot: 5, Phase: PhaseUp, Permanent: true}, Up{5, def, 0}}, Service{Up: true, Def: def, Since: at(3)}},
		{"skipped", []Event{Run{}, Skipped{5, PhaseUp, 9}}, Service{Skipped: true, Failed: PhaseUp, By: 9, Command: "run"}},
		{"failed to reload", []Event{Up{5, def, 0}, Begin{5, PhaseReload}, Failed{Slot: 5, Phase: PhaseReload, Reason: "exit 1"}}, Service{Up: true, Def: def, Since: at(2), Failure: "exit 1", Failed: PhaseReload}},
		{"reloaded", []Event{Up{5, def, 0}, Failed{Slot: 5, Phase: PhaseReload, Reason: "exit 1"}, Begin{5, PhaseReload}, Reloaded{5}}, Service{Up: true, Def: def, Since: at(2)}},
		{"reloaded, and still there for another", []Event{Run{}, Up{5, def, 9}, Begin{5, PhaseReload}, Reloaded{5}}, Service{Up: true, Def: def, Since: at(3), By: 9, Command: "run"}},
		{"observed", []Event{Up{5, def, 0}, Observed{5, false, "exit 1"}}, Service{Since: at(3), Observed: "exit 1"}},
		{"observed before", []Event{Observed{5, true, "found running"}, Down{5, 0}}, Service{Since: at(3)}},
		{"redefined", []Event{Up{5, def, 0}, Redefined{5, db.Digest{8}}}, Service{Up: true, Def: def, Since: at(2), Redefined: 3}},
		{"redefined while down", []Event{Redefined{5, def}}, Service{}},
		{"unknown slot", []Event{Up{6, def, 0}}, Service{}},
		{"kept by a switch", []Event{Up{5, def, 0}, Switch{Table: Table{{5, "b", db.Longrun}}}}, Service{Up: true, Def: def, Since: at(2)}},
		{"dropped by a switch", []Event{Up{5, def, 0}, Switch{}, Switch{Table: Table{{5, "a", db.Longrun}}}}, Service{}},
		{"kept by a patch", []Event{PatchBegin{New: def}, Up{5, def, 0}, Switch{Content: def}, Down{5, 0}, Up{5, def, 0}}, Service{Up: true, Def: def, Since: at(6)}},
		{"dropped by its end", []Event{PatchBegin{New: def}, Up{5, def, 0}, Switch{Content: def}, PatchEnd{Outcome: Applied}}, Service{}},
		{"new in a patch", []Event{Switch{}, PatchBegin{Table: Table{{5, "a", db.Longrun}}}, Up{5, def, 0}}, Service{Up: true, Def: def, Since: at(4)}},
	}
	for _, test := range tests {
		records := []Record{{Seq: 1, At: at(1), Boot: 1, Event: Init{Table: Table{{5, "a", db.Longrun}}, NextSlot: 6}}}
		for i, e := range test.events {
			r := Record{Seq: uint64(i + 2), At: at(i + 2), Boot: time.Duration(i + 2), Event: e}
			if r.Kind() == KindRun {
				r.Cause = "run"
			}
			records = append(records, r)
		}
		if d := cmp.Diff(test.want, Fold(records).Services[5], cmpopts.IgnoreFields(Service{}, "At")); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, d)
		}
	}
}

// TestFoldAt looks at when something was last told of a service.
func TestFoldAt(t *testing.T) {
	for _, c := range []struct {
		event Event
		tells bool
	}{
		{Want{Slots: []Slot{5}, Up: true}, false},
		{Run{Slots: []Slot{5}}, false},
		{Begin{5, PhaseUp}, true},
		{Up{Slot: 5}, true},
		{Down{Slot: 5}, true},
		{Failed{Slot: 5, Phase: PhaseUp}, true},
		{Skipped{5, PhaseUp, 9}, true},
		{Reloaded{5}, true},
		{Observed{Slot: 5}, true},
		{Redefined{Slot: 5}, false},
	} {
		var f Folder
		f.Apply(Record{Seq: 1, Event: Init{Table: Table{{5, "a", db.Longrun}}, NextSlot: 6}})
		f.Apply(Record{Seq: 2, At: time.Unix(2, 0), Event: c.event})
		if got := !f.Service(5).At.IsZero(); got != c.tells {
			t.Errorf("%s: %v, want %v", c.event.kind(), got, c.tells)
		}
	}
}

// TestFoldRun follows a command.
func TestFoldRun(t *testing.T) {
	table := Table{{5, "a", db.Longrun}, {6, "b", db.Longrun}, {7, "c", db.Longrun}, {8, "d", db.Longrun}}
	run := Run{Op: "start", PID: 1, Start: 2, Slots: []Slot{5, 6, 7, 8}}
	records := []Record{
		{Seq: 1, Event: Init{Table: table, NextSlot: 9}},
		{Seq: 2, Cause: "rc-ctl start", At: time.Unix(2, 0), Event: run},
		{Seq: 3, Event: Up{Slot: 5}},
		{Seq: 4, Event: Failed{Slot: 6, Phase: PhaseUp}},
		{Seq: 5, Event: Skipped{Slot: 7, Phase: PhaseUp, By: 6}},
	}
	want := &RunState{Run: run, Cause: "rc-ctl start", At: time.Unix(2, 0), Left: map[Slot]bool{8: true}}
	if d := cmp.Diff(want, Fold(records).Run); d != "" {
		t.Errorf("under way (-want +got):\n%s", d)
	}
	if got := Fold(append(records, Record{Seq: 6, Event: RunEnd{"done"}})).Run; got != nil {
		t.Errorf("after its end: %+v", got)
	}
}

// TestFoldPatch follows a patch.
func TestFoldPatch(t *testing.T) {
	old, next := Table{{5, "a", db.Longrun}}, Table{{6, "b", db.Longrun}}
	records := []Record{
		{Seq: 1, Event: Init{Content: db.Digest{1}, Table: old, NextSlot: 6}},
		{Seq: 2, At: time.Unix(2, 0), Event: PatchBegin{Patch: db.Digest{3}, Old: db.Digest{1}, New: db.Digest{2}, Table: next, NextSlot: 7, Actions: 2}},
		{Seq: 3, Event: PatchStep{Action: 1, Failed: "no"}},
		{Seq: 4, Event: PatchStep{Action: 1}},
		{Seq: 5, Event: PatchStep{Action: 1}},
		{Seq: 6, Event: PatchStep{Action: 2, Failed: "timed out"}},
		{Seq: 7, Event: Switch{Content: db.Digest{2}, Table: next, NextSlot: 7}},
		{Seq: 8, Event: PatchTry{PID: 9, Start: 10}},
		{Seq: 9, Event: PatchAbort{}},
	}
	want := State{
		Seq: 9, Content: db.Digest{2}, Table: next, NextSlot: 7,
		Patch: &Patch{
			Patch: db.Digest{3}, Old: db.Digest{1}, New: db.Digest{2}, OldTable: old, Table: next, NextSlot: 7, Actions: 2,
			Begun: time.Unix(2, 0), Switched: true, Done: []int{1}, Failed: map[int]string{2: "timed out"},
			Tries: 1, PID: 9, Start: 10, Aborting: true,
		},
	}
	if d := cmp.Diff(want, Fold(records), equal); d != "" {
		t.Errorf("during the patch (-want +got):\n%s", d)
	}
	records = append(records, Record{Seq: 10, Event: PatchEnd{Outcome: AppliedWithFailures}})
	want.Seq, want.Patch, want.LastPatch = 10, nil, AppliedWithFailures
	if d := cmp.Diff(want, Fold(records), equal); d != "" {
		t.Errorf("after the patch (-want +got):\n%s", d)
	}
}

// TestSame: a table that is the current one is not written again, and nothing is
// forgotten for it.
func TestSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	table := Table{{5, "a", db.Longrun}, {6, "b", db.Oneshot}}
	if err := Create(path, Init{Table: table, NextSlot: 7}); err != nil {
		t.Fatal(err)
	}
	w, err := OpenWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	other := Table{{5, "a", db.Longrun}, {7, "c", db.Oneshot}}
	for i, step := range []struct {
		event Event
		same  bool
	}{
		{Up{Slot: 5}, false},
		{PatchBegin{New: db.Digest{1}, Table: slices.Clone(table), NextSlot: 7}, true},
		{Switch{Content: db.Digest{1}, Table: slices.Clone(table)}, true},
		{PatchEnd{Outcome: Applied}, false},
		{PatchBegin{New: db.Digest{2}, Table: other, NextSlot: 8}, false},
		{Switch{Content: db.Digest{2}, Table: other}, false},
		{PatchEnd{Outcome: Applied}, false},
	} {
		if _, err := w.Append("", step.event); err != nil {
			t.Fatal(err)
		}
		records, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		var same bool
		switch e := records[len(records)-1].Event.(type) {
		case PatchBegin:
			same = e.Same && len(e.Table) == 0
		case Switch:
			same = e.Same && len(e.Table) == 0
		}
		if same != step.same {
			t.Errorf("step %d: the table is left out: %t", i, same)
		}
		if read := Fold(records); !read.Services[5].Up || !cmp.Equal(read, w.State(), cmpopts.EquateEmpty()) {
			t.Errorf("step %d: read %+v, known %+v", i, read, w.State())
		}
	}
	if got := w.State().Table; !slices.Equal(got, other) {
		t.Errorf("the table is %v", got)
	}
}
