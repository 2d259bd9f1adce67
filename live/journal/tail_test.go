package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"strata/compile/db"
)

// tailed is a journal that is written to and read as it grows.
type tailed struct {
	t    *testing.T
	path string
	w    *Writer
	tail *Tail
}

func newTailed(t *testing.T) *tailed {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal")
	if err := Create(path, Init{Table: Table{{5, "a", db.Longrun}}, NextSlot: 6}); err != nil {
		t.Fatal(err)
	}
	w, err := OpenWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	j := &tailed{t, path, w, NewTail(path)}
	t.Cleanup(func() { _ = errors.Join(w.Close(), j.tail.Close()) })
	return j
}

func (j *tailed) append(n int) {
	j.t.Helper()
	for range n {
		if _, err := j.w.Append("", Up{Slot: 5}); err != nil {
			j.t.Fatal(err)
		}
	}
}

// wants reads on and expects the records from first to last, without a gap.
func (j *tailed) wants(first, last uint64) []Record {
	j.t.Helper()
	records, err := j.tail.Next()
	if err != nil {
		j.t.Fatal(err)
	}
	if got := uint64(len(records)); got != last+1-first {
		j.t.Fatalf("%d records, want %d to %d", got, first, last)
	}
	for i, r := range records {
		if r.Seq != first+uint64(i) {
			j.t.Fatalf("record %d where %d is due", r.Seq, first+uint64(i))
		}
	}
	return records
}

func TestTail(t *testing.T) {
	j := newTailed(t)
	j.wants(1, 1)
	j.wants(2, 1)
	j.append(3)
	j.wants(2, 4)
	// What is not finished is not read, and read once it is.
	f, err := os.OpenFile(j.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	line, err := appendLine(nil, Record{Seq: 5, Event: Down{Slot: 5}})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]byte{line[:9], line[9 : len(line)-1]} {
		if _, err := f.Write(part); err != nil {
			t.Fatal(err)
		}
		j.wants(5, 4)
	}
	if _, err := f.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	if r := j.wants(5, 5); r[0].Kind() != KindDown {
		t.Errorf("%+v", r)
	}
}

// TestTailCompaction reads across replacements of the file: no record twice, none
// left out, unless more were written than are kept.
func TestTailCompaction(t *testing.T) {
	j := newTailed(t)
	compact := func() {
		t.Helper()
		if err := j.w.Compact(); err != nil {
			t.Fatal(err)
		}
	}
	j.wants(1, 1)
	j.append(2)
	compact()
	j.append(2)
	j.wants(2, 5)
	compact()
	j.wants(6, 5)
	j.append(keepRecords)
	compact()
	j.append(keepRecords)
	compact()
	j.wants(6, 5+2*keepRecords)
	compact()
	j.append(2 * keepRecords)
	compact()
	if r := j.wants(5+3*keepRecords, 5+4*keepRecords); r[0].Kind() != KindSnapshot {
		t.Errorf("after a gap it begins with %q", r[0].Kind())
	}
}

func TestTailGone(t *testing.T) {
	j := newTailed(t)
	j.wants(1, 1)
	if err := os.Remove(j.path); err != nil {
		t.Fatal(err)
	}
	if _, err := j.tail.Next(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}
}

// TestTailTakenBack cuts off what a writer without space could not finish.
func TestTailTakenBack(t *testing.T) {
	j := newTailed(t)
	info, err := os.Stat(j.path)
	if err != nil {
		t.Fatal(err)
	}
	j.append(1)
	j.wants(1, 2)
	if err := os.Truncate(j.path, info.Size()); err != nil {
		t.Fatal(err)
	}
	j.wants(3, 2)
	w, err := OpenWriter(j.path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Append("", Down{Slot: 5}); err != nil {
		t.Fatal(err)
	}
	j.wants(2, 2)
}
