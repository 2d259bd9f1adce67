package runner

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Program is what a job runs.
type Program struct {
	// Argv is the command; empty is a program that does nothing and succeeds.
	Argv []string
	// File says that Argv[0] is a file in Dir.
	File bool
	// Dir is the current directory.
	Dir string
	// TTY is a terminal for the standard streams, or empty.
	TTY string
}

// launch starts a program in a session of its own, with these descriptors as its
// standard streams, or with nothing to read and the log of the tree to write to.
func launch(p Program, env []string, path string, streams []int) (pid int, err error) {
	file, argv := "./"+p.Argv[0], p.Argv
	if p.File {
		argv = append([]string{file}, argv[1:]...)
	} else if file = find(p.Argv[0], path); file == "" {
		return 0, fmt.Errorf("cannot run %s: not found in PATH %s", p.Argv[0], path)
	}
	streams, done, err := standard(p, streams)
	if err != nil {
		return 0, err
	}
	defer done()
	attr := &syscall.ProcAttr{Dir: p.Dir, Env: env, Sys: &syscall.SysProcAttr{Setsid: true, Setctty: p.TTY != ""}}
	for _, fd := range streams {
		attr.Files = append(attr.Files, uintptr(fd))
	}
	pid, err = fork(file, argv, attr)
	if attr.Sys.Setctty && errors.Is(err, unix.EPERM) {
		// The terminal belongs to another session; it can be used all the same.
		attr.Sys.Setctty = false
		pid, err = fork(file, argv, attr)
	}
	if err != nil {
		return 0, fmt.Errorf("cannot run %s: %w", p.Argv[0], &os.PathError{Op: "execute", Path: file, Err: err})
	}
	return pid, nil
}

// standard gives the standard streams of a program. They are there until done is
// called.
func standard(p Program, streams []int) (_ []int, done func(), err error) {
	if p.TTY == "" && len(streams) == stdio {
		return streams, func() {}, nil
	}
	path := os.DevNull
	if p.TTY != "" {
		path = p.TTY
	}
	fd, err := openStream(path)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot open %s: %w", path, err)
	}
	streams = []int{fd, fd, fd}
	if p.TTY == "" {
		streams[1], streams[2] = unix.Stderr, unix.Stderr
	}
	return streams, func() { unix.Close(fd) }, nil
}

// openStream opens a terminal, or what is like one. One on a serial line without a
// carrier would make us wait for that, before there is a program that a limit
// could end.
func openStream(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// fork starts a process. It blocks no signal, while in this one [stopSignal] is
// blocked where it is not expected.
func fork(file string, argv []string, attr *syscall.ProcAttr) (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	set := signalSet(stopSignal)
	var old unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_UNBLOCK, &set, &old); err != nil {
		return 0, err
	}
	defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil) }()
	return syscall.ForkExec(file, argv, attr)
}

// awaitExit waits until a child has ended, and leaves its status where it is.
func awaitExit(pid int) {
	if fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK); err == nil {
		f := os.NewFile(uintptr(fd), "pidfd")
		defer f.Close()
		if raw, err := f.SyscallConn(); err == nil {
			if raw.Read(func(uintptr) bool { return exited(pid, unix.WNOHANG) }) == nil {
				return
			}
		}
	}
	exited(pid, 0) // a thread has to wait
}

// exited says whether a child has ended; without WNOHANG it waits for that.
func exited(pid, flags int) bool {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT|flags, nil)
		if err != unix.EINTR {
			return err != nil || info.Signo != 0
		}
	}
}

// reap takes the status of a child that has ended.
func reap(pid int) Result {
	var ws unix.WaitStatus
	_, err := unix.Wait4(pid, &ws, 0, nil)
	for err == unix.EINTR {
		_, err = unix.Wait4(pid, &ws, 0, nil)
	}
	switch {
	case err != nil:
		return Result{Exit: -1, Error: fmt.Sprintf("cannot learn how it ended: %v", err)}
	case ws.Signaled():
		return Result{Exit: -1, Signal: int(ws.Signal())}
	}
	return Result{Exit: ws.ExitStatus()}
}
