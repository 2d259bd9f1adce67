package watch

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
)

// Request is what is waited for.
type Request struct {
	Slots []live.Slot
	Goal  Goal
	// Any is enough with one of them.
	Any bool
}

// Outcome is how a wait has ended.
type Outcome struct {
	// Reached are those that are where they should be, or were during the wait.
	Reached []live.Slot
	// Hopeless are those that will not be, with the reason.
	Hopeless map[live.Slot]string
	// Left are the others.
	Left []live.Slot
}

// Done says that what was waited for has come.
func (r Request) Done(o Outcome) bool {
	return len(o.Reached) == len(r.Slots) || r.Any && len(o.Reached) > 0
}

// Wait waits until services have reached the goal, or will not reach it, or ctx ends:
// the error is its cause then. The outcome says how far it came also with an error.
func Wait(ctx context.Context, d *live.Dir, r Request) (Outcome, error) {
	feed, err := Open(d)
	if err != nil {
		return Outcome{Left: r.Slots}, err
	}
	w := waiter{dir: d, request: r, feed: feed, tail: journal.NewTail(d.JournalPath()), services: make(map[live.Slot]*waited)}
	err = w.wait(ctx)
	return w.outcome(), errors.Join(err, w.tail.Close(), feed.Close())
}

type waiter struct {
	dir      *live.Dir
	request  Request
	feed     *Feed
	tail     *journal.Tail
	folder   journal.Folder
	entries  map[live.Slot]journal.Entry // of what is waited for
	run      journal.Run                 // the last command
	services map[live.Slot]*waited
	// How many of them have reached the goal, and how many will not.
	reached, hopeless int
}

// over says that there is nothing to wait for.
func (w *waiter) over() bool {
	all := len(w.services)
	if w.request.Any {
		return w.reached > 0 || w.hopeless == all
	}
	return w.reached == all || w.hopeless > 0
}

// waited is one service of the request.
type waited struct {
	before   time.Time // see [Goal.reached]
	gaveUp   bool
	left     bool // a command is going to do something to it
	reached  bool
	hopeless string
}

func (w *waiter) wait(ctx context.Context) error {
	for _, slot := range w.request.Slots {
		w.services[slot] = &waited{}
	}
	if _, err := w.read(); err != nil {
		return err
	}
	// Listening comes first, so that nothing happens between the two unseen.
	if _, err := w.feed.Listen(w.longruns()...); err != nil {
		return err
	}
	if err := w.begin(); err != nil {
		return err
	}
	for {
		if w.over() {
			return nil
		}
		letters, err := w.feed.Next(ctx)
		if err != nil {
			return err
		}
		if err := w.take(letters); err != nil {
			return err
		}
	}
}

// begin looks at everything once.
func (w *waiter) begin() error {
	for slot, s := range w.services {
		l, ok, err := w.look(slot)
		if err != nil {
			return err
		}
		if ok && l.up() {
			s.before = l.start()
		}
	}
	return w.judge(w.request.Slots)
}

// read takes what is new in the journal, and returns the services that it is about.
func (w *waiter) read() (about []live.Slot, err error) {
	records, err := w.tail.Next()
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		w.folder.Apply(r)
		switch e := r.Event.(type) {
		case journal.Up:
			about = w.told(about, e.Slot)
		case journal.Down:
			about = w.told(about, e.Slot)
		case journal.Failed:
			about = w.told(about, e.Slot)
		case journal.Skipped:
			about = w.told(about, e.Slot)
		case journal.Observed:
			about = w.told(about, e.Slot)
		case journal.Run:
			w.begun(e, e.Slots)
		case journal.RunEnd:
			w.begun(journal.Run{}, nil)
			about = w.request.Slots
		case journal.Init:
			about = w.learn(e.Table)
		case journal.Switch:
			if !e.Same {
				about = w.learn(e.Table)
			}
		case journal.Snapshot:
			about = w.learn(e.State.Table)
			w.begun(journal.Run{}, nil)
			if run := e.State.Run; run != nil {
				w.begun(run.Run, slices.Collect(maps.Keys(run.Left)))
			}
		}
	}
	return about, nil
}

