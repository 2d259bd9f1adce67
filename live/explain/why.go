package explain

import (
	"time"

	"strata/compile/db"
	"strata/live/change"
	"strata/live/journal"
)

// Reason is why a service is where it is.
type Reason string

// The reasons.
const (
	Asked      Reason = "asked"       // a command named it, or a bundle that holds it
	PulledIn   Reason = "pulled-in"   // a command started it because By needs or wants it
	TakenAlong Reason = "taken-along" // a command stopped it because it needs By
	TurnedOff  Reason = "stopped"     // a command named it to be stopped
	HasFailed  Reason = "failed"      // its start failed
	GaveUp     Reason = "gave-up"     // its supervisor does not try again
	HeldBack   Reason = "skipped"     // its start was not tried, because that of By failed
	Found      Reason = "observed"    // something else than a command moved it
	InTurn     Reason = "waiting"     // a command is going to move it, after By
	UnderWay   Reason = "under-way"   // a command is moving it now
	Orphaned   Reason = "orphaned"    // a command that is gone began to move it
	Lost       Reason = "lost"        // its result is not known
	Untouched  Reason = "untouched"   // nothing has moved it since the live directory was made
)

// Link is one step of the explanation: why a service is where it is. If By is not
// db.None, the next link is about that service.
type Link struct {
	Service ID
	Name    string
	State   State
	Reason  Reason
	// At is when that happened, zero if it is not st.
	At time.Time
	// By is the service that the reason is about, ByName its name, also if that is in no
	// database any more; Others are how many more there are.
	By     ID
	ByName string
	Others int
	// Command is the command that did it, Cause what the journal says of why it had to
	// do with this service, Detail how it failed, or how it was found.
	Command, Cause, Detail string
	// Wait is set for what a command is at work on.
	Wait *Wait

	// Wanted says that an operator or a patch wants the service up, Essential that an
	// ordinary stop leaves it up. NeededBy are the services that are up and need or
	// want it.
	Wanted, Essential bool
	NeededBy          []ID
	// Trouble is what failed about a service that is up: its stop or its reload.
	Trouble string
}

// Why explains where a service is: the chain of causes, from the service to what
// started, stopped, failed or holds it; of one that waits, down to what is being done
// now. The first link is about the service itself.
func (s *Scene) Why(id ID) []Link {
	if op, begun, ok := s.activity(id); ok && !begun {
		return s.whyWaits(id, op)
	}
	var chain []Link
	seen := make(map[ID]bool)
	for id != db.None && !seen[id] {
		seen[id] = true
		l := s.link(id)
		if l.By != db.None && (seen[l.By] || !s.continues(l)) {
			l.By = db.None
		}
		chain = append(chain, l)
		id = l.By
	}
	return chain
}

// whyWaits follows what a service waits for.
func (s *Scene) whyWaits(id ID, op change.Op) []Link {
	var chain []Link
	way := s.toRunning(id, op)
	for i, at := range way {
		l := s.link(at)
		l.By, l.ByName, l.Others = db.None, "", 0
		if l.Wait != nil {
			l.Others = max(len(l.Wait.For)-1, 0)
		}
		if i+1 < len(way) {
			l.By, l.ByName = way[i+1], s.Services[way[i+1]].Name
		}
		chain = append(chain, l)
	}
	return chain
}

// continues says whether what the journal knows of the next service is still what
// the link is about: it may have been moved again since.
func (s *Scene) continues(l Link) bool {
	by := s.Services[l.By]
	switch l.Reason {
	case PulledIn:
		return by.Up
	case TakenAlong:
		return !by.Up
	case HeldBack:
		return by.Failure != ""
	}
	return false
}

// link is what is known of one service.
func (s *Scene) link(id ID) Link {
	st := s.Services[id]
	l := Link{
		Service: id, Name: st.Name, State: s.State(id), At: st.At, By: db.None, Command: st.Command, Cause: st.Cause,
		Wanted: st.Wanted, Essential: s.essential(id), NeededBy: s.needers(id),
	}
	if l.Command == "" && st.By == 0 {
		l.Command = st.Cause // of a patch, which is no command of the engine's
	}
	if st.Up && st.Failed != "" {
		// What the journal has of commands is about that.
		l.Trouble, l.Command = phaseOp(st.Failed)+" failed: "+st.Failure, ""
	}
	if w, ok := s.Wait(id); ok {
		l.Wait, l.Reason, l.At, l.Command = &w, InTurn, w.Since, s.Command().Cause
		if w.Begun {
			l.Reason = UnderWay
		}
		return l
	}
	l.Reason = s.reason(id)
	switch l.Reason {
	case Asked, TurnedOff:
		l.At = st.Since
	case PulledIn, TakenAlong:
		l.At, l.By, l.ByName = st.Since, s.find(st.By), s.name(st.By)
	case HeldBack:
		l.By, l.ByName = s.find(st.By), s.name(st.By)
	case HasFailed, GaveUp, Lost:
		l.Detail = st.Failure
	case Found:
		l.Detail = s.observation(id)
		l.At, l.Command = st.Since, ""
		if st.Starting {
			l.At = st.Status.Stamp.Time()
		}
	case Orphaned:
		l.Command = ""
	case Untouched:
		l.At, l.Command = time.Time{}, ""
	}
	return l
}

// reason classifies where a service is that no command is at work on.
func (s *Scene) reason(id ID) Reason {
	st := s.Services[id]
	switch {
	case st.Pending == journal.PhaseUp, st.Pending == journal.PhaseDown:
		return Orphaned
	case st.Unknown:
		return Lost
	case st.Observed, st.Noted != "", st.Starting, st.Stopping():
		return Found
	case st.Up && st.By != 0 && st.Failed == "":
		return PulledIn
	case st.Up:
		return Asked
	case st.Skipped:
		return HeldBack
	case st.Permanent:
		return GaveUp
	case st.Failure != "":
		return HasFailed
	case st.At.IsZero():
		return Untouched
	case st.By != 0:
		return TakenAlong
	}
	return TurnedOff
}
