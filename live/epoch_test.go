package live_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

func TestRunning(t *testing.T) {
	for _, c := range []struct {
		what string
		run  journal.Run
		want bool
	}{
		{"this process", journal.Run{PID: os.Getpid()}, true},
		{"another with its pid", journal.Run{PID: os.Getpid(), Start: 1}, false},
		{"none", journal.Run{PID: 1 << 30}, false},
	} {
		if got := live.Running(c.run); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

// TestStale has a directory whose s6-svscan is gone, and another one in its place:
// nobody believes it, and nothing in it is changed.
func TestStale(t *testing.T) {
	tr := newTree(t)
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"), oneshot("b")))
	w := lock(t, d)
	defer w.Close()
	if err := w.Append("", journal.Up{Slot: live.FirstSlot}, journal.Up{Slot: live.FirstSlot + 1}); err != nil {
		t.Fatal(err)
	}
	before := content(t, d.Real())
	if err := (s6.Svscan{Dir: tr.Dir}).Send(s6.ScanStopAll); err != nil {
		t.Fatal(err)
	}
	select {
	case <-tr.Exited():
	case <-time.After(s6test.Limit):
		t.Fatal("s6-svscan does not end")
	}
	if st, err := d.Current(); err != nil || st.Services[0].Up || !st.Services[1].Up {
		t.Errorf("without s6-svscan: %+v, %v", st, err)
	}
	if _, err := w.State(); !errors.Is(err, s6.ErrNotRunning) {
		t.Errorf("writer without s6-svscan: %v", err)
	}
	s6test.Start(t, tr.Root, tr.Dir)
	for what, read := range map[string]func() error{
		"reader":  func() error { _, err := d.Current(); return err },
		"writer":  func() error { _, err := w.State(); return err },
		"summary": func() error { _, err := d.Summary(); return err },
	} {
		if err := read(); !errors.Is(err, live.ErrStale) {
			t.Errorf("%s with another s6-svscan: %v", what, err)
		}
	}
	if diff := cmp.Diff(before, content(t, d.Real())); diff != "" {
		t.Errorf("something was changed:\n%s", diff)
	}
}

// content gives the regular files of a directory, but what a supervisor writes.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.Name() == "supervise" || e.Name() == "event" {
			return fs.SkipDir
		}
		if e.Type().IsRegular() {
			b, err := os.ReadFile(path)
			files[path] = string(b)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
