package journal

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"strata/compile/db"
)

// same reads a record's JSON quickly, if that goes, and as any JSON, and reports
// whether it went. Both have to give the same.
func same(t interface{ Errorf(string, ...any) }, text []byte) bool {
	quick, ok := quickRecord(text, "why", new(calendar))
	if !ok {
		return false
	}
	if short, ok := quick.Event.(restored); ok {
		quick.Event = Snapshot{State: short.folder.State()}
	}
	want, err := decodeRecord(text)
	if err != nil {
		t.Errorf("%s: quickly read, but %v", text, err)
		return true
	}
	if d := cmp.Diff(want, quick, equal); d != "" {
		t.Errorf("%s: as JSON against quickly:\n%s", text, d)
	}
	return true
}

// record is the JSON of a record.
func record(t testing.TB, r Record) []byte {
	t.Helper()
	r.Seq = 1
	line, err := appendLine(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	return line[len("1 01234567 ") : len(line)-1]
}

// long are records of the kinds that are to be read quickly, with every field.
func long() []Record {
	at, def := time.Unix(1_800_000_000, 5).UTC(), db.Digest{1, 0xab}
	table := Table{{16, "web", db.Longrun}, {17, "db-2", db.Oneshot}}
	epoch := Epoch{Boot: "6a1c-0", PID: 1, Start: math.MaxUint64}
	state := State{
		Epoch: epoch, Seq: 1, Content: def, Table: table, NextSlot: 18,
		Services: map[Slot]Service{
			16: {Wanted: true, Up: true, Def: def, Redefined: 7, Since: at, At: at.Add(1), Cause: "why", By: 17, Command: "rc-ctl start"},
			17: {
				Unknown: true, Pending: PhaseDown, Begun: 7, Since: at, At: at, Cause: "why", By: 17, Failure: "exit 1", Failed: PhaseUp,
				Permanent: true, Skipped: true, Observed: "gone",
			},
		},
	}
	ended := state
	ended.LastPatch = Applied
	busy := state
	busy.Run = &RunState{Run: Run{Op: "stop", PID: 2, Start: 3, Slots: []Slot{16}}, Cause: "x", At: at, Left: map[Slot]bool{16: true}}
	busy.Patch = &Patch{OldTable: table, Table: table, Done: []int{1}, Failed: map[int]string{2: "}}"}, Begun: at}
	busy.LastPatch = Aborted
	var records []Record
	for _, e := range []Event{
		Up{16, def, 0},
		Up{16, def, 17},
		Down{16, 0},
		Down{16, 17},
		Begin{16, PhaseReload},
		Want{Slots: []Slot{16, 17}, Up: true},
		Want{Slots: []Slot{}},
		Run{"start", 2, 3, []Slot{16}},
		RunEnd{"done"},
		Init{epoch, def, table, 18},
		Switch{Content: def, Table: Table{}, NextSlot: 18},
		Switch{Content: def, NextSlot: 18, Same: true},
		PatchBegin{Patch: def, Old: def, New: def, Table: table, NextSlot: 18, Actions: 3},
		PatchBegin{Patch: def, Old: def, New: def, NextSlot: 18, Actions: 3, Same: true},
		Snapshot{state},
		Snapshot{busy},
		Snapshot{ended},
	} {
		records = append(records, Record{At: at, Boot: 1 << 40, Cause: "why", Event: e}, Record{At: at, Event: e})
	}
	return records
}

func TestQuick(t *testing.T) {
	for _, r := range long() {
		text := record(t, r)
		if !same(t, text) {
			t.Errorf("%s: not read quickly", text)
		}
		if cut := string(text[:len(text)-1]); same(t, []byte(cut)) || same(t, []byte(cut+" }")) || same(t, []byte(cut+"}}")) {
			t.Errorf("%s: a beginning of it, or more, was read quickly", text)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		for _, r := range history(rt) {
			same(rt, record(t, r))
		}
	})
}

// TestQuickRefuses shows what is left to encoding/json, which takes some of it.
func TestQuickRefuses(t *testing.T) {
	const begin = `{"at":"2026-11-20T12:17:18Z","boot":1,"kind":"down","data":`
	for _, data := range []string{
		`{"slot":4294967296}`, `{"slot":01}`, `{"slot":-1}`, `{"slot":1.0}`, `{"slot":18446744073709551617}`, `{"slot":}`,
		`{"slot":1,"by":2,"by":3}`, `{"slot":1,"more":2}`, `{ "slot":1}`, `{"SLOT":1}`, `null`, ``,
	} {
		if _, ok := quickRecord([]byte(begin+data+"}"), "", new(calendar)); ok {
			t.Errorf("%s is read quickly", data)
		}
	}
	for _, text := range []string{
		`{"at":"2026-11-20 12:17:18","boot":1,"kind":"down","data":{"slot":1}}`,
		`{"at":"2026-11-20T12:17:18Z","boot":-0,"kind":"down","data":{"slot":1}}`,
		`{"at":"2026-11-20T12:17:18Z","boot":1,"cause":"\u0041","kind":"down","data":{"slot":1}}`,
		`{"at":"2026-11-20T12:17:18Z","boot":1,"cause":"é","kind":"down","data":{"slot":1}}`,
		`{"at":"2026-11-20T12:17:18Z","boot":1,"kind":"begin","data":{"slot":1,"phase":"sideways"}}`,
		`{"at":"2026-11-20T12:17:18Z","boot":1,"kind":"up","data":{"slot":1,"def":"` + strings.Repeat("g", 64) + `"}}`,
		`{"at":"2026-11-20T12:17:18Z","boot":1,"kind":"switch","data":{"content":"` + strings.Repeat("0", 64) + `","table":{"names":["a"],"slots":[1],"types":"x"},"next_slot":1}}`,
	} {
		if _, ok := quickRecord([]byte(text), "", new(calendar)); ok {
			t.Errorf("%s is read quickly", text)
		}
	}
}

func FuzzRecord(f *testing.F) {
	for _, r := range long() {
		f.Add(record(f, r))
	}
	f.Fuzz(func(t *testing.T, text []byte) { same(t, text) })
}

// TestLoad reads a journal for its state, before and after a compaction, and with a
// torn tail.
func TestLoad(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		records := history(rt)
		cut := rapid.IntRange(1, len(records)).Draw(rt, "cut")
		before := Fold(records[:cut])
		compacted := append([]Record{{Seq: before.Seq, Event: Snapshot{State: before}}}, records[cut:]...)
		for _, list := range [][]Record{records, compacted} {
			b := []byte(Header)
			for _, r := range list {
				var err error
				if b, err = appendLine(b, r); err != nil {
					rt.Fatal(err)
				}
			}
			var f Folder
			w := walker{visit: f.Apply, good: len(Header)}
			if err := w.walk(slices.Concat(b[len(Header):], []byte("9 0123"))); err != nil || w.good != len(b) {
				rt.Fatalf("%d of %d bytes: %v", w.good, len(b), err)
			}
			state := Fold(records)
			if d := cmp.Diff(state, f.State(), equal); d != "" {
				rt.Errorf("fold against load:\n%s", d)
			}
			for slot := range state.NextSlot + 1 {
				if d := cmp.Diff(state.Services[slot], f.Service(slot)); d != "" {
					rt.Errorf("slot %d:\n%s", slot, d)
				}
				want := state.Services[slot]
				if up, wanted, unknown := f.Standing(slot); up != want.Up || wanted != want.Wanted || unknown != want.Unknown {
					rt.Errorf("slot %d is up %t, wanted %t, unknown %t: want %+v", slot, up, wanted, unknown, want)
				}
			}
		}
	})
}

