package explain

import (
	"slices"
	"time"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/change"
	"strata/live/journal"
)

// ID is the number of a service in the scene's database.
type ID = db.ServiceID

// Scene is what is known of a live directory at one moment.
type Scene struct {
	// Services are the services of the current database, by number.
	Services []live.ServiceState
	// Run is the command under way, nil if there is none. Working says that its
	// process is there: else it was killed, and nobody does what it was about to.
	Run     *journal.RunState
	Working bool
	// Graphs are those of the database; see [change.Graphs].
	Graphs change.Graphs
	// Service gives what the database knows of a service; nil knows nothing.
	Service func(ID) Facts
	Now     time.Time

	bySlot map[live.Slot]ID
	moving map[live.Slot]bool // the services of the command at work
}

// Facts are what a database says of a service.
type Facts struct {
	// Definition is what counts from the next start on.
	Definition db.Digest
	// Readiness says that it tells when it is ready.
	Readiness bool
	// TimeoutUp and TimeoutDown are 0 for no limit.
	TimeoutUp, TimeoutDown time.Duration
}

// FactsOf gives the facts of a view's database.
func FactsOf(v live.View) func(ID) Facts {
	return func(id ID) Facts {
		return Facts{
			Definition: v.Definition(id), Readiness: v.DB.HasReadiness(id),
			TimeoutUp:   time.Duration(v.DB.TimeoutUp(id)) * time.Millisecond,
			TimeoutDown: time.Duration(v.DB.TimeoutDown(id)) * time.Millisecond,
		}
	}
}

// facts never fails.
func (s *Scene) facts(id ID) Facts {
	if s.Service == nil {
		return Facts{}
	}
	return s.Service(id)
}

// find gives the service of the current database with a slot, or db.None.
func (s *Scene) find(slot live.Slot) ID {
	if s.bySlot == nil {
		s.bySlot = make(map[live.Slot]ID, len(s.Services))
		for i := range s.Services {
			s.bySlot[s.Services[i].Slot] = ID(i)
		}
	}
	if id, ok := s.bySlot[slot]; ok {
		return id
	}
	return db.None
}

// Command is what is under way, nil if nothing is. One whose process is gone is not.
func (s *Scene) Command() *journal.RunState {
	if !s.Working {
		return nil
	}
	return s.Run
}

// movesNow says whether the command under way has to do with a service.
func (s *Scene) movesNow(id ID) bool {
	run := s.Command()
	if run == nil {
		return false
	}
	if s.moving == nil {
		s.moving = make(map[live.Slot]bool, len(run.Slots))
		for _, slot := range run.Slots {
			s.moving[slot] = true
		}
	}
	return s.moving[s.Services[id].Slot]
}

// out gives what a service has an edge to, in that has an edge to it. A graph that is
// nil has none.
func out(g *graph.Graph, id ID) []ID {
	if g == nil {
		return nil
	}
	return g.Out(id)
}

func in(g *graph.Graph, id ID) []ID {
	if g == nil {
		return nil
	}
	return g.In(id)
}

// needers are the services that are up and need or want this one.
func (s *Scene) needers(id ID) []ID {
	both := slices.Concat(in(s.Graphs.Needs, id), in(s.Graphs.Wants, id))
	slices.Sort(both)
	return slices.DeleteFunc(slices.Compact(both), func(by ID) bool { return !s.Services[by].Up })
}

func (s *Scene) essential(id ID) bool {
	return s.Graphs.Essential != nil && s.Graphs.Essential(id)
}
