package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"strata/compile/db"
)

// drawn is what events are drawn from.
type drawn struct {
	next Slot
}

func digest() *rapid.Generator[db.Digest] {
	return rapid.Map(rapid.Byte(), func(b byte) db.Digest { return db.Digest{b} })
}

func (d *drawn) slot() *rapid.Generator[Slot] {
	return rapid.Map(rapid.IntRange(0, int(d.next)), func(i int) Slot { return Slot(i) })
}

// table draws a table of slots that were given, or are.
func (d *drawn) table(t *rapid.T) Table {
	slots := rapid.SliceOfNDistinct(rapid.IntRange(1, int(d.next)+2), 0, 5, rapid.ID).Draw(t, "slots")
	var tab Table
	for _, s := range slots {
		d.next = max(d.next, Slot(s)+1)
		tab = append(tab, Entry{Slot: Slot(s), Name: rapid.SampledFrom([]string{"a", "é", "\xff", "x y"}).Draw(t, "name"), Type: rapid.SampledFrom([]db.Type{db.Oneshot, db.Longrun}).Draw(t, "type")})
	}
	return tab
}

func (d *drawn) event(t *rapid.T) Event {
	text := rapid.SampledFrom([]string{"", "why", "é\n"})
	phase := rapid.SampledFrom([]Phase{PhaseUp, PhaseDown, PhaseReload})
	slot, flag, def := d.slot().Draw(t, "slot"), rapid.Bool().Draw(t, "flag"), digest().Draw(t, "def")
	n := rapid.IntRange(0, 5).Draw(t, "n")
	switch rapid.IntRange(0, 16).Draw(t, "kind") {
	case 0:
		return Want{Slots: []Slot{slot}, Up: flag}
	case 1:
		return Begin{slot, phase.Draw(t, "phase")}
	case 2:
		return Up{slot, def, d.slot().Draw(t, "by")}
	case 3:
		return Down{slot, d.slot().Draw(t, "by")}
	case 4:
		return Failed{Slot: slot, Phase: phase.Draw(t, "phase"), Reason: text.Draw(t, "reason"), Unknown: flag, Permanent: !flag}
	case 10:
		return Run{Op: text.Draw(t, "op"), PID: n, Start: uint64(n), Slots: []Slot{slot}}
	case 11:
		return RunEnd{text.Draw(t, "outcome")}
	case 12:
		return Skipped{slot, phase.Draw(t, "phase"), d.slot().Draw(t, "by")}
	case 13:
		return Reloaded{slot}
	case 14:
		return PatchTry{n, uint64(n)}
	case 15:
		return PatchAbort{}
	case 5:
		return Observed{slot, flag, text.Draw(t, "what")}
	case 6:
		return Redefined{slot, def}
	case 7:
		if flag {
			return Switch{Content: def, Table: Table{}, NextSlot: d.next, Same: true}
		}
		return Switch{Content: def, Table: d.table(t), NextSlot: d.next}
	case 8:
		if n%2 == 0 {
			return PatchBegin{Patch: def, New: def, Table: Table{}, NextSlot: d.next, Actions: n, Same: true}
		}
		return PatchBegin{Patch: def, New: def, Table: d.table(t), NextSlot: d.next, Actions: n, Limit: time.Second, Aborts: flag}
	case 9:
		return PatchStep{n, text.Draw(t, "failed")}
	default:
		return PatchEnd{rapid.SampledFrom([]Outcome{Applied, Aborted}).Draw(t, "outcome"), flag}
	}
}

// history draws the records of a journal.
func history(t *rapid.T) []Record {
	d := &drawn{next: 3}
	at := time.Unix(1_800_000_000, 5).UTC()
	records := []Record{{Seq: 1, At: at, Event: Init{Content: db.Digest{1}, Table: d.table(t), NextSlot: d.next}}}
	for range rapid.IntRange(0, 30).Draw(t, "length") {
		at = at.Add(time.Second)
		last := records[len(records)-1]
		records = append(records, Record{
			Seq: last.Seq + 1, At: at, Boot: last.Boot + 1, Cause: rapid.SampledFrom([]string{"", "op"}).Draw(t, "cause"), Event: d.event(t),
		})
	}
	return records
}

var equal = cmp.Options{cmpopts.EquateEmpty()}

