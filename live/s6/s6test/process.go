package s6test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Process is one process of a test tree.
type Process struct {
	PID  int
	Name string // the first 15 bytes of the program's name
}

// Processes gives all living processes that s6-svscan and its descendants
// started, s6-svscan itself first where it is among them. They are known by their
// environment, so a program that clears it is not found.
func (s *Scandir) Processes() []Process {
	mark := []byte(markEnv + "=" + s.Root)
	paths, _ := filepath.Glob("/proc/[0-9]*/environ")
	var all []Process
	for _, path := range paths {
		env, err := os.ReadFile(path)
		if err != nil || !slices.ContainsFunc(bytes.Split(env, []byte{0}), func(v []byte) bool { return bytes.Equal(v, mark) }) {
			continue // gone, a zombie, someone else's, or not ours
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil || pid == os.Getpid() {
			continue
		}
		name, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "comm"))
		all = append(all, Process{pid, string(bytes.TrimSpace(name))})
	}
	rank := func(p Process) int {
		switch p.Name {
		case "s6-svscan":
			return 0
		case "s6-supervise":
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b Process) int { return rank(a) - rank(b) })
	return all
}

// kill kills the process and waits until it has ended.
func (p Process) kill(limit time.Duration) error {
	fd, err := unix.PidfdOpen(p.PID, unix.PIDFD_NONBLOCK)
	if err == unix.ESRCH {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
		if err == unix.ESRCH {
			return nil
		}
		return err
	}
	return waitPidfd(fd, limit)
}

// Ends reports whether the process has ended or does so soon by itself: it waits for
// that, up to [Limit].
func (p Process) Ends() bool {
	fd, err := unix.PidfdOpen(p.PID, unix.PIDFD_NONBLOCK)
	if err != nil {
		return err == unix.ESRCH
	}
	defer unix.Close(fd)
	return waitPidfd(fd, Limit) == nil
}

// waitPidfd waits until the process of the pidfd has ended.
func waitPidfd(fd int, limit time.Duration) error {
	end := time.Now().Add(limit)
	for {
		left := time.Until(end)
		if left <= 0 {
			return context.DeadlineExceeded
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left/time.Millisecond)+1)
		if err != nil && err != unix.EINTR {
			return err
		}
		if n > 0 {
			return nil
		}
	}
}
