package live

import (
	"sync/atomic"
	"time"

	"strata/live/board"
	"strata/live/s6"
)

// ahead asks the supervisors while something else is read: which services there are is
// not known yet, but who is surely there is.
type ahead struct {
	enough atomic.Bool
	done   chan *presence
}

// askAhead begins to ask. The caller ends it.
func (d *Dir) askAhead() *ahead {
	a := &ahead{done: make(chan *presence, 1)}
	go func() { a.done <- a.ask(d) }()
	return a
}

// end ends the asking and gives what was found out so far.
func (a *ahead) end() *presence {
	a.enough.Store(true)
	return <-a.done
}

// boardPatience is how long the board may take. A runner that does not answer must hold
// nobody up.
const boardPatience = 20 * time.Millisecond

// ask finds nothing out of a few services: they are asked as they come.
func (a *ahead) ask(d *Dir) *presence {
	p := new(presence)
	r, ok := d.readRoll()
	if !ok {
		return p
	}
	sv, err := s6.OpenDirectory(d.file("sv"))
	if err != nil {
		return p
	}
	defer sv.Close()
	b, err := board.Dial(sv, slotName(RunnerSlot))
	if err == nil {
		defer time.AfterFunc(boardPatience, b.Stop).Stop()
		defer b.Close()
	}
	r.call(p) // and meanwhile the runner answers
	p.said = make([]said, len(p.pids))
	if b != nil {
		b.Read(p.heard)
	}
	a.listen(sv, p)
	return p
}

// heard notes what the board says of a service whose supervisor is surely there.
func (p *presence) heard(r board.Row) {
	if p.has(r.Slot) {
		p.said[r.Slot] = said{asked: true, unmarked: !r.Marked, status: r.Status}
	}
}

// listen asks one after the other of whom the board does not tell. Who gives no answer
// is asked again by who needs it, and knows what to do about that.
func (a *ahead) listen(sv *s6.Directory, p *presence) {
	for slot, pid := range p.pids {
		if a.enough.Load() {
			return
		}
		if pid == 0 || p.said[slot].asked {
			continue
		}
		if st, err := sv.Status(slotName(Slot(slot))); err == nil {
			p.said[slot] = said{asked: true, status: st}
		}
	}
}
