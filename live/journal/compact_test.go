package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"strata/compile/db"
)

// created is a writer of a journal that was just created.
func created(t testing.TB, first Init) (*Writer, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal")
	if err := Create(path, first); err != nil {
		t.Fatal(err)
	}
	w, err := OpenWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w, path
}

func mustAppend(t testing.TB, w *Writer, events ...Event) {
	t.Helper()
	if _, err := w.Append("test", events...); err != nil {
		t.Fatal(err)
	}
}

// mustCompact gives the file after a compaction, and where a fold of it begins.
func mustCompact(t testing.TB, w *Writer, path string) (b []byte, begin int) {
	t.Helper()
	err := w.Compact()
	if err == nil {
		b, err = os.ReadFile(path)
	}
	if err == nil {
		begin, err = parseHeader(b)
	}
	if err != nil || begin <= len(Header) {
		t.Fatal(begin, err)
	}
	return b, begin
}

// checkFile compares what a journal's readers say with the writer's state, and gives
// the records, and how many of them a fold reads.
func checkFile(t testing.TB, w *Writer, path string) (records []Record, folded int) {
	t.Helper()
	records, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	known, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, state := range map[string]State{"all records": Fold(records), "load": known.State()} {
		if d := cmp.Diff(w.State(), state, equal); d != "" {
			t.Errorf("the writer's state against that of %s:\n%s", what, d)
		}
	}
	raw, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return records, bytes.Count(raw.b, []byte("\n"))
}

var oneService = Init{Table: Table{{5, "a", db.Longrun}}, NextSlot: 6}

// TestTidy compacts where a fold would read much history, and only there.
func TestTidy(t *testing.T) {
	w, path := created(t, oneService)
	tidied := func(kept, folded int) {
		t.Helper()
		if err := w.Tidy(); err != nil {
			t.Fatal(err)
		}
		records, n := checkFile(t, w, path)
		if len(records) != kept+1 || n != folded+1 {
			t.Errorf("%d records, of which a fold reads %d, want %d and %d", len(records), n, kept+1, folded+1)
		}
	}
	few := slices.Repeat([]Event{Down{Slot: 5}, Up{Slot: 5}}, fewRecords/2)
	mustAppend(t, w, few...)
	tidied(fewRecords, fewRecords)
	// Another writer counts the same.
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	if w, err = OpenWriter(path); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	mustAppend(t, w, Down{Slot: 5})
	tidied(fewRecords+1, 0)
	mustAppend(t, w, few...)
	tidied(2*fewRecords+1, fewRecords)
	mustAppend(t, w, slices.Repeat(few, 5)...)
	tidied(keepRecords, 0)
	mustAppend(t, w, slices.Repeat(few, 2)...)
	tidied(keepRecords, 0)

	// A snapshot of many services is not written for a few records.
	var many Table
	for i := range Slot(20_000) {
		many = append(many, Entry{Slot: i + 1, Name: fmt.Sprintf("service-%d", i), Type: db.Longrun})
	}
	mustAppend(t, w, Switch{Table: many, NextSlot: 30_000})
	if err := w.Compact(); err != nil {
		t.Fatal(err)
	}
	most := len(many) / partOfMany
	mustAppend(t, w, slices.Repeat([]Event{Down{Slot: 5}}, most)...)
	tidied(keepRecords+most, most)
	mustAppend(t, w, Down{Slot: 5})
	tidied(keepRecords, 0)
}

// TestCompactedAnyTime: when a journal is compacted makes no difference.
func TestCompactedAnyTime(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		records := history(rt)
		first, ok := records[0].Event.(Init)
		if !ok {
			rt.Skip()
		}
		w, path := created(t, first)
		seq := uint64(1)
		for _, r := range records[1:] {
			mustAppend(t, w, r.Event)
			seq++
			if rapid.IntRange(0, 9).Draw(rt, "compact") == 0 {
				if err := w.Compact(); err != nil {
					rt.Fatal(err)
				}
			}
		}
		all, _ := checkFile(t, w, path)
		for i, r := range slices.Backward(all) {
			if want := seq - uint64(len(all)-1-i); r.Seq != want {
				rt.Fatalf("record %d has the number %d, want %d", i, r.Seq, want)
			}
		}
	})
}

