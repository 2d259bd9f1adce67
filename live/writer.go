package live

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"strata/internal/failpoint"
	"strata/live/journal"
	"strata/live/s6"
)

// Writer is the one process that may change a live directory. [Writer.Append] may
// be called from several goroutines; everything else belongs to one at a time.
type Writer struct {
	*Dir
	// Hooks are for tests.
	Hooks failpoint.Hooks

	lock    *lock
	journal *journal.Writer
	changed atomic.Bool // something was appended since the last summary
	renamed bool        // s6-svscan has not been told of new names
	next    Slot        // the lowest slot that this writer has not given
	// heard is what the supervisors said when the lock was taken. It is for the first
	// state, which is read right after it.
	heard *presence
}

// newWriter begins to write under a lock. The journal may have been read ahead.
func newWriter(d *Dir, held *lock, read *journal.Ahead) (*Writer, error) {
	var j *journal.Writer
	present, err := d.askBeside(func() (err error) {
		j, err = openJournal(d.JournalPath(), read)
		return err
	})
	if err != nil {
		return nil, damaged(err)
	}
	w := &Writer{Dir: d, lock: held, journal: j, heard: present}
	var last uint64
	j.With(func(known *journal.Folder) { last, w.next = known.Seq(), known.Head().NextSlot })
	if err = d.checkEnd(last); err == nil {
		err = d.unmarkStopped()
	}
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return w, nil
}

func openJournal(path string, read *journal.Ahead) (*journal.Writer, error) {
	if read != nil {
		return read.OpenWriter()
	}
	return journal.OpenWriter(path)
}

// Hold takes the lock without reading the journal: for stopping what runs in a
// damaged directory. Closing gives it back. Errors are those of [Dir.Lock].
func (d *Dir) Hold(ctx context.Context, block bool) (io.Closer, error) {
	held, err := lockFile(ctx, d.file("lock"), block, func() {})
	if err != nil {
		return nil, err
	}
	return held, nil
}

// Close writes the summary if something has changed, and gives the lock back. A
// full disk is no error: the summary is then that of an earlier moment.
func (w *Writer) Close() error {
	var err error
	if w.changed.Load() {
		err = errors.Join(w.WriteSummary(), w.journal.Tidy())
	}
	if errors.Is(err, unix.ENOSPC) {
		err = nil
	}
	return errors.Join(err, w.settle(), w.journal.Close(), w.lock.Close())
}

// Journal is what the journal knows.
func (w *Writer) Journal() journal.State { return w.journal.State() }

// Head is Journal without what it knows of the services, which is much less.
func (w *Writer) Head() (head journal.State) {
	w.journal.With(func(known *journal.Folder) { head = known.Head() })
	return head
}

// Known is what the journal knows of one service.
func (w *Writer) Known(slot Slot) (v journal.Service) {
	w.journal.With(func(known *journal.Folder) { v = known.Service(slot) })
	return v
}

// Tail reads what is appended to the journal from now on. The caller closes it.
func (w *Writer) Tail() (*journal.Tail, error) { return w.journal.Tail() }

// Append writes one record for each event, all with one cause, for people, which
// may be empty, and tells whoever listens to the event directory. Either all of
// them are in the journal or, with an error, none. Nothing that stops a service
// may be given up because an append failed.
func (w *Writer) Append(cause string, events ...journal.Event) error {
	if _, err := w.journal.Append(cause, events...); err != nil {
		return err
	}
	if slices.ContainsFunc(events, tellsOfServices) {
		w.changed.Store(true)
	}
	s6.Notify(w.EventDir(), 'j')
	return nil
}

// tellsOfServices says that the summary is another one after an event.
func tellsOfServices(e journal.Event) bool {
	switch e.(type) {
	case journal.PatchBegin, journal.PatchTry:
		return false
	}
	return true
}

// State is [Dir.State], and what is found other than the journal has it becomes
// its truth: it is appended as observed, and the file down of the service follows
// it, as who moved the service may have been killed before. It needs an s6-svscan: the
// error wraps [ErrStale] or [s6.ErrNotRunning], and nothing is changed then.
func (w *Writer) State() (*State, error) {
	var epoch journal.Epoch
	w.journal.With(func(known *journal.Folder) { epoch = known.Head().Epoch })
	if err := w.CheckEpoch(epoch); err != nil {
		return nil, err
	}
	a, err := w.ask(w.present())
	if err != nil {
		return nil, err
	}
	defer a.close()
	var s *State
	w.journal.With(func(known *journal.Folder) { s, err = a.join(known) })
	if err != nil {
		return nil, err
	}
	a.note()
	if w.observed(s.Services, s.Other) {
		s.Seq = w.journal.Seq()
	}
	return s, nil
}

// observed notes what was found other than the journal has it, and reports whether
// there was something that could be noted.
func (w *Writer) observed(lists ...[]ServiceState) bool {
	seen := make(map[Slot]bool)
	var events []journal.Event
	var found []*ServiceState
	for _, list := range lists {
		for i := range list {
			sv := &list[i]
			if sv.Observed && !seen[sv.Slot] {
				seen[sv.Slot] = true
				found = append(found, sv)
				events = append(events, journal.Observed{Slot: sv.Slot, Up: sv.Up, What: sv.Observation()})
			}
		}
	}
	if len(events) == 0 {
		return false
	}
	w.Remark(found...)
	// The state is right without the note, which a full disk may prevent.
	return w.Append("observed", events...) == nil
}

// present is who is surely there.
func (w *Writer) present() *presence {
	p := w.heard
	if w.heard = nil; p == nil {
		return w.callRoll()
	}
	if w.changed.Load() {
		p.said = nil // before that
	}
	return p
}

// Remark makes the files down of longruns say what a supervisor that is started
// again has to do. Nothing is said of one whose supervisor is gone for a moment. A
// full disk may prevent it.
func (w *Writer) Remark(list ...*ServiceState) {
	sv, err := s6.OpenDirectory(w.file("sv"))
	if err != nil {
		return
	}
	defer sv.Close()
	_ = spread(len(list), func(i int) error {
		switch s := list[i]; {
		case !s.Supervised, s.Up && s.Unmarked:
		case s.Up:
			_ = sv.UnmarkDown(slotName(s.Slot))
		default:
			_ = s6.MarkDown(w.Servicedir(s.Slot))
		}
		return nil
	})
}
