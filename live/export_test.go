package live

import "strata/live/s6"

// Heard is what supervisors say to who asks them ahead and does not hurry.
func (d *Dir) Heard() map[Slot]s6.Status {
	heard := map[Slot]s6.Status{}
	for slot, s := range d.askAhead().wait().said {
		if s.asked {
			heard[Slot(slot)] = s.status
		}
	}
	return heard
}

func (a *ahead) wait() *presence { return <-a.done }
