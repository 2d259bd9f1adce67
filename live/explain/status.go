package explain

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/journal"
)

// State is the state of a service in one word.
type State string

// The states.
const (
	Up          State = "up"           // of a longrun: it runs, and is ready if it says so
	Down        State = "down"         //
	Starting    State = "starting"     // a longrun that is not ready yet
	Stopping    State = "stopping"     // a longrun that was told to end and has not
	Finishing   State = "finishing"    // a longrun whose finish is running
	Restarting  State = "restarting"   // a longrun that died, and is about to be started again
	RunningUp   State = "running-up"   // a oneshot whose up program runs, or whose result nobody fetched
	RunningDown State = "running-down" // the same with its down program
	Waiting     State = "waiting"      // a command is going to start it
	Failed      State = "failed"       // its start failed
	Skipped     State = "skipped"      // its start was not tried, because another one failed
	Unknown     State = "unknown"      // a oneshot whose result was lost
)

// StateOf gives the state as far as it is known without a scene: it does not tell
// what waits and what was skipped.
func StateOf(st live.ServiceState) State {
	longrun := st.Type == db.Longrun && st.Supervised
	switch {
	case st.Pending == journal.PhaseUp:
		return RunningUp
	case st.Pending == journal.PhaseDown:
		return RunningDown
	case st.Unknown:
		return Unknown
	case longrun && st.Status.Finishing:
		return Finishing
	case longrun && st.Up && !st.Status.Up():
		return Restarting
	case st.Stopping():
		return Stopping
	case st.Up:
		return Up
	case st.Starting:
		return Starting
	case st.Failure != "":
		return Failed
	}
	return Down
}

// State gives the state of a service.
func (s *Scene) State(id ID) State {
	state := StateOf(s.Services[id])
	switch {
	case state == Down, state == Failed:
		if op, _, ok := s.activity(id); ok && op == change.Start {
			return Waiting
		}
	}
	if state == Failed && s.Services[id].Skipped {
		return Skipped
	}
	return state
}

// Status is all that can be said of a service.
type Status struct {
	Name   string
	Type   db.Type
	State  State
	Wanted bool
	Up     bool
	// Ready says that who depends on it can use it now.
	Ready bool
	// Stale says that its process is older than its definition.
	Stale bool
	// Since is when it went up or down, PID its process, 0 if none is known.
	Since time.Time
	PID   int
	// Cause is why it moved last, Command the command that did.
	Cause, Command string
	// Wait is what a command that is under way does to it, nil if nothing is.
	Wait *Wait
	// Failure is the reason of the last transition if it failed, and Failed its
	// phase; Permanent says that its supervisor does not try again. By names the
	// service whose failure made a command skip it.
	Failure   string
	Failed    journal.Phase
	Permanent bool
	By        string
	// Observed is how a longrun was found that something else than a command moved.
	Observed string
}

// Status gives the status of a service.
func (s *Scene) Status(id ID) Status {
	st := s.Services[id]
	out := Status{
		Name: st.Name, Type: st.Type, State: s.State(id), Wanted: st.Wanted, Up: st.Up, Ready: st.Up,
		Stale: s.Stale(id), Since: st.Since, Cause: st.Cause, Command: st.Command,
		Failure: st.Failure, Failed: st.Failed, Permanent: st.Permanent,
	}
	if st.Type == db.Longrun && st.Supervised {
		out.PID = st.Status.PID
		out.Ready = st.Status.Up() && (st.Status.Ready || !s.facts(id).Readiness)
	}
	if st.Skipped {
		out.By = s.name(st.By)
	}
	if w, ok := s.Wait(id); ok {
		out.Wait = &w
	} else {
		out.Observed = s.observation(id)
	}
	return out
}

// Stale says that a longrun is up with a process older than its definition. A oneshot
// is never stale: it is not run again.
func (s *Scene) Stale(id ID) bool {
	st := s.Services[id]
	return st.Up && st.Type == db.Longrun && !st.Def.IsZero() && s.Service != nil && st.Def != s.facts(id).Definition
}

