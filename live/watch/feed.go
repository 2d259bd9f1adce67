package watch

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/s6"
)

// Letter is an event of a longrun's supervisor.
type Letter struct {
	Slot  live.Slot
	Event s6.Event
}

// Feed tells that something may have happened in a live directory. Its methods
// belong to one goroutine at a time.
type Feed struct {
	dir  *live.Dir
	room int // for how many longruns there are descriptors

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	readers sync.WaitGroup
	grown   chan struct{} // the journal has; one is enough
	letters chan Letter
	open    []io.Closer
	heard   map[live.Slot]bool
}

// Open listens to the journal of a live directory from now on. Those who may not
// make anything in its event directory see by inotify that the journal changes. The
// caller closes the feed.
func Open(d *live.Dir) (*Feed, error) {
	f := newFeed(d)
	err := f.subscribe()
	if errors.Is(err, fs.ErrPermission) {
		err = f.notice()
	}
	if err != nil {
		f.cancel()
		return nil, err
	}
	return f, nil
}

func newFeed(d *live.Dir) *Feed {
	f := &Feed{
		dir: d, room: s6.Window(1),
		grown: make(chan struct{}, 1), letters: make(chan Letter), heard: make(map[live.Slot]bool),
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// subscribe is told by the writers of the journal.
func (f *Feed) subscribe() error {
	sub, err := s6.Subscribe(f.dir.EventDir())
	if err != nil {
		return err
	}
	f.open = append(f.open, sub)
	f.readers.Go(func() { f.readJournal(sub) })
	return nil
}

// notice sees by inotify that the journal is written to or replaced.
func (f *Feed) notice() error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return os.NewSyscallError("inotify_init1", err)
	}
	const changes = unix.IN_MODIFY | unix.IN_MOVED_TO | unix.IN_ONLYDIR
	if _, err := unix.InotifyAddWatch(fd, filepath.Dir(f.dir.JournalPath()), changes); err != nil {
		return errors.Join(os.NewSyscallError("inotify_add_watch", err), unix.Close(fd))
	}
	in := os.NewFile(uintptr(fd), "inotify")
	f.open = append(f.open, in)
	f.readers.Go(func() { f.readNotes(in) })
	return nil
}

func (f *Feed) readJournal(sub *s6.Subscription) {
	for {
		if _, err := sub.Next(f.ctx); err != nil {
			return
		}
		f.tell()
	}
}

func (f *Feed) readNotes(in *os.File) {
	buf := make([]byte, 4096)
	for {
		if _, err := in.Read(buf); err != nil {
			return
		}
		f.tell()
	}
}

// tell says that the journal has grown, if that is not being said already.
func (f *Feed) tell() {
	select {
	case f.grown <- struct{}{}:
	default:
	}
}

// Listen listens to the supervisors of these longruns too, to each once. It returns
// how many of them it cannot listen to: there are too few descriptors for all, or the
// caller may not. What these do shows when something else is told.
func (f *Feed) Listen(slots ...live.Slot) (deaf int, err error) {
	for _, slot := range slots {
		if f.heard[slot] {
			continue
		}
		if len(f.heard) >= f.room {
			deaf++
			continue
		}
		sub, err := s6.Subscribe(filepath.Join(f.dir.Servicedir(slot), "event"))
		switch {
		case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
			deaf++
			continue
		case err != nil:
			return deaf, err
		}
		f.heard[slot] = true
		f.open = append(f.open, sub)
		f.readers.Go(func() { f.readLetters(slot, sub) })
	}
	return deaf, nil
}

func (f *Feed) readLetters(slot live.Slot, sub *s6.Subscription) {
	for {
		events, err := sub.Next(f.ctx)
		if err != nil {
			return
		}
		for _, e := range events {
			select {
			case f.letters <- Letter{slot, e}:
			case <-f.ctx.Done():
				return
			}
		}
	}
}

// Next waits until something may have happened. It returns the letters that have
// come; there are none if only the journal has grown. The error is the cause of ctx's
// end.
func (f *Feed) Next(ctx context.Context) ([]Letter, error) {
	var letters []Letter
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-f.grown:
	case l := <-f.letters:
		letters = append(letters, l)
	}
	for {
		select {
		case l := <-f.letters:
			letters = append(letters, l)
		default:
			return letters, nil
		}
	}
}

// Close stops listening, and leaves nothing behind.
func (f *Feed) Close() error {
	f.cancel()
	var errs []error
	for _, c := range f.open {
		errs = append(errs, c.Close())
	}
	f.readers.Wait()
	return errors.Join(errs...)
}
