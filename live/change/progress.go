package change

import (
	"slices"
	"time"
)

// Progress follows a run by its events, for whoever shows it. It is a value without
// a clock; its methods belong to one goroutine at a time.
type Progress struct {
	phases  []progressPhase
	current int
	total   int
	done    int
	running []Running // in the order in which they began
}

// progressPhase is what has to be known of a phase to count who waits for whom.
type progressPhase struct {
	phase Phase
	index map[ID]int32
	hard  adjacency
	ended []bool
}

// Running is a step that is under way.
type Running struct {
	Target Target
	Op     Op
	Began  time.Time
	// Limit is how long it may take, 0 for as long as it likes.
	Limit time.Duration
	// Holds is how many services need it, near and far, and cannot begin.
	Holds int
}

// NewProgress is the progress of a plan of which nothing has happened.
func NewProgress(plan Plan) *Progress {
	p := &Progress{total: plan.Moves()}
	for _, ph := range plan.Phases {
		pp := progressPhase{
			phase: ph, index: make(map[ID]int32, len(ph.Steps)), ended: make([]bool, len(ph.Steps)),
			hard: waiters(ph.Steps, func(s *Step) []int32 { return s.Hard }),
		}
		for i, s := range ph.Steps {
			pp.index[s.Service] = int32(i)
		}
		p.phases = append(p.phases, pp)
	}
	return p
}

// Apply takes note of an event.
func (p *Progress) Apply(e Event) {
	switch e.Kind {
	case Began:
		limit := e.Target.TimeoutUp
		if e.Op == Stop {
			limit = e.Target.TimeoutDown
		}
		p.running = append(p.running, Running{Target: e.Target, Op: e.Op, Began: e.At, Limit: limit})
	case Already, Done, Failed, Skipped:
		p.end(e)
	}
}

// end notes that a step has ended. Events come in the order of the phases.
func (p *Progress) end(e Event) {
	p.running = slices.DeleteFunc(p.running, func(r Running) bool { return r.Target.ID == e.Target.ID })
	for i := p.current; i < len(p.phases); i++ {
		pp := &p.phases[i]
		j, ok := pp.index[e.Target.ID]
		if !ok || pp.ended[j] || pp.phase.Op != e.Op {
			continue
		}
		pp.ended[j] = true
		p.current = i
		if !pp.phase.Steps[j].Noop {
			p.done++
		}
		return
	}
}

// Counts returns how many steps have ended, and how many there are.
func (p *Progress) Counts() (done, total int) { return p.done, p.total }

// Running returns the steps that are under way, the oldest first, at most n.
func (p *Progress) Running(n int) []Running {
	list := slices.Clone(p.running[:min(n, len(p.running))])
	for i := range list {
		list[i].Holds = p.holds(list[i].Target.ID, list[i].Op)
	}
	return list
}

// Flying returns how many steps are under way.
func (p *Progress) Flying() int { return len(p.running) }

// holds counts the steps that need a service's and have not ended.
func (p *Progress) holds(id ID, op Op) int {
	for i := p.current; i < len(p.phases); i++ {
		pp := &p.phases[i]
		first, ok := pp.index[id]
		if !ok || pp.phase.Op != op {
			continue
		}
		n := 0
		seen := map[int32]bool{first: true}
		for queue := []int32{first}; len(queue) > 0; queue = queue[1:] {
			for _, j := range pp.hard.of(queue[0]) {
				if seen[j] || pp.ended[j] {
					continue
				}
				seen[j] = true
				queue = append(queue, j)
				if !pp.phase.Steps[j].Noop {
					n++
				}
			}
		}
		return n
	}
	return 0
}
