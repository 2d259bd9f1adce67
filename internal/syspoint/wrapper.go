package syspoint

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Command is the first argument with which a test binary is to call [Main].
const Command = "system-call-points"

// Main becomes the program that is to be watched: args are the descriptor of the
// socket, the program's path and its arguments. It returns only with an error.
func Main(args []string) error {
	if err := become(args); err != nil {
		return fmt.Errorf("cannot watch the system calls of a program: %w", err)
	}
	return nil
}

func become(args []string) error {
	if len(args) < 3 {
		return errors.New("which one?")
	}
	given, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	if err := errors.Join(unix.Dup3(given, socket, unix.O_CLOEXEC), unix.Close(given)); err != nil {
		return err
	}
	// The filter is this thread's, and goes with it when it executes the program.
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	environ := os.Environ()
	listener, err := install(filter())
	if err != nil {
		return err
	}
	if err := unix.Sendmsg(socket, []byte{0}, unix.UnixRights(listener), nil, 0); err != nil {
		return err
	}
	return unix.Exec(args[1], args[2:], environ)
}

// install gives this thread the filter, and returns where its reports are heard. A
// thread whose system call has been heard of can only be killed until it is answered,
// and not interrupted.
func install(program []unix.SockFilter) (int, error) {
	const setModeFilter, newListener, waitKillable = 1, 1 << 3, 1 << 5
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, newListener|waitKillable, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(program)
	if errno != 0 {
		return -1, os.NewSyscallError("seccomp", errno)
	}
	return int(fd), nil
}

// wrap makes a command start under the wrapper, with the socket.
func wrap(c *exec.Cmd) (*os.File, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	const first = 3 // of the descriptors that a command is given
	c.Args = append([]string{self, Command, strconv.Itoa(first + len(c.ExtraFiles)), c.Path}, c.Args...)
	c.Path = self
	c.ExtraFiles = append(c.ExtraFiles, os.NewFile(uintptr(pair[1]), "syspoint"))
	return os.NewFile(uintptr(pair[0]), "syspoint"), nil
}
