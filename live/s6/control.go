package s6

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNotSupervised is wrapped by errors about a service directory on which no
// s6-supervise is running.
var ErrNotSupervised = errors.New("no supervisor is running on it")

// A Command is one byte for s6-supervise. The list is closed and holds only what
// both s6 2.11 and 2.15 understand. Left out are l, P, C and K (unknown to 2.11;
// send the signal itself, see [SignalCommand]), Q (some 2.15 ignore it) and D and
// U, which change ./down: [MarkDown] and [UnmarkDown] do that, so that it has
// happened when the call returns.
type Command byte

// The commands. Signals reach run only while it runs; all others are taken in any
// state.
const (
	CmdUp         Command = 'u' // want up; start now if down
	CmdDown       Command = 'd' // want down; stop if up
	CmdOnce       Command = 'o' // start now if down; do not start again
	CmdOnceAtMost Command = 'O' // do not start again, leave it running
	CmdExit       Command = 'x' // the supervisor ends when the service is down; stops nothing
	CmdRestart    Command = 'r' // send the down-signal, want as before
	CmdPause      Command = 'p' // SIGSTOP
	CmdContinue   Command = 'c' // SIGCONT
	CmdTerm       Command = 't' // SIGTERM
	CmdKill       Command = 'k' // SIGKILL
	CmdHup        Command = 'h' // SIGHUP
	CmdInt        Command = 'i' // SIGINT
	CmdQuit       Command = 'q' // SIGQUIT
	CmdAlarm      Command = 'a' // SIGALRM
	CmdAbort      Command = 'b' // SIGABRT
	CmdUser1      Command = '1' // SIGUSR1
	CmdUser2      Command = '2' // SIGUSR2
	CmdWinch      Command = 'y' // SIGWINCH
)

// valid reports whether c is one of the list.
func (c Command) valid() bool {
	switch c {
	case CmdUp, CmdDown, CmdOnce, CmdOnceAtMost, CmdExit, CmdRestart, CmdPause, CmdContinue,
		CmdTerm, CmdKill, CmdHup, CmdInt, CmdQuit, CmdAlarm, CmdAbort, CmdUser1, CmdUser2, CmdWinch:
		return true
	}
	return false
}

// SignalCommand gives the command that makes s6-supervise send sig to run. It
// reports false for a signal that has none.
func SignalCommand(sig syscall.Signal) (Command, bool) {
	switch sig {
	case unix.SIGTERM:
		return CmdTerm, true
	case unix.SIGKILL:
		return CmdKill, true
	case unix.SIGHUP:
		return CmdHup, true
	case unix.SIGINT:
		return CmdInt, true
	case unix.SIGQUIT:
		return CmdQuit, true
	case unix.SIGALRM:
		return CmdAlarm, true
	case unix.SIGABRT:
		return CmdAbort, true
	case unix.SIGUSR1:
		return CmdUser1, true
	case unix.SIGUSR2:
		return CmdUser2, true
	case unix.SIGWINCH:
		return CmdWinch, true
	case unix.SIGSTOP:
		return CmdPause, true
	case unix.SIGCONT:
		return CmdContinue, true
	}
	return 0, false
}

// SendControl writes the commands to the supervisor of the service directory dir,
// in one write, to be done in this order. There is no answer: that a command
// was done shows in the status and the events, see [WaitFor]. The error wraps
// [ErrNotSupervised], [fs.ErrPermission] or what else the system said.
func SendControl(dir string, cmds ...Command) error {
	b := make([]byte, 0, 8)
	for _, c := range cmds {
		if !c.valid() {
			return fmt.Errorf("cannot control %s: %q is no command", dir, byte(c))
		}
		b = append(b, byte(c))
	}
	if len(b) == 0 {
		return nil
	}
	err := writeControl(dir+"/supervise/control", b)
	switch {
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.EPIPE):
		return fmt.Errorf("cannot control %s: %w", dir, ErrNotSupervised)
	case err != nil:
		return fmt.Errorf("cannot control %s: %w", dir, err)
	}
	return nil
}

// controlTimeout is how long a full control FIFO may stay full. Its reader lives
// then but does not read: s6-supervise blocks in a read when a daemon writes to
// its notification fd without a newline.
const controlTimeout = 5 * time.Second

// writeControl writes b to the control FIFO path in one write. It never waits for
// a reader to come: without one the error is ENXIO.
func writeControl(path string, b []byte) error {
	fd, err := openRetry(path, unix.O_WRONLY|unix.O_NONBLOCK)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFIFO {
		unix.Close(fd)
		return &fs.PathError{Op: "open", Path: path, Err: errors.New("is not a FIFO")}
	}
	_, err = unix.Write(fd, b)
	if err == unix.EAGAIN || err == unix.EINTR {
		return writeLater(fd, path, b)
	}
	unix.Close(fd)
	if err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// writeLater writes b to the FIFO, which is full, and closes fd.
func writeLater(fd int, path string, b []byte) error {
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	if err := f.SetWriteDeadline(time.Now().Add(controlTimeout)); err != nil {
		return err
	}
	_, err := f.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &fs.PathError{Op: "write", Path: path, Err: errors.New("its reader does not take commands")}
	}
	return err
}

// Supervised reports whether an s6-supervise is running on the service directory
// dir. It asks the lock of supervise/lock, for which search permission on
// supervise/ is enough.
func Supervised(dir string) (bool, error) {
	_, held, err := lockHolder(dir + "/supervise/lock")
	return held, err
}

// AwaitSupervised waits until an s6-supervise is running on the service directory dir.
// The error is that of ctx's end, or what the system said.
func AwaitSupervised(ctx context.Context, dir string) error {
	sub, err := Subscribe(dir + "/event")
	if err != nil {
		return err
	}
	defer sub.Close()
	for {
		if up, err := Supervised(dir); err != nil || up {
			return err
		}
		if _, err := sub.Next(ctx); err != nil {
			return err
		}
	}
}

// SupervisorPID gives the pid of the s6-supervise running on the service directory
// dir. The error wraps [ErrNotSupervised] when there is none. The pid is 0 when
// the supervisor lives in a PID namespace that cannot be seen from here.
func SupervisorPID(dir string) (int, error) {
	pid, held, err := lockHolder(dir + "/supervise/lock")
	if err != nil {
		return 0, err
	}
	if !held {
		return 0, notSupervised(dir)
	}
	return pid, nil
}

func notSupervised(dir string) error {
	return fmt.Errorf("cannot find supervisor of %s: %w", dir, ErrNotSupervised)
}

// MarkDown makes the file down in the service directory dir: the next supervisor
// will not start the service by itself. It is no error if the file is there.
func MarkDown(dir string) error {
	fd, err := unix.Open(dir+"/down", unix.O_WRONLY|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("cannot mark %s down: %w", dir, err)
	}
	return unix.Close(fd)
}

// MarkedDown reports whether the file down is in the service directory dir.
func MarkedDown(dir string) (bool, error) {
	err := unix.Access(dir+"/down", unix.F_OK)
	if err == unix.ENOENT {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot look for %s/down: %w", dir, err)
	}
	return true, nil
}

// UnmarkDown removes the file down from the service directory dir. It is no error
// if there is none.
func UnmarkDown(dir string) error { return unmarkDownAt(unix.AT_FDCWD, dir) }

// unmarkDownAt is UnmarkDown for a path that may begin at the directory at.
func unmarkDownAt(at int, dir string) error {
	if err := unix.Unlinkat(at, dir+"/down", 0); err != nil && err != unix.ENOENT {
		return fmt.Errorf("cannot unmark %s down: %w", dir, err)
	}
	return nil
}
