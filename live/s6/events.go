package s6

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	s, err := subscribe(eventDir)
	if err != nil {
		return nil, fmt.Errorf("cannot listen to %s: %w", eventDir, err)
	}
	return s, nil
}

func subscribe(eventDir string) (*Subscription, error) {
	now := time.Now()
	sweepFIFOs(eventDir, now)
	name := subscriptionName(now)
	// The notifier passes over names with a dot, so it cannot meet the FIFO
	// before it has its reader, and take it for a stale one.
	hidden := filepath.Join(eventDir, "."+name)
	if err := unix.Mkfifo(hidden, 0o600); err != nil {
		return nil, err
	}
	f, err := openSubscription(hidden)
	if err == nil {
		final := filepath.Join(eventDir, name)
		if err = unix.Rename(hidden, final); err == nil {
			return &Subscription{path: final, f: f}, nil
		}
		f.Close()
	}
	unix.Unlink(hidden)
	return nil, err
}

// openSubscription opens our new FIFO. Mode 0622 lets a supervisor of another
// user write into it; the descriptor is also a writer, so that there is no end of
// file each time a notifier closes its end.
func openSubscription(path string) (*os.File, error) {
	if err := unix.Chmod(path, 0o622); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
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
		var buf [64]byte
		for {
			n, err := unix.Read(int(fd), buf[:])
			if err == unix.EINTR {
				continue
			}
			if n <= 0 || err != nil {
				if err != unix.EAGAIN {
					readErr = err
				}
				return true
			}
			all = appendEvents(all, buf[:n])
		}
	})
	return all, errors.Join(err, readErr)
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
