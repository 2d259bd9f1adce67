package watch

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/explain"
	"strata/live/journal"
	"strata/live/s6"
)

// Event is one thing that happened: a record of the journal, or what a supervisor saw
// that no command asked for.
type Event struct {
	Entry   *explain.Entry // one of these is nil
	Process *Process
}

// History says which records of the past [Follow] begins with.
type History struct {
	// Since, if it is set, is the number of the record after which to begin. Last are
	// how many of the last ones to begin with.
	Since *uint64
	Last  int
}

// Follow hands out what happens from now on, to the services with these slots, or to
// all and the directory itself if slots is nil, until ctx ends or emit returns an
// error, which is the error then. flush is called when nothing more is known, before
// it waits. deaf, if it is not nil, is told of how many longruns only the journal is
// heard.
func Follow(ctx context.Context, d *live.Dir, slots map[live.Slot]bool, h History, emit func(Event) error, flush func() error, deaf func(int)) error {
	feed, err := Open(d)
	if err != nil {
		return err
	}
	f := follower{dir: d, feed: feed, tail: journal.NewTail(d.JournalPath()), slots: slots, emit: emit, deaf: deaf}
	err = f.follow(ctx, h, flush)
	return errors.Join(err, f.tail.Close(), feed.Close())
}

type follower struct {
	dir      *live.Dir
	feed     *Feed
	tail     *journal.Tail
	slots    map[live.Slot]bool
	emit     func(Event) error
	deaf     func(int)
	teller   explain.Teller
	commands commands
	told     int // how many are not heard, as was told
}

func (f *follower) follow(ctx context.Context, h History, flush func() error) error {
	if err := f.past(h); err != nil {
		return err
	}
	for {
		if err := flush(); err != nil {
			return err
		}
		letters, err := f.feed.Next(ctx)
		if err != nil {
			return err
		}
		// The journal first: it says what was asked for.
		if err := f.read(f.hand); err != nil {
			return err
		}
		for _, l := range letters {
			if err := f.letter(l); err != nil {
				return err
			}
		}
	}
}

// past reads what has happened before, and hands out what of it is asked for.
func (f *follower) past(h History) error {
	var list []explain.Entry
	err := f.read(func(e explain.Entry) error {
		if h.Since == nil || e.Seq > *h.Since {
			list = append(list, e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if h.Since == nil {
		list = list[max(0, len(list)-h.Last):]
	}
	for _, e := range list {
		if err := f.hand(e); err != nil {
			return err
		}
	}
	return nil
}

// read takes what is new in the journal, and gives it, as far as it is wanted, to do.
func (f *follower) read(do func(explain.Entry) error) error {
	records, err := f.tail.Next()
	if err != nil {
		return err
	}
	for _, r := range records {
		f.commands.apply(r)
		if err := f.listen(r.Event); err != nil {
			return err
		}
		if e := f.teller.Tell(r); f.slots == nil || e.About(f.slots) {
			if err := do(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *follower) hand(e explain.Entry) error { return f.emit(Event{Entry: &e}) }

// listen listens to the longruns of a database that counts from now on.
func (f *follower) listen(e journal.Event) error {
	var table journal.Table
	switch e := e.(type) {
	case journal.Init:
		table = e.Table
	case journal.Snapshot:
		table = e.State.Table
	case journal.Switch:
		if e.Same {
			return nil
		}
		table = e.Table
	default:
		return nil
	}
	var slots []live.Slot
	for _, entry := range table {
		if entry.Type == db.Longrun && (f.slots == nil || f.slots[entry.Slot]) {
			slots = append(slots, entry.Slot)
		}
	}
	deaf, err := f.feed.Listen(slots...)
	if deaf > 0 && deaf != f.told && f.deaf != nil {
		f.told = deaf
		f.deaf(deaf)
	}
	return err
}

// letter hands out what a letter says, unless a command asked for it.
func (f *follower) letter(l Letter) error {
	st, err := s6.ReadStatus(f.dir.Servicedir(l.Slot))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the service is gone
	}
	if err != nil {
		return err
	}
	p, ok := newProcess(l, st, time.Now())
	if !ok || f.commands.wanted(p, st.WantUp) {
		return nil
	}
	p.Name = f.teller.Name(l.Slot)
	return f.emit(Event{Process: &p})
}
