package live

import (
	"sync/atomic"

	"strata/live/s6"
)

// Heard is what supervisors say to who asks them ahead and does not hurry.
func (d *Dir) Heard() map[Slot]s6.Status {
	heard := map[Slot]s6.Status{}
	for slot, s := range d.askUnhurried().said {
		if s.asked {
			heard[Slot(slot)] = s.status
		}
	}
	return heard
}

func (d *Dir) askUnhurried() *presence {
	r, ok := d.readRoll()
	if !ok {
		return new(presence)
	}
	return d.askThose(r, new(atomic.Bool))
}
