package update

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"strata/compile/db"
	"strata/graph"
)

// drawSpecs makes a random set of services: needs and wants lead to lower numbers.
func drawSpecs(t *rapid.T, label string) specs {
	n := rapid.IntRange(1, 8).Draw(t, label+" services")
	s := specs{}
	for i := range n {
		// A name has the same place in the order of both databases, so that no
		// cycle comes about, but not every name is in both.
		if rapid.IntRange(0, 4).Draw(t, label+" skip") == 0 {
			continue
		}
		sp := spec{Type: rapid.SampledFrom([]string{"longrun", "longrun", "oneshot"}).Draw(t, label+" type")}
		sp.Run = rapid.SampledFrom([]string{"", "", "", "# new"}).Draw(t, label+" run")
		sp.Essential = rapid.IntRange(0, 9).Draw(t, label+" essential") == 0
		sp.OnChange = rapid.SampledFrom([]db.OnChange{0, 0, 0, db.Restart, db.Reload, db.Keep}).Draw(t, label+" on-change")
		for j := range i {
			to := fmt.Sprintf("s%d", j)
			if _, ok := s[to]; !ok {
				continue
			}
			switch rapid.IntRange(0, 5).Draw(t, label+" edge") {
			case 0, 1:
				sp.Deps = append(sp.Deps, to)
			case 2:
				sp.Wants = append(sp.Wants, to)
			case 3:
				if sp.Type == "longrun" && s[to].Type == "longrun" && sp.Feeds == "" {
					sp.Feeds = to
				}
			}
		}
		s[fmt.Sprintf("s%d", i)] = sp
	}
	return s
}

// drawUp makes a state in which what is up has its needs up.
func drawUp(t *rapid.T, v *view) State {
	st := State{Up: make([]bool, v.len()), Stopped: make([]bool, v.len())}
	var start []id
	for i := range v.len() {
		if rapid.Bool().Draw(t, "up") {
			start = append(start, id(i))
		}
	}
	for i := range v.needs.Closure(start).All() {
		st.Up[i] = true
	}
	for i := range st.Stopped {
		st.Stopped[i] = !st.Up[i] && rapid.Bool().Draw(t, "stopped")
	}
	return st
}

// machine is a simulated live directory: what is up, by slot.
type machine struct {
	t     *rapid.T
	v     *view
	up    map[string]bool
	loose map[string]bool // services that may be up without what they need
}

func (m *machine) check(after Action) {
	for name := range m.up {
		i, ok := m.v.find(name)
		if !ok {
			m.t.Fatalf("after %+v: %s is up and not in the database", after, name)
		}
		for _, to := range m.v.needs.Out(i) {
			if need := m.v.names[to]; !m.up[need] && !m.loose[name] {
				m.t.Fatalf("after %+v: %s is up, and %s, which it needs, is not", after, name, need)
			}
		}
	}
}

// apply does what a patch says, one action after the other.
func (m *machine) apply(p *Patch, new *view) {
	// What the actions of the switch say takes effect with it.
	renamed, gone := map[string]string{}, map[string]bool{}
	for _, a := range p.Actions {
		switch a.Op {
		case OpRename:
			renamed[a.Service] = a.NewNames[0]
		case OpRemove:
			gone[a.Service] = true
		}
	}
	switched := false
	for _, a := range p.Actions {
		if a.Phase == StartPhase && !switched {
			m.t.Fatalf("action %+v before the switch", a)
		}
		switch a.Op {
		case OpStop:
			if !m.up[a.Service] {
				m.t.Fatalf("action %+v: it is down", a)
			}
			delete(m.up, a.Service)
			m.check(a)
		case OpSwitch:
			switched = true
			after := map[string]bool{}
			for name := range m.up {
				if to, ok := renamed[name]; ok {
					after[to] = true
				} else if !gone[name] {
					after[name] = true
				}
			}
			m.v, m.up = new, after
		case OpStart:
			if m.up[a.Service] {
				m.t.Fatalf("action %+v: it is up", a)
			}
			m.up[a.Service] = true
			m.check(a)
		}
	}
}

func upNames(v *view, up []bool) map[string]bool {
	out := map[string]bool{}
	for i, isUp := range up {
		if isUp {
			out[v.names[i]] = true
		}
	}
	return out
}

