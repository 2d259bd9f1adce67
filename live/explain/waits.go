package explain

import (
	"time"

	"strata/compile/db"
	"strata/graph"
	"strata/live/change"
	"strata/live/journal"
)

// Wait is what a command that is under way is doing to a service, or is about to.
type Wait struct {
	Op change.Op // Start, Stop or Reload
	// Begun says that it is being done. Since is when it was begun, as far as that
	// can be known, and Limit how long it may take, 0 for as long as it likes.
	Begun bool
	Since time.Time
	Limit time.Duration
	// For are the services it has to wait for, if it has not begun; there may be
	// none, if too much else is under way.
	For []ID
}

// Wait says what is being done to a service, and reports false if nothing is.
func (s *Scene) Wait(id ID) (Wait, bool) {
	op, begun, ok := s.activity(id)
	if !ok {
		return Wait{}, false
	}
	w := Wait{Op: op, Begun: begun}
	if !begun {
		w.For = s.blockers(id, op)
		return w, true
	}
	facts := s.facts(id)
	w.Since, w.Limit = s.since(id, op), facts.TimeoutUp
	if op == change.Stop {
		w.Limit = facts.TimeoutDown
	}
	return w, true
}

// activity is the operation that the command at work has for a service, and whether
// it was begun. The command has told nothing of the service yet.
func (s *Scene) activity(id ID) (op change.Op, begun, ok bool) {
	if !s.movesNow(id) {
		return 0, false, false
	}
	run, st := s.Command(), s.Services[id]
	switch {
	case st.Pending == journal.PhaseUp:
		return change.Start, true, true
	case st.Pending == journal.PhaseDown:
		return change.Stop, true, true
	case st.Pending == journal.PhaseReload:
		return change.Reload, true, true
	case !run.Left[st.Slot]:
		// A restart has stopped it, and is to start it again.
		back := run.Op == change.Restart.String() && !st.Up && st.Failed == ""
		return change.Start, st.Starting, back
	}
	longrun := st.Type == db.Longrun
	switch run.Op {
	case change.Reload.String():
		return change.Reload, false, true
	case change.Start.String():
		switch {
		case longrun && st.Up && st.Observed:
			return change.Start, true, true // it has just come up, and that is not told yet
		case st.Up && !st.Stopping() || st.Unknown:
			return change.Stop, false, true // with prune others are stopped first
		}
		return change.Start, longrun && st.Starting, true
	}
	return change.Stop, longrun && st.Supervised && !st.Status.WantUp, true
}

// blockers are the services that a service whose turn has not come waits for. An
// operation waits for others of its kind alone.
func (s *Scene) blockers(id ID, op change.Op) []ID {
	set := graph.NewSet(len(s.Services))
	for _, g := range []*graph.Graph{s.Graphs.Needs, s.Graphs.Soft} {
		next := out
		if op == change.Stop {
			next = in
		}
		for _, on := range next(g, id) {
			other, _, ok := s.activity(on)
			up := op == change.Start && s.Services[on].Up // and that is about to be told
			if ok && other == op && !up {
				set.Add(on)
			}
		}
	}
	return set.IDs()
}

// since is when what is being done to a service was begun. Of a longrun that is
// stopping only the end of its process is known.
func (s *Scene) since(id ID, op change.Op) time.Time {
	st := s.Services[id]
	switch {
	case st.Type == db.Oneshot:
		return st.At
	case op == change.Start && st.Status.Up():
		return st.Status.Stamp.Time()
	}
	return time.Time{}
}

// toRunning is the shortest way from a service that waits to one at which something
// is being done now, both included. It is the service alone if nothing is.
func (s *Scene) toRunning(id ID, op change.Op) []ID {
	from := map[ID]ID{id: db.None}
	for queue := []ID{id}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if _, begun, _ := s.activity(at); begun {
			return path(from, at)
		}
		for _, on := range s.blockers(at, op) {
			if _, seen := from[on]; !seen {
				from[on] = at
				queue = append(queue, on)
			}
		}
	}
	return []ID{id}
}

// path goes back from a service to where the search began, and turns that round.
func path(from map[ID]ID, at ID) []ID {
	var list []ID
	for ; at != db.None; at = from[at] {
		list = append(list, at)
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}
