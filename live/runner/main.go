package runner

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"

	"strata/live"
)

// SocketName is the socket's name in the runner's service directory.
const SocketName = "s"

// Main is the program of the runner's longrun: it serves the live directory whose
// real path is real until ctx ends. Its current directory is its service
// directory. If fd is not negative, a newline is written to it when clients can
// connect.
func Main(ctx context.Context, real string, fd int) error {
	// It is idle nearly always, and the machine has one for each tree.
	const percent, limit = 50, 16 << 20
	debug.SetGCPercent(percent)
	debug.SetMemoryLimit(limit)

	d, err := live.Open(real)
	if err != nil {
		return err
	}
	l, err := Listen(SocketName)
	if err != nil {
		return err
	}
	if fd >= 0 {
		if err := notify(fd); err != nil {
			l.Close()
			return err
		}
	}
	return NewServer(Config{Lookup: FromLive(d)}).Serve(ctx, l)
}

// notify tells the supervisor that the service is ready.
func notify(fd int) error {
	f := os.NewFile(uintptr(fd), "notification-fd")
	if f == nil {
		return fmt.Errorf("cannot say that the oneshot runner is ready: %d is no descriptor", fd)
	}
	defer f.Close()
	if _, err := f.WriteString("\n"); err != nil {
		return fmt.Errorf("cannot say that the oneshot runner is ready: %w", err)
	}
	return nil
}
