package s6

import (
	"context"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A Supervisor is the running s6-supervise of a service directory, held by a
// pidfd: it cannot be mistaken for a later process with the same pid.
type Supervisor struct {
	pid int
	f   *os.File
	mu  sync.Mutex
}

// OpenSupervisor finds the supervisor that is running on the service directory dir.
// The error wraps [ErrNotSupervised] when there is none.
func OpenSupervisor(dir string) (*Supervisor, error) {
	pid, fd, err := openSupervisor(dir)
	if err != nil {
		return nil, err
	}
	return &Supervisor{pid: pid, f: os.NewFile(uintptr(fd), "pidfd")}, nil
}

// openSupervisor opens a pidfd of the supervisor, non-blocking.
func openSupervisor(dir string) (pid, fd int, err error) {
	lock, err := openLock(dir + "/supervise/lock")
	if err != nil {
		return 0, -1, err
	}
	if lock < 0 {
		return 0, -1, notSupervised(dir)
	}
	defer unix.Close(lock)
	for {
		pid, held, err := holder(lock)
		switch {
		case err != nil:
			return 0, -1, err
		case !held:
			return 0, -1, notSupervised(dir)
		case pid == 0:
			return 0, -1, fmt.Errorf("cannot watch supervisor of %s: it lives in another PID namespace", dir)
		}
		fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
		if err == unix.ESRCH {
			continue // it died in between; the lock is free or someone else's
		}
		if err != nil {
			return 0, -1, fmt.Errorf("cannot watch supervisor of %s (pid %d): %w", dir, pid, err)
		}
		// Only if the lock still has the same holder was the pidfd opened on it.
		again, held, err := holder(lock)
		if err == nil && held && again == pid {
			return pid, fd, nil
		}
		unix.Close(fd)
		if err != nil {
			return 0, -1, err
		}
	}
}

// PID is the pid of the supervisor.
func (s *Supervisor) PID() int { return s.pid }

// Dead waits until the supervisor has died, by whatever cause. It returns nil
// then, else the cause of ctx's end or os.ErrClosed.
func (s *Supervisor) Dead(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return withDeadline(ctx, s.f, s.await)
}

// await lets the runtime's poller wait until the pidfd is readable, which is when
// its process has ended.
func (s *Supervisor) await() error {
	rc, err := s.f.SyscallConn()
	if err != nil {
		return err
	}
	return rc.Read(func(fd uintptr) bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		return err == nil && n > 0
	})
}

// Close gives up watching. It does nothing to the supervisor.
func (s *Supervisor) Close() error { return s.f.Close() }
