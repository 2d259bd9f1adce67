package s6test_test

import (
	"errors"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"strata/live/s6"
	"strata/live/s6/s6test"
)

// TestNothingIsLeft runs a tree that does not end well, a daemon orphaned by the
// death of its supervisor, and looks for it afterwards.
func TestNothingIsLeft(t *testing.T) {
	var root string
	var pids []int
	t.Run("tree", func(t *testing.T) {
		sc := s6test.New(t, s6test.Env("HELLO=world"))
		root = sc.Root
		dir := sc.Add("a", s6test.Service{
			Run:            "#!/bin/sh\necho $HELLO >&2\necho >&3\nexec 3>&-\nexec sleep 100000\n",
			NotificationFD: 3,
		})
		st, err := s6.WaitFor(t.Context(), dir, s6.GoalUpReady())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(sc.Log(), "world") {
			t.Errorf("log %q", sc.Log())
		}
		sup, err := s6.OpenSupervisor(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer sup.Close()
		pids = append(pids, sc.PID(), sup.PID(), st.PID)
		for _, p := range sc.Processes() {
			pids = append(pids, p.PID)
		}
		if len(pids) != 3+3 {
			t.Errorf("processes %v", sc.Processes())
		}
		syscall.Kill(sup.PID(), syscall.SIGKILL)
		if err := sup.Dead(t.Context()); err != nil {
			t.Error(err)
		}
	})
	for _, pid := range pids {
		// One that has ended may still be there for its parent to notice.
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err == nil && !strings.Contains(string(stat), ") Z ") {
			t.Errorf("process %d lives: %s", pid, stat)
		}
	}
	if _, err := os.Stat(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", root, err)
	}
}

// TestUnderNohup starts a tree from a program that ignores SIGHUP.
func TestUnderNohup(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	sc := s6test.New(t)
	text, err := os.ReadFile("/proc/" + strconv.Itoa(sc.PID()) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "SigIgn:\t")
	mask, _, _ := strings.Cut(rest, "\n")
	ignored, err := strconv.ParseUint(mask, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	if ignored&(1<<(syscall.SIGHUP-1)) != 0 {
		t.Errorf("the tree ignores SIGHUP: %s", mask)
	}
}
