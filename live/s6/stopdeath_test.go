package s6_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"strata/live/s6"
	"strata/live/s6/s6test"
)

// A service ends by itself just when it is told to stop, so that its end is not the
// answer: it is down for good only when the supervisor has read what it was told.
func TestStopMeetsDeath(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Add("a", s6test.Service{
		Finish: "#!/bin/sh\nread _ <data/go\n", Down: true, Files: map[string]string{"data/x": "", "timeout-finish": "0\n"},
	})
	gate := filepath.Join(dir, "data/go")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	st := mustWait(t, dir, s6.GoalUp(), s6.CmdUp)
	if err := syscall.Kill(st.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	st = mustWait(t, dir, s6.GoalStatus("finishing", func(st s6.Status) bool { return st.Finishing }))
	finish, err := unix.PidfdOpen(st.PID, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(finish)

	// The supervisor sleeps through the end of finish and the command.
	sup, err := s6.OpenSupervisor(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer sup.Close()
	syscall.Kill(sup.PID(), syscall.SIGSTOP)
	defer syscall.Kill(sup.PID(), syscall.SIGCONT)
	if err := os.WriteFile(gate, []byte("\n"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Poll([]unix.PollFd{{Fd: int32(finish), Events: unix.POLLIN}}, -1); err != nil {
		t.Fatal(err)
	}
	written := writes(t, filepath.Join(dir, "supervise/control"))
	go func() {
		if _, err := written.Read(make([]byte, 4096)); err != nil {
			t.Error(err)
		}
		syscall.Kill(sup.PID(), syscall.SIGCONT)
	}()
	st = mustWait(t, dir, s6.GoalDownReady(), s6.CmdDown)
	if now := mustStatus(t, dir); st.WantUp || now.WantUp || !now.DownReady() {
		t.Errorf("got %+v, now it is %+v", st, now)
	}
}

// writes gives a file that can be read when somebody has written to the one at path.
func writes(t *testing.T, path string) *os.File {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	t.Cleanup(func() { f.Close() })
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_MODIFY); err != nil {
		t.Fatal(err)
	}
	return f
}
