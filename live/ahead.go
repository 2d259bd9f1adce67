package live

import (
	"sync/atomic"
	"time"

	"strata/live/board"
	"strata/live/s6"
)

// askBeside asks the supervisors while something else is read: which services there are
// is not known yet, but who is surely there is. A few services are asked as they come.
func (d *Dir) askBeside(read func() error) (*presence, error) {
	r, ok := d.readRoll()
	if !ok {
		return new(presence), read()
	}
	var enough atomic.Bool
	done := make(chan error, 1)
	go func() {
		err := read()
		enough.Store(true)
		done <- err
	}()
	p := d.askThose(r, &enough)
	return p, <-done
}

// boardPatience is how long the board may take. A runner that does not answer must hold
// nobody up.
const boardPatience = 20 * time.Millisecond

// askThose asks who is surely there, until that is enough.
func (d *Dir) askThose(r roll, enough *atomic.Bool) *presence {
	p := new(presence)
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
	p.listen(sv, enough)
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
func (p *presence) listen(sv *s6.Directory, enough *atomic.Bool) {
	for slot, pid := range p.pids {
		if enough.Load() {
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