// TestPatchProperties applies random patches to a simulated machine.
func TestPatchProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		old, new := drawSpecs(t, "old").view(t), drawSpecs(t, "new").view(t)
		st := drawUp(t, old)
		o := Options{
			Policy:          rapid.SampledFrom([]Policy{Identity, Definition}).Draw(t, "policy"),
			ForceEssentials: rapid.Bool().Draw(t, "force"),
		}
		conv := drawConversions(t, old, new)
		c, err := diffViews(old, new, conv, false)
		if err != nil {
			return // two old services that would become one
		}
		p, err := Plan(c, st, o)
		if err != nil {
			if o.Policy == Identity || o.ForceEssentials {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		m := &machine{t: t, v: old, up: upNames(old, st.Up), loose: map[string]bool{}}
		if !c.Empty() {
			m.play(c, st, o, p)
		}
		if before := slices.Sorted(maps.Keys(upNames(old, st.Up))); !slices.Equal(before, p.Before.Up) {
			t.Fatalf("up before: %v, the patch says %v", before, p.Before.Up)
		}
		got := []string{}
		for name := range m.up {
			got = append(got, name)
		}
		slices.Sort(got)
		if !slices.Equal(got, p.After.Up) {
			t.Fatalf("up afterwards: %v, the patch says %v", got, p.After.Up)
		}
		checkStopped(t, c, p)
	})
}

func drawConversions(t *rapid.T, old, new *view) Conversions {
	var lines []string
	for _, name := range old.names {
		if rapid.IntRange(0, 9).Draw(t, "conversion") == 0 && new.len() > 0 {
			lines = append(lines, name+" -> "+rapid.SampledFrom(new.names).Draw(t, "to"))
		}
	}
	return conversions(lines...)
}

// checkStopped: what an operator stopped is started only if something needs it.
func checkStopped(t *rapid.T, c *Changes, p *Patch) {
	for _, a := range p.Actions {
		if a.Op == OpStart && a.Forced && !neededBy(c.after.view, p.After.Up, a.Service) {
			t.Fatalf("%s was started, which an operator had stopped and nothing needs", a.Service)
		}
	}
}

func neededBy(v *view, up []string, name string) bool {
	i, _ := v.find(name)
	return slices.ContainsFunc(v.needs.In(i), func(k id) bool { return slices.Contains(up, v.names[k]) })
}

// play applies the patch, knowing what must go on whatever happens to others.
func (m *machine) play(c *Changes, st State, o Options, p *Patch) {
	inside := decided(m.t, c, st, o)
	// What must not be stopped may have gained a need that is not up yet.
	for _, kept := range []*graph.Set{inside.pinned, inside.spared} {
		for i := range kept.All() {
			m.loose[c.before.names[i]] = true
			for _, j := range c.match.to[i] {
				m.loose[c.after.names[j]] = true
			}
		}
	}
	// The planner ends in at most |V| rounds, and one to see that.
	if inside.t.rounds > inside.old.count()+1 {
		m.t.Fatalf("%d rounds for %d services", inside.t.rounds, inside.old.count())
	}
	m.apply(p, c.after.view)
}

// decided is the inside of a plan.
func decided(t *rapid.T, c *Changes, st State, o Options) *plan {
	p, err := newPlan(c, st, o)
	if err == nil {
		err = p.prepare()
	}
	if err == nil {
		err = p.decide()
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestSameIsEmpty: no difference, no action, whatever is up.
func TestSameIsEmpty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpecs(t, "both")
		v := s.view(t)
		c, err := diffViews(v, s.view(t), Conversions{}, false)
		if err != nil {
			t.Fatal(err)
		}
		st := drawUp(t, v)
		for _, policy := range []Policy{Identity, Definition} {
			p, err := Plan(c, st, Options{Policy: policy})
			if err != nil || !p.Empty() || !c.Empty() {
				t.Fatalf("%v, %v", brief(p), err)
			}
		}
	})
}

// TestChains: what is stopped or started has a chain that begins with a change and
// leads to it link by link.
func TestChains(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		old, new := drawSpecs(t, "old").view(t), drawSpecs(t, "new").view(t)
		c, err := diffViews(old, new, Conversions{}, false)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Plan(c, drawUp(t, old), Options{Policy: rapid.SampledFrom([]Policy{Identity, Definition}).Draw(t, "policy"), ForceEssentials: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range p.Actions {
			if a.Op == OpStop || a.Op == OpStart {
				checkChain(t, a)
			}
		}
	})
}

func checkChain(t *rapid.T, a Action) {
	if len(a.Because) == 0 {
		t.Fatalf("%s %s has no reason", a.Op, a.Service)
	}
	about := a.Because[0].Service
	if a.Because[0].What == ReasonNeeds {
		t.Fatalf("%s %s: the chain begins with a dependency: %+v", a.Op, a.Service, a.Because)
	}
	seen := []string{about}
	for _, link := range a.Because[1:] {
		if link.What != ReasonNeeds && link.What != ReasonGained || !slices.Contains(seen, link.To) && !slices.Contains(seen, link.Service) {
			t.Fatalf("%s %s: link %+v does not follow in %+v", a.Op, a.Service, link, a.Because)
		}
		seen = append(seen, link.Service, link.To)
	}
	// A start ends with the service, or with what is up and needs it.
	if last := a.Because[len(a.Because)-1]; last.Service != a.Service && last.To != a.Service {
		t.Fatalf("%s %s: the chain ends elsewhere: %+v", a.Op, a.Service, a.Because)
	}
}
