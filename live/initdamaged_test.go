package live_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
)

func (tr tree) mustInit(o live.InitOptions) live.InitResult {
	tr.t.Helper()
	r, err := live.Init(tr.t.Context(), o)
	if err != nil {
		tr.t.Fatal(err)
	}
	return r
}

// A directory whose journal is damaged is replaced once everything was stopped.
func TestInitOverDamagedJournal(t *testing.T) {
	tr := newTree(t)
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"), oneshot("o")))
	a := d.Servicedir(live.FirstSlot)
	up := mustWait(t, a, s6.GoalUp(), s6.CmdUp)
	if err := os.WriteFile(d.JournalPath(), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := tr.options(writeDB(t, filepath.Join(tr.Root, "other"), longrun("b")))
	refused := func(when string) {
		t.Helper()
		_, err := live.Init(t.Context(), o)
		if !errors.Is(err, live.ErrCorrupt) || !strings.Contains(err.Error(), "first stop everything") {
			t.Errorf("%s: %v", when, err)
		}
		if _, err := os.Lstat(d.EventDir()); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	refused("before anything was stopped")
	if err := d.MarkStopped(); err != nil {
		t.Fatal(err)
	}
	refused("with a longrun that was started since")
	if st := mustStatus(t, a); st.PID != up.PID {
		t.Errorf("a was moved: %+v", st)
	}
	mustWait(t, a, s6.GoalDownReady(), s6.CmdDown)
	if r := tr.mustInit(o); r.Existing || r.Real == d.Real() {
		t.Errorf("%+v", r)
	}
	wholeDir(t, tr, o.Live, "b")
}

// Without its database a directory gets it back, or, if nothing is up, gives way to
// one for another.
func TestInitOverLostDatabase(t *testing.T) {
	tr := newTree(t)
	base := writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"))
	d := tr.init(base)
	a := d.Servicedir(live.FirstSlot)
	up := mustWait(t, a, s6.GoalUp(), s6.CmdUp)
	lose := func() {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(d.Real(), "db/*"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		if err := os.Remove(files[0]); err != nil {
			t.Fatal(err)
		}
	}
	lose()
	if r := tr.mustInit(tr.options(base)); !r.Existing {
		t.Errorf("%+v", r)
	}
	if again, err := d.DB(); err != nil {
		t.Error(err)
	} else {
		again.Close()
	}
	lose()
	o := tr.options(writeDB(t, filepath.Join(tr.Root, "other"), longrun("b")))
	if _, err := live.Init(t.Context(), o); !errors.Is(err, live.ErrMismatch) {
		t.Errorf("while something is up: %v", err)
	}
	if st := mustStatus(t, a); st.PID != up.PID {
		t.Errorf("a was moved: %+v", st)
	}
	mustWait(t, a, s6.GoalDownReady(), s6.CmdDown)
	if r := tr.mustInit(o); r.Existing {
		t.Errorf("%+v", r)
	}
	wholeDir(t, tr, o.Live, "b")
}

// The mark of a full stop is gone with the next command that can start something.
func TestStoppedMark(t *testing.T) {
	tr := newTree(t)
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "db"), longrun("a")))
	if err := d.MarkStopped(); err != nil || !d.Stopped() {
		t.Fatal(err)
	}
	text, err := os.ReadFile(d.JournalPath())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.JournalPath(), []byte(journal.Header), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Lock(t.Context(), false); err == nil || !d.Stopped() {
		t.Errorf("a command that could not begin: %v, mark %t", err, d.Stopped())
	}
	if err := os.WriteFile(d.JournalPath(), text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := lock(t, d).Close(); err != nil || d.Stopped() {
		t.Errorf("%v, mark %t", err, d.Stopped())
	}
}

func mustWait(t testing.TB, dir string, goal s6.Goal, cmds ...s6.Command) s6.Status {
	t.Helper()
	_, err := s6.WaitFor(t.Context(), dir, goal, cmds...)
	if err != nil {
		t.Fatal(err)
	}
	return mustStatus(t, dir)
}

func mustStatus(t testing.TB, dir string) s6.Status {
	t.Helper()
	st, err := s6.ReadStatus(dir)
	if err != nil {
		t.Fatal(err)
	}
	return st
}
