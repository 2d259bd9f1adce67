package change

import (
	"fmt"
	"slices"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/journal"
)

// ID is the number of a service in the database that the plan is for.
type ID = db.ServiceID

// Op is what a request asks for, and what a phase does.
type Op uint8

// The operations. A restart is a stop, with all that needs the services, and then a
// start of exactly what was stopped: it is asked for, and no phase does it. A reload
// is of the services named and no others.
const (
	Start Op = iota + 1
	Stop
	Restart
	Reload
)

// String returns "start", "stop", "restart" or "reload".
func (o Op) String() string {
	switch o {
	case Stop:
		return "stop"
	case Restart:
		return "restart"
	case Reload:
		return "reload"
	}
	return "start"
}

// aim is what a service is after the operation.
func (o Op) aim() string {
	switch o {
	case Stop:
		return "down"
	case Reload:
		return "reloaded"
	}
	return "up"
}

// limitField is the field of a definition that limits the operation.
func (o Op) limitField() string {
	if o == Stop {
		return "timeout-down"
	}
	return "timeout-up"
}

// begin is the move that the operation begins with, phase its name in the journal.
func (o Op) begin() (Move, journal.Phase) {
	switch o {
	case Stop:
		return BeginStop, journal.PhaseDown
	case Reload:
		return BeginReload, journal.PhaseReload
	}
	return BeginStart, journal.PhaseUp
}

// Graphs is what a plan has to know of a database. A graph that is nil has no
// edges; Essential nil means that nothing is.
type Graphs struct {
	Needs, Wants, Soft *graph.Graph
	Essential          func(ID) bool
}

// GraphsOf takes the graphs of a database.
func GraphsOf(d *db.DB) Graphs {
	return Graphs{
		Needs: d.Needs(), Wants: d.Wants(), Soft: d.Soft(),
		Essential: func(i ID) bool { return d.Flags(i)&db.Essential != 0 },
	}
}

// Request is what is to be done.
type Request struct {
	Op Op
	// Names are the services asked for; a bundle's name stands for its contents.
	Names []ID
	// Live adds everything that is up to what is asked for (s6-rc's -a).
	Live bool
	// Prune also does the opposite to everything else: stops come first (-p).
	Prune bool
	// Essentials stops essential services too (-D, -e).
	Essentials bool
	// Exact takes Names as it is, without what they depend on or what depends on
	// them. Steps still wait for each other. It is what an update uses.
	Exact bool
}

// Plan is what [Run] does.
type Plan struct {
	Request Request
	// Phases are done one after the other; a failure ends the plan with its phase.
	Phases []Phase
}

// Phase is a set of steps in one direction.
type Phase struct {
	Op Op
	// Back says that the phase brings back what the one before stopped, whatever
	// failed there: a service that was not stopped is left alone.
	Back bool
	// Steps are sorted by service.
	Steps []Step
	// Kept are the essential services that stay up though their stop was asked
	// for, Held those that stay up because a kept one needs them.
	Kept []ID
	Held []Held
}

// Held is a service that stays up because By, which is kept, needs it.
type Held struct{ Service, By ID }

// Step is one service's part in a phase.
type Step struct {
	Service ID
	// Noop says that the service is as it should be already. It has its place
	// because others may wait for what it waits for.
	Noop bool
	// Hard and Soft are the indices of steps that this one waits for: the first
	// have to succeed, the second to end.
	Hard, Soft []int32
	// Because is the service that pulled it in, or
	// db.None if it was asked for or is pruned.
	Because ID
	// Wanted says that Because only wants it, and does not need it. Stopped says
	// that it was stopped with Because, and is brought back.
	Wanted, Stopped bool
}

// Moves returns how many steps do something.
func (p Phase) Moves() int {
	n := 0
	for i := range p.Steps {
		if !p.Steps[i].Noop {
			n++
		}
	}
	return n
}

// Moves returns how many steps do something.
func (p Plan) Moves() int {
	n := 0
	for _, ph := range p.Phases {
		n += ph.Moves()
	}
	return n
}

// Make plans a request. States are those of the database of the graphs, by
// number. It is a pure function. An ID that is no service is an error, and so is a
// reload of what is not up, a [*NotUpError].
func Make(g Graphs, states []live.ServiceState, req Request) (Plan, error) {
	m := maker{g: g.filled(), states: states, req: req}
	for _, id := range req.Names {
		if int(id) >= len(states) {
			return Plan{}, fmt.Errorf("cannot plan: there is no service number %d", id)
		}
	}
	plan := Plan{Request: req}
	switch req.Op {
	case Reload:
		ph, err := m.reload()
		plan.Phases = append(plan.Phases, ph)
		return plan, err
	case Restart:
		m.req.Op = Stop
		stop := m.phase(Stop, m.choose())
		plan.Phases = append(plan.Phases, stop, m.back(stop))
		return plan, nil
	}
	chosen := m.choose()
	if req.Prune {
		rest := graph.NewSet(len(states))
		for i := range ID(len(states)) {
			if !chosen.set.Has(i) {
				rest.Add(i)
			}
		}
		other := selection{set: rest, because: m.noReasons(), wanted: new(graph.Set)}
		// What s6-rc does: everything that is to be down first.
		if req.Op == Start {
			plan.Phases = append(plan.Phases, m.phase(Stop, other), m.phase(Start, chosen))
		} else {
			plan.Phases = append(plan.Phases, m.phase(Stop, chosen), m.phase(Start, other))
		}
		return plan, nil
	}
	plan.Phases = append(plan.Phases, m.phase(req.Op, chosen))
	return plan, nil
}