// learn takes note of the services that there are now.
func (w *waiter) learn(table journal.Table) []live.Slot {
	w.entries = make(map[live.Slot]journal.Entry)
	for _, e := range table {
		if w.services[e.Slot] != nil {
			w.entries[e.Slot] = e
		}
	}
	return w.request.Slots
}

// begun notes that a command is at work on services, and on no others.
func (w *waiter) begun(run journal.Run, slots []live.Slot) {
	w.run = run
	for _, s := range w.services {
		s.left = false
	}
	for _, slot := range slots {
		if s := w.services[slot]; s != nil {
			s.left = true
		}
	}
}

// told notes that something was told of a service.
func (w *waiter) told(about []live.Slot, slot live.Slot) []live.Slot {
	if s := w.services[slot]; s != nil {
		s.left = false
	}
	return append(about, slot)
}

// longruns are those that have a supervisor.
func (w *waiter) longruns() []live.Slot {
	var slots []live.Slot
	for _, slot := range w.request.Slots {
		if w.entries[slot].Type == db.Longrun {
			slots = append(slots, slot)
		}
	}
	return slots
}

// take looks again at what something was heard of.
func (w *waiter) take(letters []Letter) error {
	about, err := w.read()
	if err != nil {
		return err
	}
	for _, l := range letters {
		s := w.services[l.Slot]
		switch l.Event {
		case s6.EventFail:
			s.gaveUp = true
		case s6.EventUp, s6.EventReady:
			s.gaveUp = false
			if l.Event == s6.EventReady && w.request.Goal == Up {
				w.settle(s, true, "") // even if it is not ready any more
			}
		}
		about = append(about, l.Slot)
	}
	return w.judge(about)
}

// judge decides on services, of which some are none of ours.
func (w *waiter) judge(slots []live.Slot) error {
	for _, slot := range slots {
		s := w.services[slot]
		if s == nil || s.reached {
			continue
		}
		l, ok, err := w.look(slot)
		switch {
		case err != nil:
			return err
		case !ok:
			w.settle(s, false, "it is in the database no more")
		case w.request.Goal.reached(l, s.before):
			w.settle(s, true, "")
		default:
			w.settle(s, false, w.request.Goal.hopeless(l))
		}
	}
	return nil
}

// settle notes where a service is. What was reached stays so.
func (w *waiter) settle(s *waited, reached bool, hopeless string) {
	if s.reached {
		return
	}
	if reached {
		w.reached++
	}
	if s.hopeless != "" {
		w.hopeless--
	}
	if hopeless != "" {
		w.hopeless++
	}
	s.reached, s.hopeless = reached, hopeless
}

// look reads the state of a service; it reports false if there is none any more.
func (w *waiter) look(slot live.Slot) (look, bool, error) {
	entry, ok := w.entries[slot]
	if !ok {
		return look{}, false, nil
	}
	s := w.services[slot]
	st, err := w.dir.Service(entry, w.folder.Service(slot))
	if err != nil {
		return look{}, false, err
	}
	_, err = os.Stat(filepath.Join(w.dir.Servicedir(slot), "notification-fd"))
	l := look{ServiceState: st, readiness: !errors.Is(err, fs.ErrNotExist), gaveUp: s.gaveUp}
	l.busy = (st.Failed != "" || l.gaveUp) && s.left && live.Running(w.run)
	return l, true, nil
}

func (w *waiter) outcome() Outcome {
	o := Outcome{Hopeless: make(map[live.Slot]string)}
	for _, slot := range w.request.Slots {
		s := w.services[slot]
		switch {
		case s != nil && s.reached:
			o.Reached = append(o.Reached, slot)
		case s != nil && s.hopeless != "":
			o.Hopeless[slot] = s.hopeless
		default:
			o.Left = append(o.Left, slot)
		}
	}
	return o
}