// TestFoldParts folds a history at once, and in two parts with a snapshot between.
func TestFoldParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := history(t)
		cut := rapid.IntRange(1, len(records)).Draw(t, "cut")
		before := Fold(records[:cut])
		snapshot := Record{Seq: before.Seq, Event: Snapshot{State: before}}
		parts := Fold(append([]Record{snapshot}, records[cut:]...))
		whole := Fold(records)
		if d := cmp.Diff(whole, parts, equal); d != "" {
			t.Errorf("whole against parts:\n%s", d)
		}
		check(t, whole)
	})
}

// check holds a state to what is true of every state.
func check(t *rapid.T, s State) {
	known := make(map[Slot]bool)
	tables := []Table{s.Table}
	if s.Patch != nil {
		tables = append(tables, s.Patch.OldTable, s.Patch.Table)
	}
	for _, tab := range tables {
		for _, e := range tab {
			known[e.Slot] = true
			if e.Slot >= s.NextSlot {
				t.Errorf("slot %d is given, but the next is %d", e.Slot, s.NextSlot)
			}
		}
	}
	for slot, v := range s.Services {
		if !known[slot] {
			t.Errorf("slot %d is not in a table", slot)
		}
		if !v.Up && !v.Def.IsZero() {
			t.Errorf("slot %d is down with a definition", slot)
		}
	}
}

// TestLines writes records as lines and reads them back.
func TestLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := history(t)
		b := []byte(Header)
		var err error
		for _, r := range records {
			if b, err = appendLine(b, r); err != nil {
				t.Fatal(err)
			}
		}
		got, good, err := Parse(b)
		if err != nil || good != len(b) {
			t.Fatalf("%d of %d bytes, %v", good, len(b), err)
		}
		if d := cmp.Diff(records, got, equal); d != "" {
			t.Errorf("written against read:\n%s", d)
		}
		// However it is cut, what is read is a beginning of it.
		cut := rapid.IntRange(len(Header), len(b)).Draw(t, "cut")
		got, good, err = Parse(b[:cut])
		if good > cut || len(got) > len(records) || err != nil && len(got) > 0 {
			t.Fatalf("cut at %d: %d records, %d bytes, %v", cut, len(got), good, err)
		}
		if d := cmp.Diff(records[:len(got)], got, equal); d != "" {
			t.Errorf("cut at %d:\n%s", cut, d)
		}
	})
}

