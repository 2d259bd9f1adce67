package s6

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Heeded waits until the supervisor of the service directory dir has done what it
// was told before: to stop, so that its status says that the service is not wanted
// up. It does not wait until the service has stopped. The error wraps
// [ErrSuperviseGone], or is the cause of ctx's end.
func Heeded(ctx context.Context, dir string) error {
	// It reads one command after the other, so it has done the first when it has
	// read a further one, which changes nothing for a service that is to be down.
	path := dir + "/supervise/control"
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
	defer func() {
		// A FIFO that stays small takes as many commands.
		_ = rc.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, size) })
	}()
	stop := context.AfterFunc(ctx, func() { _ = f.SetWriteDeadline(time.Unix(1, 0)) })
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
