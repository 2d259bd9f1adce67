package s6

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// An Event is one letter that s6-supervise sends to its listeners. Letters that
// belong together may come one by one or at once. A listener must take unknown
// letters as "something has changed".
type Event byte

// The events of s6-supervise.
const (
	EventStart Event = 's' // the supervisor has started; status and control are there
	EventUp    Event = 'u' // run was started
	EventReady Event = 'U' // run said that it is ready
	EventDied  Event = 'd' // run died; finish may be running
	EventDown  Event = 'D' // run and finish have ended
	EventFail  Event = 'O' // finish exited 125: the service will not be started again
	EventExit  Event = 'x' // the supervisor is about to end, by itself
)

// A Subscription is a FIFO of ours in the event directory of a service, which
// receives its events from the moment [Subscribe] returns. It is used by one
// goroutine at a time.
type Subscription struct {
	path string
	f    *os.File
	once sync.Once
	err  error
}

// Subscribe makes a subscription in eventDir, the event directory of a service.
// Whoever subscribes needs write and search permission there. The caller closes
// the subscription; what a killed program leaves behind is removed by the next
// event, and by the next Subscribe.
func Subscribe(eventDir string) (*Subscription, error) {
	fd, path, err := makeListener(eventDir)
	if err != nil {
		return nil, err
	}
	return &Subscription{path: path, f: os.NewFile(uintptr(fd), path)}, nil
}

// makeListener makes the FIFO of a subscription and opens it, non-blocking.
func makeListener(eventDir string) (fd int, path string, err error) {
	dir, err := openEventDir(eventDir)
	if err == nil {
		now := time.Now()
		sweepFIFOs(dir, now)
		name := subscriptionName(now)
		path = eventDir + "/" + name
		fd, err = makeFIFO(dir, name)
		unix.Close(dir)
	}
	if err != nil {
		return -1, "", fmt.Errorf("cannot listen to %s: %w", eventDir, err)
	}
	return fd, path, nil
}

// openEventDir opens an event directory, for reading if we may.
func openEventDir(path string) (int, error) {
	dir, err := openRetry(path, unix.O_RDONLY|unix.O_DIRECTORY)
	if err == unix.EACCES {
		return openRetry(path, unix.O_PATH|unix.O_DIRECTORY)
	}
	return dir, err
}

// makeFIFO makes and opens a FIFO in the directory dir. The notifier passes over
// names with a dot, so it cannot meet the FIFO before it has its reader, and take
// it for a stale one.
func makeFIFO(dir int, name string) (int, error) {
	for {
		fd, err := tryFIFO(dir, name)
		if err != unix.ENOENT || gone(dir) {
			return fd, err
		}
	}
}

// gone says whether a directory that is open was removed.
func gone(dir int) bool {
	var st unix.Stat_t
	return unix.Fstat(dir, &st) != nil || st.Nlink == 0
}

// tryFIFO is makeFIFO, unless the FIFO is taken for a dead one.
func tryFIFO(dir int, name string) (int, error) {
	hidden := hiddenName(name)
	if err := unix.Mknodat(dir, hidden, unix.S_IFIFO|0o600, 0); err != nil {
		return -1, err
	}
	fd, err := openListener(dir, hidden)
	if err == nil {
		if err = unix.Renameat(dir, hidden, dir, name); err == nil {
			return fd, nil
		}
		unix.Close(fd)
	}
	_ = unix.Unlinkat(dir, hidden, 0)
	return -1, err
}

// openListener opens our new FIFO. Mode 0622 lets a supervisor of another user
// write into it; the descriptor is also a writer, so that there is no end of file
// each time a notifier closes its end.
func openListener(dir int, name string) (int, error) {
	if err := unix.Fchmodat(dir, name, 0o622, 0); err != nil {
		return -1, err
	}
	return openatRetry(dir, name, unix.O_RDWR|unix.O_NONBLOCK)
}

// subscriptionName gives a name that the notifier accepts, unique: "ftrig1:", a
// stamp, ":", six random characters of a file name; 39 bytes in all.
func subscriptionName(now time.Time) string {
	var b [6]byte
	rand.Read(b[:]) // never fails
	return "ftrig1:" + StampOf(now).String() + ":" + base64.RawURLEncoding.EncodeToString(b[:])[:6]
}

// Next waits for events and gives those that have come, at least one. The error
// is the cause of ctx's end, or os.ErrClosed.
func (s *Subscription) Next(ctx context.Context) ([]Event, error) {
	var events []Event
	err := withDeadline(ctx, s.f, func() error {
		var buf [64]byte
		n, err := s.f.Read(buf[:])
		events = appendEvents(nil, buf[:n])
		return err
	})
	return events, err
}

// Drain gives the events that have come already, possibly none, without waiting.
func (s *Subscription) Drain() ([]Event, error) {
	rc, err := s.f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var all []Event
	var readErr error
	err = rc.Read(func(fd uintptr) bool {
		all, readErr = drain(int(fd))
		return true
	})
	return all, errors.Join(err, readErr)
}

// drain reads what is in a FIFO of ours, possibly nothing.
func drain(fd int) ([]Event, error) {
	var all []Event
	var buf [64]byte
	for {
		n, err := unix.Read(fd, buf[:])
		switch err {
		case nil:
			all = appendEvents(all, buf[:n])
			if n < len(buf) {
				return all, nil
			}
		case unix.EINTR:
		case unix.EAGAIN:
			return all, nil
		default:
			return all, os.NewSyscallError("read", err)
		}
	}
}

// appendEvents appends the letters that were read.
func appendEvents(to []Event, letters []byte) []Event {
	for _, c := range letters {
		to = append(to, Event(c))
	}
	return to
}

// Close ends the subscription: its FIFO is removed first, so that no notifier
// meets it without a reader. Closing again does nothing.
func (s *Subscription) Close() error {
	s.once.Do(func() {
		s.err = errors.Join(ignoreMissing(unix.Unlink(s.path)), s.f.Close())
	})
	return s.err
}

// ignoreMissing takes "no such file" for success: something else removed it.
func ignoreMissing(err error) error {
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}
