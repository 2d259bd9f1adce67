package update

import (
	"fmt"
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
		if c.Empty() {
			if !p.Empty() {
				t.Fatalf("actions %v without a change", brief(p))
			}
			return
		}
		inside := decided(t, c, st, o)
		if most := services(inside); inside.t.rounds > most {
			t.Fatalf("%d rounds for %d services", inside.t.rounds, most)
		}
		m := newMachine(t, old, st)
		for _, kept := range []*graph.Set{inside.pinned, inside.spared} {
			m.loosen(inside.old.sortedNames(kept)...)
		}
		if got := m.upNames(); !slices.Equal(got, p.Before.Up) {
			t.Fatalf("up before: %v, the patch says %v", got, p.Before.Up)
		}
		m.apply(p, new)
		if got := m.upNames(); !slices.Equal(got, p.After.Up) {
			t.Fatalf("up afterwards: %v, the patch says %v", got, p.After.Up)
		}
		m.apply(p.Inverse(), old)
		if got := m.upNames(); !slices.Equal(got, p.Before.Up) {
			t.Fatalf("up after the way back: %v, it was %v", got, p.Before.Up)
		}
		checkStopped(t, c, p)
	})
}

// services counts those of both databases, what goes on once. Each round but the
// last marks one of them, and what is not there or stops of its own is never
// marked.
func services(p *plan) int {
	n := p.old.count()
	for _, i := range p.match.from {
		if i == db.None {
			n++
		}
	}
	return max(n, 1)
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