// TestFlips changes single bytes: the change is found, or is in a torn tail.
func TestFlips(t *testing.T) {
	b := []byte(Header)
	records := []Record{{Seq: 1, Event: Init{Table: Table{{1, "a", db.Longrun}}, NextSlot: 2}}, {Seq: 2, Event: Up{Slot: 1}}, {Seq: 3, Event: Down{Slot: 1}}}
	for _, r := range records {
		var err error
		if b, err = appendLine(b, r); err != nil {
			t.Fatal(err)
		}
	}
	for i := range b {
		for _, bit := range []byte{1, 0x20, 0x80} {
			c := slices.Clone(b)
			c[i] ^= bit
			got, good, err := Parse(c)
			if err == nil && good == len(b) {
				t.Errorf("byte %d changed to %q and nothing found", i, c[i])
			}
			if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFormat) {
				t.Errorf("byte %d: %v", i, err)
			}
			if d := cmp.Diff(records[:len(got)], got, equal); d != "" {
				t.Errorf("byte %d:\n%s", i, d)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	line := func(seq uint64, e Event) string {
		b, err := appendLine(nil, Record{Seq: seq, Event: e})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	tests := []struct {
		text string
		is   error
	}{
		{"", ErrCorrupt},
		{"strata-journal/2\n", ErrFormat},
		{Header, ErrCorrupt},
		{Header + "torn", ErrCorrupt},
		{Header + line(1, Up{}), ErrCorrupt},
		{Header + line(1, Init{}) + line(3, Up{}), ErrCorrupt},
		{Header + line(1, Init{}) + line(2, Init{}), ErrCorrupt},
		{Header + line(1, Init{}) + "\n", ErrCorrupt},
		{Header + line(1, Snapshot{State{Seq: 2}}), ErrCorrupt},
	}
	for _, test := range tests {
		if _, _, err := Parse([]byte(test.text)); !errors.Is(err, test.is) {
			t.Errorf("%q: %v", test.text, err)
		}
	}
}

func TestWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	if err := Create(path, Init{Table: Table{{5, "a", db.Longrun}}, NextSlot: 6}); err != nil {
		t.Fatal(err)
	}
	w, err := OpenWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	if seq, err := w.Append("asked", Want{Slots: []Slot{5}, Up: true}, Up{Slot: 5}); err != nil || seq != 3 {
		t.Fatalf("append: %d, %v", seq, err)
	}
	for range 3 * keepRecords {
		if _, err := w.Append("", Down{Slot: 5}, Up{Slot: 5}); err != nil {
			t.Fatal(err)
		}
	}
	before := w.State()
	if err := w.Compact(); err != nil {
		t.Fatal(err)
	}
	records, err := Read(path)
	if err != nil || len(records) != keepRecords+1 || records[0].Kind() != KindSnapshot {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if d := cmp.Diff(before, Fold(records), equal); d != "" {
		t.Errorf("before against after compaction:\n%s", d)
	}
	if _, err := w.Append("", Down{Slot: 5}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// A torn tail is cut by the next writer, and does not trouble a reader.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("6004 0123 {"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if records, err = Read(path); err != nil || Fold(records).Services[5].Up {
		t.Errorf("read with torn tail: %v", err)
	}
	w, err = OpenWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	seq, err := w.Append("", Up{Slot: 5})
	if err != nil || seq != before.Seq+2 {
		t.Errorf("append after torn tail: %d, %v", seq, err)
	}
	if records, err = Read(path); err != nil || records[len(records)-1].Seq != seq {
		t.Errorf("read: %v", err)
	}
}

// TestGrows lets a journal grow until it compacts itself.
func TestGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	if err := Create(path, Init{Table: Table{{5, "a", db.Longrun}}, NextSlot: 6}); err != nil {
		t.Fatal(err)
	}
	w, err := OpenWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	long := strings.Repeat("x", 500)
	for range 4000 {
		if _, err := w.Append(long, Down{Slot: 5}); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > 4<<20 {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
	if records, err := Read(path); err != nil || records[len(records)-1].Seq != 4001 {
		t.Errorf("read: %v", err)
	}
}

// TestOfMany: a journal of very many services is not written anew by each command.
func TestOfMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	table := make(Table, 100_000)
	for i := range table {
		table[i] = Entry{Slot(i + 1), fmt.Sprintf("a-service-with-a-long-name-%d", i), db.Longrun}
	}
	if err := Create(path, Init{Table: table, NextSlot: 100_001}); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil || before.Size() < compactAbove {
		t.Fatal(before.Size(), err)
	}
	w, err := OpenWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Append("", Up{Slot: 5}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Tidy(), w.Close()); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("written anew for one record (%v)", err)
	}
}

func FuzzParse(f *testing.F) {
	b := []byte(Header)
	for i, e := range []Event{Init{Table: Table{{5, "a", db.Longrun}}}, Want{Slots: []Slot{5}}, PatchBegin{}, PatchStep{}, PatchEnd{}} {
		b, _ = appendLine(b, Record{Seq: uint64(i + 1), Event: e})
	}
	f.Add(b)
	f.Add([]byte(Header))
	middle, _ := appendLine(slices.Clone(b), Record{Seq: 5, Event: Snapshot{State{Seq: 5}}})
	copy(middle, header(len(b)))
	f.Add(middle)
	f.Fuzz(func(t *testing.T, b []byte) {
		// Most inputs die at the checksum; give them the right one too.
		for _, c := range [][]byte{b, withSums(b)} {
			if begin, err := parseHeader(c); err == nil && begin < len(c) {
				var f Folder
				w := walker{visit: f.Apply}
				_ = w.walk(c[begin:])
			}
			records, good, err := Parse(c)
			if good > len(c) {
				t.Errorf("%d of %d bytes", good, len(c))
			}
			Fold(records)
			if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFormat) {
				t.Errorf("error %v", err)
			}
		}
	})
}

// withSums makes records with right checksums of the lines.
func withSums(b []byte) []byte {
	var out strings.Builder
	out.WriteString(Header)
	for i, line := range strings.Split(string(b), "\n") {
		_, text, ok := strings.Cut(line, "{")
		if !ok {
			continue
		}
		seq := fmt.Sprint(i)
		fmt.Fprintf(&out, "%s %08x {%s\n", seq, checksum(seq, []byte("{"+text)), text)
	}
	return []byte(out.String())
}