// damage flips a bit of a file.
func damage(t *testing.T, path string, where func([]byte) int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[where(b)] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedHistory: who needs the state does not look at what is kept for people.
func TestDamagedHistory(t *testing.T) {
	w, path := created(t, oneService)
	mustAppend(t, w, Down{Slot: 5}, Up{Slot: 5})
	if err := w.Compact(); err != nil {
		t.Fatal(err)
	}
	damage(t, path, func(b []byte) int { return bytes.Index(b, []byte(`"kind":"down"`)) })
	known, err := Load(path)
	if err != nil || !known.Service(5).Up {
		t.Errorf("load: %v", err)
	}
	if records, err := Read(path); !errors.Is(err, ErrCorrupt) || len(records) != 1 {
		t.Errorf("read: %d records, %v", len(records), err)
	}
}

// TestBegin: the header leads to where a fold can begin, or the file is damaged.
func TestBegin(t *testing.T) {
	w, path := created(t, oneService)
	mustAppend(t, w, Up{Slot: 5}, Want{Slots: []Slot{5}, Up: true})
	fresh, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b, begin := mustCompact(t, w, path)
	last := bytes.LastIndexByte(b[:len(b)-1], '\n') + 1
	second := lineEnd(b, len(Header))
	for name, c := range map[string]struct {
		file []byte
		all  bool // who reads everything finds it
		fold bool // who folds finds it
	}{
		"as it is":            {b, false, false},
		"fresh":               {fresh, false, false},
		"the first":           {withBegin(b, len(Header)), true, true},
		"a record":            {withBegin(b, second), true, true},
		"inside a line":       {withBegin(b, begin+1), true, true},
		"before the end":      {withBegin(b, len(b)-1), true, true},
		"the end":             {withBegin(b, len(b)), true, true},
		"beyond the end":      {withBegin(b, len(b)+100), true, true},
		"in the header":       {withBegin(b, 3), true, true},
		"nowhere":             {withBegin(fresh, 0), true, true},
		"before a line":       {withBegin(b, begin-1), true, true},
		"the first record":    {withBegin(fresh, lineEnd(fresh, len(Header))), true, true},
		"no number":           {bytes.Replace(b, []byte("/1 0"), []byte("/1 x"), 1), true, true},
		"cut off":             {b[:len(Header)-3], true, true},
		"a snapshot too much": {append(slices.Clone(b), b[last:]...), true, true},
	} {
		if err := os.WriteFile(path, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		_, whole := Read(path)
		_, folded := Load(path)
		other, written := OpenWriter(path)
		if written == nil {
			_ = other.Close()
		}
		if errors.Is(whole, ErrCorrupt) != c.all || errors.Is(folded, ErrCorrupt) != c.fold || errors.Is(written, ErrCorrupt) != c.fold {
			t.Errorf("%s: read %v, load %v, open %v", name, whole, folded, written)
		}
	}
}

// TestMiddle: what a fold begins with repeats the record before it. Who does not read
// that record cannot tell.
func TestMiddle(t *testing.T) {
	first, second := Record{Seq: 1, Event: oneService}, Record{Seq: 2, Event: Up{Slot: 5}}
	for name, c := range map[string]struct {
		middle Record
		all    bool // who reads everything finds it
		fold   bool // who folds finds it
	}{
		"right":                   {Record{Seq: 2, Event: Snapshot{State{Seq: 2}}}, false, false},
		"of an earlier record":    {Record{Seq: 1, Event: Snapshot{State{Seq: 1}}}, true, false},
		"of a later record":       {Record{Seq: 3, Event: Snapshot{State{Seq: 3}}}, true, false},
		"of another than it says": {Record{Seq: 2, Event: Snapshot{State{Seq: 1}}}, true, true},
		"an init in its place":    {Record{Seq: 2, Event: oneService}, true, false},
		"an event in its place":   {Record{Seq: 2, Event: Down{Slot: 5}}, true, true},
		"the next record":         {Record{Seq: 3, Event: Down{Slot: 5}}, true, true},
	} {
		b, err := appendLine([]byte(Header), first)
		if err == nil {
			b, err = appendLine(b, second)
		}
		copy(b, header(len(b)))
		if err == nil {
			b, err = appendLine(b, c.middle)
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, whole := Read(path)
		_, folded := Load(path)
		if errors.Is(whole, ErrCorrupt) != c.all || errors.Is(folded, ErrCorrupt) != c.fold {
			t.Errorf("%s: read %v, load %v", name, whole, folded)
		}
	}
}

// TestCompactCut: a file that somebody has cut short meanwhile is left as it is.
func TestCompactCut(t *testing.T) {
	w, path := created(t, oneService)
	mustAppend(t, w, Down{Slot: 5}, Up{Slot: 5})
	b, begin := mustCompact(t, w, path)
	for _, size := range []int{begin, begin - 1, len(Header) + 5, len(Header), 3} {
		if err := os.Truncate(path, int64(size)); err != nil {
			t.Fatal(err)
		}
		if err := w.Compact(); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d bytes: %v", size, err)
		}
		if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, b[:size]) {
			t.Errorf("%d bytes: it is not as it was (%v)", size, err)
		}
	}
}

func withBegin(b []byte, begin int) []byte {
	return append(header(begin), b[len(Header):]...)
}

// TestCompactDamaged: history that is damaged does not keep the file from being
// compacted, and is dropped.
func TestCompactDamaged(t *testing.T) {
	w, path := created(t, oneService)
	mustAppend(t, w, slices.Repeat([]Event{Down{Slot: 5}, Up{Slot: 5}}, keepRecords)...)
	if err := w.Compact(); err != nil {
		t.Fatal(err)
	}
	damage(t, path, func(b []byte) int { return lineEnd(b, len(Header)) + 20 })
	mustAppend(t, w, Down{Slot: 5})
	if err := w.Compact(); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, w, Up{Slot: 5})
	if err := w.Compact(); err != nil {
		t.Fatal(err)
	}
	if records, n := checkFile(t, w, path); len(records) != 2 || n != 1 {
		t.Errorf("%d records, of which a fold reads %d", len(records), n)
	}
}

// TestCompactedAway: a compaction after which the file cannot be opened loses no record
// that is appended later.
func TestCompactedAway(t *testing.T) {
	w, path := created(t, oneService)
	mustAppend(t, w, Up{Slot: 5})
	content, err := w.compacted()
	if err == nil {
		err = errors.Join(replace(path, content), w.f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	w.f, w.size = nil, int64(len(content)) // as if open had failed
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Append("", Down{Slot: 5}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("appended to no file: %v", err)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	mustCompact(t, w, path)
	mustAppend(t, w, Down{Slot: 5})
	checkFile(t, w, path)
}
