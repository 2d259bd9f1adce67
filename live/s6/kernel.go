package s6

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// A supervisor whose disk is full goes on supervising and sending events, but its
// status file says what was before. What it has for children, the kernel knows: run
// or finish, or none.

// Verify returns st, the status of the service directory dir, as the kernel has it:
// with the process that the supervisor has now. One that the file does not know is
// taken for a run that is wanted up, and is not ready. Where the kernel does not
// say, st is as good as it gets.
func Verify(dir string, st Status) Status {
	pid, err := SupervisorPID(dir)
	if err != nil || pid == 0 {
		return st
	}
	pids, err := children(pid)
	switch {
	case err != nil, st.PID != 0 && slices.Contains(pids, st.PID):
	case len(pids) > 0:
		st.PID, st.Finishing, st.Paused, st.WantUp, st.Ready = pids[0], false, false, true, false
	case st.PID != 0:
		st.PID, st.Finishing, st.Paused, st.Ready = 0, false, false, true
	}
	return st
}

// Outdated reports whether the process in the status is gone, so that the status
// is not the supervisor's last word, or its last word is about to be written.
func (s Status) Outdated() bool {
	if s.PID == 0 {
		return false
	}
	if s.Finishing {
		return unix.Kill(s.PID, 0) == unix.ESRCH
	}
	// run leads a session; another process that has got its pid probably does not.
	sid, err := unix.Getsid(s.PID)
	return err != nil || sid != s.PID
}

// Children gives the children of a process that has one thread, in the order in
// which they became that: none if there is no such process. The error wraps
// fs.ErrNotExist if the kernel has no such list.
//
// The order is that of the kernel's own list, which grows at its end, since Linux
// 3.5. A child that ends meanwhile can hide another one.
func Children(pid int) ([]int, error) {
	number := strconv.Itoa(pid)
	f, err := os.Open("/proc/" + number + "/task/" + number + "/children")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := bytes.NewBuffer(make([]byte, 0, 16<<10))
	if _, err := b.ReadFrom(f); err != nil {
		return nil, err
	}
	var pids []int
	for n := 0; ; {
		switch c, err := b.ReadByte(); {
		case err != nil:
			return pids, nil
		case '0' <= c && c <= '9':
			n = 10*n + int(c-'0')
		default: // a blank follows each
			pids, n = append(pids, n), 0
		}
	}
}

// children is Children in no order, for every kernel.
func children(pid int) ([]int, error) {
	pids, err := Children(pid)
	if errors.Is(err, fs.ErrNotExist) {
		return childrenAmongAll(strconv.Itoa(pid))
	}
	return pids, err
}

// childrenAmongAll looks for the children of a process among all processes.
func childrenAmongAll(parent string) ([]int, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	var pids [][]byte
	for _, path := range paths {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The name of the program, in parentheses, may hold anything.
		pid, _, _ := bytes.Cut(stat, []byte(" "))
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > 1 && string(fields[1]) == parent {
			pids = append(pids, pid)
		}
	}
	if err != nil {
		return nil, err
	}
	return parsePIDs(pids)
}

func parsePIDs(fields [][]byte) ([]int, error) {
	pids := make([]int, len(fields))
	for i, field := range fields {
		var err error
		if pids[i], err = strconv.Atoi(string(field)); err != nil {
			return nil, err
		}
	}
	return pids, nil
}

// lies reports whether the status cannot be what the supervisor would say now.
func (w *waiter) lies(st Status) bool {
	if st.PID != 0 {
		return st.Outdated()
	}
	pids, err := children(w.pid)
	return err == nil && len(pids) > 0
}

// childless waits until a service that was told to stop has stopped, without
// status and events, and returns the status it has then.
func (w *waiter) childless(ctx context.Context, st Status) (Status, error) {
	ctx, stop := w.whileSupervised(ctx)
	defer stop()
	for before := false; ; {
		pids, err := children(w.pid)
		if err != nil {
			return st, err
		}
		if len(pids) == 0 && before {
			break
		}
		for _, pid := range pids {
			if err := awaitEnd(ctx, pid); err != nil {
				return st, err
			}
		}
		// Between the end of run and the start of finish there is no child either: only
		// when the supervisor has done something after that, none means none.
		before = len(pids) == 0
		if err := Heeded(ctx, w.dir); err != nil {
			return st, err
		}
	}
	// A supervisor that was killed has no children.
	if pid, err := SupervisorPID(w.dir); err != nil || pid != w.pid {
		return st, ErrSuperviseGone
	}
	if now, err := ReadStatus(w.dir); err == nil && now.DownReady() && !now.WantUp {
		return now, nil
	}
	st.PID, st.Finishing, st.Paused, st.WantUp, st.Ready = 0, false, false, false, true
	return st, nil
}

// awaitEnd waits for the end of a process.
func awaitEnd(ctx context.Context, pid int) error {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err == unix.ESRCH {
		return nil
	}
	if err != nil {
		return os.NewSyscallError("pidfd_open", err)
	}
	process := &Supervisor{pid: pid, f: os.NewFile(uintptr(fd), "pidfd")}
	defer process.Close()
	return process.Dead(ctx)
}