// name is that of the service with a slot. One that is in the database no more has
// lost it.
func (s *Scene) name(slot live.Slot) string {
	if id := s.find(slot); id != db.None {
		return s.Services[id].Name
	}
	return fmt.Sprintf("(slot %d)", slot)
}

// observation is how a longrun was found other than the last command had left it,
// empty if it was not. What a command is doing now counts too: see [Scene.Wait].
func (s *Scene) observation(id ID) string {
	st := s.Services[id]
	switch {
	case st.Starting:
		return "its supervisor starts it"
	case st.Stopping():
		return "its supervisor was told to stop it"
	case st.Observed:
		return st.Observation()
	}
	return st.Noted
}

// Note is the most important thing about a service in a few words: what it waits
// for, how it failed, or nothing.
func (s *Scene) Note(id ID) string {
	st := s.Status(id)
	switch {
	case st.Wait != nil && st.Wait.Begun:
		return s.took(*st.Wait)
	case st.Wait != nil:
		return "waits for " + s.waitsFor(*st.Wait)
	case st.State == Restarting:
		return "it ended: " + s.Services[id].Status.Wait.String()
	case st.By != "":
		return st.By + " failed"
	case st.Failed == journal.PhaseReload, st.Failed == journal.PhaseDown:
		return "its " + phaseOp(st.Failed) + " failed: " + st.Failure
	case st.Permanent:
		return "gave up: " + st.Failure
	case st.Failure != "":
		return st.Failure
	case st.Stale:
		return "older than its definition"
	case st.Observed != "":
		return st.Observed
	}
	return ""
}

// phaseOp is the word for what a phase of a transition does.
func phaseOp(p journal.Phase) string {
	switch p {
	case journal.PhaseDown:
		return "stop"
	case journal.PhaseReload:
		return "reload"
	}
	return "start"
}

// took is how long something has been under way, "12s of 30s".
func (s *Scene) took(w Wait) string {
	var text string
	if !w.Since.IsZero() {
		text = "for " + Duration(s.Now.Sub(w.Since))
	}
	switch {
	case w.Limit == 0:
	case text == "":
		text = "at most " + Duration(w.Limit)
	default:
		text += " of " + Duration(w.Limit)
	}
	return text
}

// waitsFor names what is waited for, or says that it is the turn.
func (s *Scene) waitsFor(w Wait) string {
	if len(w.For) == 0 {
		return "its turn"
	}
	return s.names(w.For)
}

// names lists services, the first three by name.
func (s *Scene) names(ids []ID) string {
	const most = 3
	list := make([]string, 0, most)
	for _, id := range ids[:min(most, len(ids))] {
		list = append(list, s.Services[id].Name)
	}
	if more := len(ids) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(list, ", "), more)
	}
	return strings.Join(list, ", ")
}

// Duration is a time span as people say it: "300ms", "1.2s", "12s", "3m4s", "5h6m",
// "7d8h".
func Duration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < time.Hour:
		return twoParts(int(d/time.Minute), "m", int(d%time.Minute/time.Second), "s")
	case d < day:
		return twoParts(int(d/time.Hour), "h", int(d%time.Hour/time.Minute), "m")
	}
	return twoParts(int(d/day), "d", int(d%day/time.Hour), "h")
}

func twoParts(n int, unit string, rest int, part string) string {
	if rest == 0 {
		return strconv.Itoa(n) + unit
	}
	return strconv.Itoa(n) + unit + strconv.Itoa(rest) + part
}

// Stale gives the services of a view, in these states, whose process is older than
// its definition.
func Stale(v live.View, states []live.ServiceState) []ID {
	s := Scene{Services: states, Service: FactsOf(v)}
	var ids []ID
	for i := range states {
		if s.Stale(ID(i)) {
			ids = append(ids, ID(i))
		}
	}
	return ids
}
