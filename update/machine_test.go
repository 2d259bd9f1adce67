package update

import (
	"maps"
	"slices"

	"pgregory.net/rapid"

	"strata/compile/db"
)

// machine is a simulated live directory: each service has a slot, a slot has a
// definition and perhaps a pipe, and may be up.
type machine struct {
	t     *rapid.T
	v     *view
	slots map[string]int
	defs  map[int]rendered
	pipes map[int]bool
	up    map[int]bool
	loose map[int]bool // slots that may be up without what they need
	next  int
}

// rendered is what a service runs in.
type rendered struct {
	def     db.Digest
	fed     bool
	feeds   int // the slot, 0 if none
	private bool
}

func newMachine(t *rapid.T, v *view, st State) *machine {
	m := &machine{t: t, v: v, slots: map[string]int{}, defs: map[int]rendered{}, pipes: map[int]bool{}, up: map[int]bool{}, loose: map[int]bool{}}
	for _, name := range v.names {
		m.next++
		m.slots[name] = m.next
	}
	for i, name := range v.names {
		slot := m.slots[name]
		m.defs[slot] = m.render(v, id(i), m.slots)
		if v.fed[i] {
			m.pipes[slot] = true
		}
		if st.Up[i] {
			m.up[slot] = true
		}
	}
	return m
}

// render is what a service should run in.
func (m *machine) render(v *view, i id, slots map[string]int) rendered {
	r := rendered{def: v.def(i), fed: v.fed[i], private: v.private}
	if v.consumer[i] != db.None {
		r.feeds = slots[v.names[v.consumer[i]]]
	}
	return r
}

// loosen names services that must not be stopped, whatever they need from now on.
func (m *machine) loosen(names ...string) {
	for _, name := range names {
		m.loose[m.slots[name]] = true
	}
}

// upNames returns what is up, sorted.
func (m *machine) upNames() []string {
	out := []string{}
	for name, slot := range m.slots {
		if m.up[slot] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// check fails if something is up without what it needs.
func (m *machine) check(after Action) {
	for i, name := range m.v.names {
		if !m.up[m.slots[name]] || m.loose[m.slots[name]] {
			continue
		}
		for _, to := range m.v.needs.Out(id(i)) {
			if need := m.v.names[to]; !m.up[m.slots[need]] {
				m.t.Fatalf("after %+v: %s is up, and %s, which it needs, is not", after, name, need)
			}
		}
	}
}

// apply does what a patch says: the stops and starts in any order that their edges
// allow, and the switch as a whole.
func (m *machine) apply(p *Patch, new *view) {
	phases := map[Phase][]Action{}
	for _, a := range p.Actions {
		phases[a.Phase] = append(phases[a.Phase], a)
	}
	m.moves(phases[StopPhase], OpStop)
	m.switchTo(phases[SwitchPhase], new)
	m.moves(phases[StartPhase], OpStart)
	for _, a := range phases[StartPhase] {
		if a.Op == OpReload && !m.up[m.slots[a.Service]] {
			m.t.Fatalf("%+v: it is down", a)
		}
	}
}

// moves stops or starts, one service after the other.
func (m *machine) moves(actions []Action, op Op) {
	left := map[id]Action{}
	for _, a := range actions {
		i, ok := m.v.find(a.Service)
		switch {
		case !ok:
			m.t.Fatalf("%+v: there is no such service", a)
		case a.Op == op:
			left[i] = a
		case a.Op == OpSpare:
			m.loosen(a.Service)
		}
	}
	before := m.v.needs.In
	if op == OpStart {
		before = m.v.needs.Out
	}
	for len(left) > 0 {
		var ready []id
		for i := range left {
			if !slices.ContainsFunc(before(i), func(k id) bool { _, waits := left[k]; return waits }) {
				ready = append(ready, i)
			}
		}
		slices.Sort(ready)
		i := rapid.SampledFrom(ready).Draw(m.t, "next")
		slot := m.slots[m.v.names[i]]
		if m.up[slot] == (op == OpStart) {
			m.t.Fatalf("%+v: it is up: %t", left[i], m.up[slot])
		}
		m.up[slot] = op == OpStart
		m.check(left[i])
		delete(left, i)
	}
}

// switchTo makes the machine follow a database. What the actions leave out is
// seen: everything must be as the database has it.
func (m *machine) switchTo(actions []Action, new *view) {
	if len(actions) == 0 {
		if m.v.content != new.content {
			m.t.Fatalf("the database is another one, and there is no switch")
		}
		m.v = new
		return
	}
	slots, switched := maps.Clone(m.slots), false
	for _, a := range actions {
		if a.Op == OpRename || a.Op == OpRemove {
			delete(slots, a.Service)
		}
	}
	for _, a := range actions {
		_, taken := slots[a.Service]
		switch {
		case a.Op == OpSwitch:
			switched = true
		case a.Op == OpRename:
			slots[a.NewNames[0]] = m.slots[a.Service]
		case a.Op == OpMake && taken:
			m.t.Fatalf("%+v: the name is taken", a)
		case a.Op == OpMake:
			m.next++
			slots[a.Service] = m.next
		case a.Op == OpRemove && !switched:
			m.t.Fatalf("%+v before the switch", a)
		case a.Op == OpRemove:
			delete(m.up, m.slots[a.Service]) // a spared one ends here
		}
	}
	m.change(actions, new, slots)
	m.v, m.slots = new, slots
	m.compare(new)
}

// change does what the switch does to definitions and pipes.
func (m *machine) change(actions []Action, new *view, slots map[string]int) {
	for _, a := range actions {
		switch a.Op {
		case OpMake:
			j, _ := new.find(a.Service)
			m.defs[slots[a.Service]] = m.render(new, j, slots)
		case OpDefine:
			j, _ := new.find(a.NewNames[0])
			if slots[a.NewNames[0]] != m.slots[a.Service] {
				m.t.Fatalf("%+v: it is another service", a)
			}
			m.defs[m.slots[a.Service]] = m.render(new, j, slots)
		case OpPipe:
			m.pipes[slots[a.Service]] = true
		case OpUnpipe:
			if !m.pipes[m.slots[a.Service]] {
				m.t.Fatalf("%+v: it has no pipe", a)
			}
			delete(m.pipes, m.slots[a.Service])
		case OpRemove:
			delete(m.defs, m.slots[a.Service])
		}
	}
}

// compare fails if something is not as the database has it.
func (m *machine) compare(v *view) {
	if names := slices.Sorted(maps.Keys(m.slots)); !slices.Equal(names, v.names) {
		m.t.Fatalf("after the switch there are %v, want %v", names, v.names)
	}
	pipes := map[int]bool{}
	for i, name := range v.names {
		slot := m.slots[name]
		if got, want := m.defs[slot], m.render(v, id(i), m.slots); got != want {
			m.t.Fatalf("after the switch %s is made of %+v, want %+v", name, got, want)
		}
		if v.fed[i] {
			pipes[slot] = true
		}
	}
	if !maps.Equal(pipes, m.pipes) || len(m.defs) != v.len() {
		m.t.Fatalf("after the switch there are the pipes %v, want %v, and %d definitions", m.pipes, pipes, len(m.defs))
	}
}
