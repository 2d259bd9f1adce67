package update

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"strata/compile/db"
	"strata/graph"
)

// TestPatchProperties applies random patches to a simulated machine.
func TestPatchProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, patchLeadsThereAndBack)
}

func patchLeadsThereAndBack(t *rapid.T) {
	old, new := drawSpecs(t, "old").view(t), drawSpecs(t, "new").view(t)
	old.private = rapid.IntRange(0, 9).Draw(t, "private") == 0
	st := drawUp(t, old)
	o := drawOptions(t, old)
	conv := drawConversions(t, old, new)
	c, err := diffViews(old, new, conv, false)
	if err != nil {
		return // two old services that would become one
	}
	p, err := Plan(c, st, o)
	if err != nil {
		if len(o.Keep) == 0 && (o.Policy == Identity || o.ForceEssentials) {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	if c.Empty() && len(o.Restart) == 0 {
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
