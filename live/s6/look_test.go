package s6_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"strata/live/s6"
	"strata/live/s6/s6test"
)

// TestLook looks at service directories of every kind, by short path and by long.
func TestLook(t *testing.T) {
	sc := s6test.New(t)
	up := sc.Add("up", s6test.Service{Run: "#!/bin/sh\nexec sleep 100000\n"})
	mustWait(t, up, s6.GoalUp(), s6.CmdUp)
	// Those that are down have written their status for good.
	sc.Add("down", s6test.Service{Down: true})
	full := sc.Add("full", s6test.Service{Down: true})
	if err := os.Remove(filepath.Join(full, "supervise/status")); err != nil {
		t.Fatal(err)
	}
	parent := filepath.Dir(up)
	dead := filepath.Join(parent, "dead/supervise")
	if err := os.MkdirAll(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"lock", "status"} {
		b, err := os.ReadFile(filepath.Join(up, "supervise", file))
		if err == nil {
			err = os.WriteFile(filepath.Join(dead, file), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := s6.OpenDirectory(parent)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for name, supervised := range map[string]bool{"up": true, "down": true, "full": true, "dead": false, "none": false} {
		st, pid, got, err := d.Look(name)
		if want, _ := s6.SupervisorPID(filepath.Join(parent, name)); pid != want {
			t.Errorf("%s has supervisor %d, want %d", name, pid, want)
		}
		if err != nil || got != supervised {
			t.Errorf("%s has a supervisor: %v, %v", name, got, err)
		}
		var want s6.Status
		if name == "up" || name == "down" {
			want = mustStatus(t, filepath.Join(parent, name))
		}
		if st != want {
			t.Errorf("%s: %+v, want %+v", name, st, want)
		}
	}
	if err := os.WriteFile(filepath.Join(up, "supervise/status"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := d.Look("up"); !errors.Is(err, s6.ErrBadStatus) {
		t.Errorf("a status that is none: %v", err)
	}
	if _, err := s6.OpenDirectory(filepath.Join(parent, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}
