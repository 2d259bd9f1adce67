package watch

import (
	"fmt"
	"time"

	"strata/live"
	"strata/live/change"
	"strata/live/journal"
	"strata/live/s6"
)

// Process is what a longrun's supervisor has seen that no command asked for.
type Process struct {
	At   time.Time
	Slot live.Slot
	Name string
	// What happened is one of the constants.
	What string
	// PID is the process that was started, Ended how one has ended: "exit 3".
	PID   int
	Ended string
}

// What happens to processes.
const (
	Started           = "started"
	Ready             = "ready"
	Died              = "died"
	GaveUp            = "gave-up" // finish exited 125
	SupervisorStarted = "supervisor-started"
	SupervisorEnded   = "supervisor-ended"
)

// Text is what happened, in words.
func (p Process) Text() string {
	switch p.What {
	case Started:
		return fmt.Sprintf("%s: was started by its supervisor (pid %d)", p.Name, p.PID)
	case Ready:
		return p.Name + ": is ready"
	case Died:
		return p.Name + ": died: " + p.Ended
	case GaveUp:
		return p.Name + ": gave up for good: its finish exited 125"
	case SupervisorStarted:
		return p.Name + ": its supervisor was started"
	}
	return p.Name + ": its supervisor has ended"
}

// newProcess reads a letter in the light of the status that was read after it. It
// reports false for a letter that says nothing of its own.
func newProcess(l Letter, st s6.Status, now time.Time) (Process, bool) {
	p := Process{At: st.Stamp.Time(), Slot: l.Slot}
	switch l.Event {
	case s6.EventUp:
		p.What, p.PID = Started, st.PID
	case s6.EventReady:
		p.What = Ready
		if p.At = now; st.UpReady() {
			p.At = st.ReadyStamp.Time()
		}
	case s6.EventDied:
		p.What, p.Ended = Died, st.Wait.String()
	case s6.EventFail:
		p.What = GaveUp
	case s6.EventStart:
		p.What, p.At = SupervisorStarted, now
	case s6.EventExit:
		p.What, p.At = SupervisorEnded, now
	default:
		return p, false
	}
	return p, true
}

// asked is what a command asked for, as far as the supervisor of one longrun is
// concerned.
type asked struct {
	op          string
	since, till time.Time // till is zero while it goes on
}

// commands remembers the last command for each service.
type commands struct {
	by  map[live.Slot]asked
	run []live.Slot // of the last one
}

// apply takes note of the next record.
func (c *commands) apply(r journal.Record) {
	switch e := r.Event.(type) {
	case journal.Snapshot:
		if e.State.Run != nil {
			c.begin(e.State.Run.Run, e.State.Run.At)
		}
	case journal.Run:
		c.begin(e, r.At)
	case journal.RunEnd:
		for _, slot := range c.run {
			a := c.by[slot]
			a.till = r.At
			c.by[slot] = a
		}
	}
}

func (c *commands) begin(run journal.Run, at time.Time) {
	if c.by == nil {
		c.by = make(map[live.Slot]asked)
	}
	c.run = run.Slots
	for _, slot := range run.Slots {
		c.by[slot] = asked{op: run.Op, since: at}
	}
}

// wanted says whether a command asked for what has happened. up says whether the
// supervisor wants its service up now.
func (c *commands) wanted(p Process, up bool) bool {
	a, ok := c.by[p.Slot]
	if !ok || p.At.Before(a.since) || !a.till.IsZero() && p.At.After(a.till) {
		return false
	}
	switch p.What {
	case Started, Ready:
		return a.op != change.Stop.String()
	case Died:
		return !up || a.op == change.Stop.String() || a.op == change.Restart.String()
	}
	return false
}
