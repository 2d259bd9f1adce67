package live_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"strata/compile/db"
	"strata/live"
)

// TestSweepPatch: the end of a patch looks only at what it named, unless an earlier one
// has left its text behind, and with it perhaps more.
func TestSweepPatch(t *testing.T) {
	tr := newTree(t)
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"), longrun("b")))
	w := lock(t, d)
	defer w.Close()
	s := state(t, w)
	v, err := w.View(s.Content, s.Table)
	if err != nil {
		t.Fatal(err)
	}
	defer v.DB.Close()
	left := func(slot live.Slot) string {
		path := filepath.Join(d.Real(), "defs", strconv.Itoa(int(slot)), strings.Repeat("ab", 32))
		if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			t.Fatal(err)
		}
		return path
	}
	stray := filepath.Join(d.Real(), "defs", "99999")
	if err := os.Mkdir(stray, 0o755); err != nil {
		t.Fatal(err)
	}
	sweep := func(texts ...string) {
		t.Helper()
		var first db.Digest
		for i, text := range texts {
			digest, err := w.KeepPatch([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = digest
			}
		}
		if err := w.SweepPatch(first, v, []db.ServiceID{1}); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(filepath.Join(d.Real(), "patches")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("patches: %v", err)
		}
	}
	is := func(path string, there bool) {
		t.Helper()
		if _, err := os.Lstat(path); (err == nil) != there {
			t.Errorf("%s: %v, want it there: %t", path, err, there)
		}
	}
	a, b := left(s.Table[0].Slot), left(s.Table[1].Slot)
	sweep("one")
	is(a, true)
	is(b, false)
	is(stray, true)
	left(s.Table[1].Slot)
	sweep("one", "an earlier one")
	is(a, false)
	is(b, false)
	is(stray, false)
	for _, e := range s.Table {
		if _, err := os.Stat(filepath.Join(d.Servicedir(e.Slot), "run")); err != nil {
			t.Error(err)
		}
	}
}
