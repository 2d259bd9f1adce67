package board

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"strata/live/journal"
	"strata/live/s6"
)

// Board knows what is said of services. It is for one goroutine at a time.
type Board struct {
	path    string // of the directory of service directories
	dir     *s6.Directory
	notices int    // the inotify descriptor
	behind  bool   // something may not be known
	text    []byte // what is known: Format, and rows in no order
	// watches has for each row those that tell that it is not so any more, and rowOf
	// the row of each.
	watches []watches
	rowOf   map[int32]int32
}

// watches are those of a service directory and of the directory supervise in it.
type watches [2]int32

// Open makes a board for the service directories in path, whose names are slots. It
// knows nothing yet. The caller closes it.
func Open(path string) (*Board, error) {
	dir, err := s6.OpenDirectory(path)
	if err != nil {
		return nil, err
	}
	b := &Board{path: path, dir: dir, notices: -1}
	if err := b.forget(); err != nil {
		dir.Close()
		return nil, err
	}
	return b, nil
}

// Close closes the board, if it is not closed.
func (b *Board) Close() error {
	if b.notices < 0 {
		return nil
	}
	unix.Close(b.notices)
	b.notices = -1
	return b.dir.Close()
}

// The changes that count: all in the two directories of a service, of which each watch
// tells of one and is gone, so that a service that dies over and over costs nothing; and
// new service directories.
const (
	changes = unix.IN_CREATE | unix.IN_MODIFY | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_DELETE
	itself  = unix.IN_DELETE_SELF | unix.IN_MOVE_SELF
	oneNote = changes | itself | unix.IN_ONESHOT | unix.IN_ONLYDIR
	news    = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_ONLYDIR
)

// forget begins anew.
func (b *Board) forget() error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return os.NewSyscallError("inotify_init1", err)
	}
	if _, err := unix.InotifyAddWatch(fd, b.path, news); err != nil {
		unix.Close(fd)
		return fmt.Errorf("cannot watch %s: %w", b.path, err)
	}
	if b.notices >= 0 {
		unix.Close(b.notices)
	}
	b.notices, b.behind = fd, true
	b.text, b.watches, b.rowOf = []byte(Format), nil, map[int32]int32{}
	return nil
}

// Text is what is known at this moment, as it is said to who asks. It is good until the
// next call of a method.
func (b *Board) Text() ([]byte, error) {
	err := b.heed()
	return b.text, err
}

// row gives a row. There are as many as watches.
func (b *Board) row(i int) []byte { return b.text[len(Format)+i*rowSize:][:rowSize] }

// heed drops what has changed.
func (b *Board) heed() error {
	var buf [4096]byte
	for {
		n, err := unix.Read(b.notices, buf[:])
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return nil
		case err != nil:
			return os.NewSyscallError("read", err)
		}
		for events := buf[:n]; len(events) >= unix.SizeofInotifyEvent; {
			watch := int32(binary.NativeEndian.Uint32(events))
			mask := binary.NativeEndian.Uint32(events[4:])
			if mask&unix.IN_Q_OVERFLOW != 0 {
				return b.forget()
			}
			b.behind = true
			if i, ok := b.rowOf[watch]; ok {
				b.drop(int(i))
			}
			events = events[unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(events[12:])):]
		}
	}
}

// drop drops a row. The last one takes its place.
func (b *Board) drop(i int) {
	last := len(b.watches) - 1
	for _, w := range b.watches[i] {
		delete(b.rowOf, w)
	}
	if i < last {
		copy(b.row(i), b.row(last))
		b.watches[i] = b.watches[last]
		for _, w := range b.watches[i] {
			b.rowOf[w] = int32(i)
		}
	}
	b.watches, b.text = b.watches[:last], b.text[:len(b.text)-rowSize]
}

func parseSlot(name string) (journal.Slot, bool) {
	n, err := strconv.ParseUint(name, 10, 32)
	return journal.Slot(n), err == nil
}

// Refresh reads what is said of the services of which it is not known. Where the kernel
// watches no more directories they stay unknown; the error says so.
func (b *Board) Refresh() error {
	if err := b.heed(); err != nil || !b.behind {
		return err
	}
	b.behind = false
	f, err := os.Open(b.path)
	if err != nil {
		return err
	}
	defer f.Close()
	list, err := f.Readdirnames(-1)
	if err != nil {
		return err
	}
	known := make(map[journal.Slot]bool, len(b.watches))
	for i := range b.watches {
		r, _ := parseRow(b.row(i))
		known[r.Slot] = true
	}
	for _, name := range list {
		slot, ok := parseSlot(name)
		if !ok || known[slot] {
			continue
		}
		if err := b.read(slot, name); err != nil {
			return err
		}
	}
	return nil
}

// read reads what is said of one service, if anything is.
func (b *Board) read(slot journal.Slot, name string) error {
	// The watches come first: what changes from now on is told.
	var both watches
	for i, dir := range [...]string{name, name + "/supervise"} {
		w, err := unix.InotifyAddWatch(b.notices, b.path+"/"+dir, oneNote)
		if err == unix.ENOENT || err == unix.ENOTDIR {
			return nil // it has no supervisor yet
		}
		if err != nil {
			return fmt.Errorf("cannot watch service directory %s: %w", dir, err)
		}
		both[i] = int32(w)
		if i, ok := b.rowOf[both[i]]; ok {
			b.drop(int(i)) // the same directory by another name
		}
	}
	st, err := b.dir.Status(name)
	if err != nil || st == (s6.Status{}) {
		return nil // who asks finds that out
	}
	marked, err := s6.MarkedDown(b.path + "/" + name)
	if err != nil {
		return nil
	}
	for _, w := range both {
		b.rowOf[w] = int32(len(b.watches))
	}
	b.watches = append(b.watches, both)
	b.text = Row{slot, st, marked}.append(b.text)
	return nil
}
