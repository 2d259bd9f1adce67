package live

import (
	"testing"

	"strata/live/journal"
	"strata/live/s6"
)

// TestHeardAhead: what the supervisors said when the lock was taken is for the first
// state, unless something was done to services before that.
func TestHeardAhead(t *testing.T) {
	for _, c := range []struct {
		what  string
		event journal.Event
		heard bool
	}{
		{"nothing", nil, true},
		{"a patch begun", journal.PatchBegin{}, true},
		{"a stop", journal.Down{Slot: FirstSlot}, false},
		{"an end", journal.PatchEnd{}, false},
	} {
		p := &presence{pids: []int32{7}, said: []said{{asked: true, status: s6.Status{PID: 8}}}}
		w := &Writer{Dir: new(Dir), heard: p}
		w.changed.Store(c.event != nil && tellsOfServices(c.event))
		if p := w.present(); len(p.pids) != 1 || (p.said != nil) != c.heard {
			t.Errorf("%s: %+v, want it heard: %t", c.what, p, c.heard)
		}
		if w.heard != nil {
			t.Errorf("%s: it is there for the next state too", c.what)
		}
	}
}
