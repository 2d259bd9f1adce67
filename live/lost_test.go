package live_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"strata/live"
	"strata/live/journal"
)

// A journal that was cut is not taken for a shorter one.
func TestCutJournal(t *testing.T) {
	tr := newTree(t)
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"), oneshot("o")))
	w := lock(t, d)
	for range 3 {
		if err := w.Append("test", journal.Begin{Slot: live.FirstSlot + 1, Phase: journal.PhaseUp}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(d.JournalPath())
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	for _, c := range []struct {
		name string
		text []byte
		good bool
	}{
		{"whole", text, true},
		{"a torn tail", append(bytes.Clone(text), "7 123"...), true},
		{"without its last record", bytes.Join(lines[:len(lines)-2], nil), false},
		{"cut in the last record", text[:len(text)-3], false},
		{"only the first record", bytes.Join(lines[:2], nil), false},
		{"empty", nil, false},
	} {
		if err := os.WriteFile(d.JournalPath(), c.text, 0o644); err != nil {
			t.Fatal(err)
		}
		w, err := d.Lock(t.Context(), false)
		if err == nil {
			err = w.Close()
		}
		if c.good && err != nil || !c.good && !errors.Is(err, live.ErrCorrupt) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