// filled replaces what is nil.
func (g Graphs) filled() Graphs {
	for _, p := range []**graph.Graph{&g.Needs, &g.Wants, &g.Soft} {
		if *p == nil {
			*p = new(graph.Graph)
		}
	}
	if g.Essential == nil {
		g.Essential = func(ID) bool { return false }
	}
	return g
}

type maker struct {
	g      Graphs
	states []live.ServiceState
	req    Request
}

// selection is a set of services with the service that pulled each in.
type selection struct {
	set     *graph.Set
	because []ID
	wanted  *graph.Set
}

func (m *maker) noReasons() []ID {
	return slices.Repeat([]ID{db.None}, len(m.states))
}

// choose resolves the request to its closure.
func (m *maker) choose() selection {
	s := selection{set: graph.NewSet(len(m.states)), because: m.noReasons(), wanted: graph.NewSet(len(m.states))}
	var queue []ID
	add := func(id, because ID) bool {
		if !s.set.Add(id) {
			return false
		}
		s.because[id] = because
		queue = append(queue, id)
		return true
	}
	for _, id := range m.req.Names {
		add(id, db.None)
	}
	if m.req.Live {
		for i := range m.states {
			if counted(m.states[i], m.req.Op) {
				add(ID(i), db.None)
			}
		}
	}
	if m.req.Exact {
		return s
	}
	for len(queue) > 0 {
		id := queue[0]
		queue = queue[1:]
		if m.req.Op == Stop {
			for _, to := range m.g.Needs.In(id) {
				add(to, id)
			}
			continue
		}
		for _, to := range m.g.Needs.Out(id) {
			add(to, id)
		}
		for _, to := range m.g.Wants.Out(id) {
			if add(to, id) {
				s.wanted.Add(to)
			}
		}
	}
	return s
}

// counted says whether a service counts as up: for a stop also where it is only
// about to be, or nobody knows; for a start not where it is about to end.
func counted(s live.ServiceState, op Op) bool {
	if op == Stop {
		return s.Up || s.Unknown || s.Starting
	}
	return s.Up && !s.Unknown && !s.Stopping()
}

// phase makes the steps of one direction.
func (m *maker) phase(op Op, sel selection) Phase {
	ph := Phase{Op: op}
	stay := m.stay(op, sel, &ph)
	index := make([]int32, len(m.states))
	moving := false
	for id := range sel.set.All() {
		if stay.Has(id) {
			index[id] = -1
			continue
		}
		index[id] = int32(len(ph.Steps))
		noop := counted(m.states[id], op) == (op == Start)
		moving = moving || !noop
		ph.Steps = append(ph.Steps, Step{Service: id, Noop: noop, Because: sel.because[id], Wanted: sel.wanted.Has(id)})
	}
	if !moving {
		ph.Steps = nil
		return ph
	}
	m.link(&ph, func(id ID) (int32, bool) { return index[id], sel.set.Has(id) && index[id] >= 0 })
	return ph
}

// link fills in what the steps of a phase wait for. index gives the step of a
// service that has one.
func (m *maker) link(ph *Phase, index func(ID) (int32, bool)) {
	for i := range ph.Steps {
		s := &ph.Steps[i]
		hard, soft := m.g.Needs.Out(s.Service), m.g.Soft.Out(s.Service)
		if ph.Op == Stop {
			hard, soft = m.g.Needs.In(s.Service), m.g.Soft.In(s.Service)
		}
		for _, id := range hard {
			if j, ok := index(id); ok {
				s.Hard = append(s.Hard, j)
			}
		}
		for _, id := range soft {
			if j, ok := index(id); ok && !slices.Contains(s.Hard, j) {
				s.Soft = append(s.Soft, j)
			}
		}
	}
}

// stay returns what a stop has to leave up: essential services and what they
// need.
func (m *maker) stay(op Op, sel selection, ph *Phase) *graph.Set {
	stay := graph.NewSet(len(m.states))
	if op != Stop || m.req.Essentials || m.req.Exact {
		return stay
	}
	type held struct{ id, by ID }
	var queue []held
	for id := range sel.set.All() {
		if m.g.Essential(id) && counted(m.states[id], Stop) {
			stay.Add(id)
			ph.Kept = append(ph.Kept, id)
			queue = append(queue, held{id, id})
		}
	}
	for len(queue) > 0 {
		h := queue[0]
		queue = queue[1:]
		for _, id := range m.g.Needs.Out(h.id) {
			if !sel.set.Has(id) || !stay.Add(id) {
				continue
			}
			if counted(m.states[id], Stop) {
				ph.Held = append(ph.Held, Held{id, h.by})
			}
			queue = append(queue, held{id, h.by})
		}
	}
	return stay
}