func benchmarkJournal(b *testing.B, services int, compact bool) []byte {
	at := time.Unix(1_800_000_000, 5).UTC()
	table := make(Table, services)
	for i := range table {
		table[i] = Entry{Slot: Slot(16 + i), Name: "service-" + string(rune('a'+i%26)) + strings.Repeat("x", 6), Type: db.Longrun}
	}
	records := []Record{{Seq: 1, At: at, Event: Init{Epoch{"b", 1, 2}, db.Digest{1}, table, Slot(16 + services)}}}
	for i := range table {
		at = at.Add(time.Microsecond)
		records = append(records, Record{Seq: uint64(2 + i), At: at, Boot: 1 << 40, Cause: "needed by web", Event: Up{table[i].Slot, db.Digest{byte(i)}, 16}})
	}
	if compact {
		records = []Record{{Seq: uint64(1 + services), At: at, Event: Snapshot{Fold(records)}}}
	}
	text := []byte(Header)
	for _, r := range records {
		text, _ = appendLine(text, r)
	}
	return text
}

func BenchmarkLoad(b *testing.B) {
	for _, c := range []struct {
		name    string
		compact bool
	}{{"records", false}, {"snapshot", true}} {
		text := benchmarkJournal(b, 10_000, c.compact)
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				var f Folder
				w := walker{visit: f.Apply}
				if err := w.walk(text[len(Header):]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
