package live

import (
	"sync/atomic"

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
	go func() {
		p := d.callRoll()
		a.listen(d, p)
		a.done <- p
	}()
	return a
}

// end ends the asking and gives what was found out so far.
func (a *ahead) end() *presence {
	a.enough.Store(true)
	return <-a.done
}

// listen asks one after the other. Who gives no answer is asked again by who needs it,
// and knows what to do about that.
func (a *ahead) listen(d *Dir, p *presence) {
	sv, err := s6.OpenDirectory(d.file("sv"))
	if err != nil {
		return
	}
	defer sv.Close()
	p.said = make([]said, len(p.pids))
	for slot, pid := range p.pids {
		if a.enough.Load() {
			return
		}
		if pid == 0 {
			continue
		}
		if st, err := sv.Status(slotName(Slot(slot))); err == nil {
			p.said[slot] = said{true, st}
		}
	}
}
