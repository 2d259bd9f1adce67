package s6

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// waiter is one wait: its descriptors, which its loop watches, and what came from
// them. Only its own goroutine reads them.
type waiter struct {
	dir  string
	loop *Loop
	key  int32
	pid  int    // of the supervisor
	path string // of the FIFO
	// deaf says why there is no FIFO: a full disk, on which services can be stopped
	// all the same.
	deaf error

	fifo, pidfd int // -1 is none

	woken chan struct{} // holds one when something may be there
	gone  atomic.Bool   // the supervisor has ended

	// silence ends the wait when it takes a start, and no sign of it comes for as
	// long as limit; nil is never.
	silence *time.Timer
	limit   time.Duration
}

func (l *Loop) newWaiter(dir string) (*waiter, error) {
	w := &waiter{dir: dir, fifo: -1, pidfd: -1, woken: make(chan struct{}, 1)}
	if err := l.enter(w); err != nil {
		return nil, err
	}
	if err := w.open(); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// open opens what the wait listens to.
func (w *waiter) open() error {
	var err error
	if w.pid, w.pidfd, err = openSupervisor(w.dir); err != nil {
		return err
	}
	if err := w.loop.watch(w, w.pidfd, fromSupervisor); err != nil {
		return err
	}
	w.fifo, w.path, err = makeListener(w.dir + "/event")
	if errors.Is(err, unix.ENOSPC) {
		w.deaf = err
		return nil
	}
	if err != nil {
		return err
	}
	return w.loop.watch(w, w.fifo, fromEvents)
}

// close ends the wait. The FIFO is removed first, so that no notifier meets it
// without a reader.
func (w *waiter) close() {
	if w.fifo >= 0 {
		_ = unix.Unlink(w.path)
	}
	for _, fd := range [...]int{w.fifo, w.pidfd} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	if w.silence != nil {
		w.silence.Stop()
	}
	w.loop.leave(w)
}

// told is called by the loop when something has come.
func (w *waiter) told(from source) {
	if from == fromSupervisor {
		w.gone.Store(true)
	}
	select {
	case w.woken <- struct{}{}:
	default: // it has not looked yet since the last time
	}
}

// expectSigns makes next return errSilence when nothing comes for that long.
func (w *waiter) expectSigns(limit time.Duration) {
	w.silence, w.limit = time.NewTimer(limit), limit
}

// errSilence says that no event came within the start limit.
var errSilence = errors.New("no event came")

// next waits for events.
func (w *waiter) next(ctx context.Context) ([]Event, error) {
	if w.silence != nil {
		w.silence.Reset(w.limit)
	}
	for {
		// What the supervisor has said before its end still counts.
		gone := w.gone.Load()
		events, err := drain(w.fifo)
		if err != nil || len(events) > 0 {
			return events, err
		}
		if gone {
			return nil, ErrSuperviseGone
		}
		if err := w.await(ctx); err != nil {
			return nil, err
		}
	}
}

// await waits until something may have come. The error is the cause of ctx's end, or
// errSilence.
func (w *waiter) await(ctx context.Context) error {
	var silence <-chan time.Time
	if w.silence != nil {
		silence = w.silence.C
	}
	select {
	case <-w.woken:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-silence:
		return errSilence
	}
}

// whileSupervised gives a context that also ends with the supervisor, for what does
// not wait for events. The returned function, which has to be called, ends it too.
func (w *waiter) whileSupervised(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for !w.gone.Load() {
			if w.await(ctx) != nil {
				return
			}
		}
		cancel(ErrSuperviseGone)
	}()
	return ctx, func() {
		cancel(nil)
		<-ended
	}
}
