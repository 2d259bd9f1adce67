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
	"syscall"
	"time"

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

// children gives the children of a process that has one thread: none if there is
// no such process.
func children(pid int) ([]int, error) {
	number := strconv.Itoa(pid)
	b, err := os.ReadFile("/proc/" + number + "/task/" + number + "/children")
	if errors.Is(err, fs.ErrNotExist) {
		return childrenAmongAll(number) // not every kernel has that file
	}
	if err != nil {
		return nil, err
	}
	return parsePIDs(bytes.Fields(b))
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
		if err := w.heeded(ctx); err != nil {
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

// heeded waits until the supervisor has done what it was told: to stop. It reads
// one command after the other, so it has when it has read a further one, which
// changes nothing for a service that is to be down.
func (w *waiter) heeded(ctx context.Context) error {
	path := w.dir + "/supervise/control"
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ENXIO) {
		return ErrSuperviseGone
	}
	if err != nil {
		return err
	}
	defer f.Close()
	rc, err := f.SyscallConn()
	if err != nil {
		return err
	}
	// A FIFO of one page counts as full until all that is in it was read, so that
	// the poller tells.
	var size int
	if err := control(rc, func(fd uintptr) (err error) {
		if size, err = unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0); err == nil {
			_, err = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, os.Getpagesize())
		}
		return err
	}); err != nil {
		return &os.PathError{Op: "fcntl", Path: path, Err: err}
	}
	defer control(rc, func(fd uintptr) error {
		_, err := unix.FcntlInt(fd, unix.F_SETPIPE_SZ, size)
		return err // not ours to have, but no harm
	})
	stop := context.AfterFunc(ctx, func() { f.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err = f.Write([]byte{byte(CmdOnceAtMost)}); err == nil {
		err = rc.Write(emptied)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// emptied reports whether all that was written to a FIFO was read.
func emptied(fd uintptr) bool {
	n, err := unix.IoctlGetInt(int(fd), unix.TIOCINQ)
	return err != nil || n == 0
}

// control calls f with a descriptor and returns its error.
func control(rc syscall.RawConn, f func(fd uintptr) error) error {
	var inner error
	return errors.Join(rc.Control(func(fd uintptr) { inner = f(fd) }), inner)
}
