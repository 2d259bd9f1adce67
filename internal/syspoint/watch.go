package syspoint

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Verdict says what becomes of a system call.
type Verdict struct {
	killed bool
	errno  unix.Errno
}

// Pass lets a system call be made. It is the zero value.
func Pass() Verdict { return Verdict{} }

// Kill kills the program instead.
func Kill() Verdict { return Verdict{killed: true} }

// Fail makes the system call do nothing and give an error.
func Fail(errno unix.Errno) Verdict { return Verdict{errno: errno} }

// Unsupported is why programs cannot be watched here, or nil.
func Unsupported() error {
	if !supported {
		return errors.New("it is not known which system calls change something on this kind of machine")
	}
	if _, err := os.Stat("/proc/sys/kernel/seccomp/actions_avail"); err != nil {
		return fmt.Errorf("the kernel does not report system calls: %w", err)
	}
	return nil
}

// Run starts the command, asks at each of its points what becomes of it, and waits for
// the end of the command. The error is that of [exec.Cmd.Wait], also if the program was
// killed. What the program starts in turn is watched too, as long as the program lives.
func Run(c *exec.Cmd, decide func(Point) Verdict) error {
	conn, err := wrap(c)
	if err != nil {
		return err
	}
	defer conn.Close()
	err = c.Start()
	for _, f := range c.ExtraFiles {
		f.Close()
	}
	if err != nil {
		return err
	}
	listener, err := receive(conn)
	if err == nil {
		err = listen(listener, c.Process, decide)
		unix.Close(listener)
	}
	if err != nil {
		_ = c.Process.Kill()
		return errors.Join(fmt.Errorf("cannot watch the system calls of %s: %w", c.Args[0], err), c.Wait())
	}
	return c.Wait()
}

// receive takes the listener from the wrapper.
func receive(conn *os.File) (int, error) {
	const one = 4 // bytes of a descriptor
	control := make([]byte, unix.CmsgSpace(one))
	_, n, _, _, err := unix.Recvmsg(int(conn.Fd()), make([]byte, 1), control, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		return -1, errors.Join(err, errors.New("the program did not start"))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return -1, errors.Join(err, errors.New("the program did not start"))
	}
	return fds[0], nil
}

// notification is the kernel's struct seccomp_notif, answer its seccomp_notif_resp.
type (
	notification struct {
		id            uint64
		thread, flags uint32
		number, arch  uint32
		instruction   uint64
		args          [6]uint64
	}
	answer struct {
		id    uint64
		value int64
		err   int32
		flags uint32 // 1: the system call is made
	}
)

// The requests to a listener.
const (
	requestReceive = 0xc0502100
	requestAnswer  = 0xc0182101
)

// listen asks and answers until nobody is left that is watched.
func listen(listener int, program *os.Process, decide func(Point) Verdict) error {
	started := false
	// Not every kernel says at the listener that a program has ended.
	ended, err := unix.PidfdOpen(program.Pid, 0)
	if err != nil {
		return os.NewSyscallError("pidfd_open", err)
	}
	defer unix.Close(ended)
	for {
		fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}, {Fd: int32(ended), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err == unix.EINTR {
			continue
		} else if err != nil {
			return os.NewSyscallError("poll", err)
		}
		if fds[0].Revents&unix.POLLIN == 0 {
			return nil
		}
		var n notification
		if err := request(listener, requestReceive, unsafe.Pointer(&n)); err == unix.ENOENT || err == unix.EINTR {
			continue // it was killed meanwhile
		} else if err != nil {
			return os.NewSyscallError("receive", err)
		}
		verdict := Pass()
		switch {
		case !started: // the wrapper
			started = n.number == unix.SYS_EXECVE
		case !own(int(n.thread), n.number, n.args):
			verdict = decide(decode(int(n.thread), n.number, n.args))
		}
		if verdict.killed {
			return program.Kill()
		}
		a := answer{id: n.id, err: -int32(verdict.errno)}
		if verdict.errno == 0 {
			a.flags = 1
		}
		if err := request(listener, requestAnswer, unsafe.Pointer(&a)); err != nil && err != unix.ENOENT {
			return os.NewSyscallError("answer", err)
		}
	}
}

func request(listener int, what uintptr, with unsafe.Pointer) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), what, uintptr(with))
	if errno != 0 {
		return errno
	}
	return nil
}
