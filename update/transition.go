package update

import (
	"strata/compile/db"
	"strata/graph"
)

// rules are what the policies put into the transition.
type rules struct {
	// up are the old services that are up.
	up *graph.Set
	// restart are the old services that restart of their own, for a changed
	// definition or because they were told to.
	restart *graph.Set
	// pinned are old services that must go on whatever happens to others.
	pinned *graph.Set
}

// transition is the outcome: what stops and what starts. Old sets are over the
// old vertices, new ones over the new.
type transition struct {
	// listed are the old services that stop for a reason of their own: what
	// s6-rc-update names. stop is that with what is up and depends on it.
	listed, stop *graph.Set
	// keep are the new services that go on running, start those that were up
	// under their old identity and must be brought up again, after all that is
	// up in the end.
	keep, start, after *graph.Set
	// forced are old services that restart only because the new graph gives
	// them, directly or through others, a dependency that is not up.
	forced *graph.Set
	rounds int
}

// decide finds the services that must stop and start. It follows s6-rc-update:
//
//  1. An old service that is up stops if it has no single successor or is to
//     restart, and with it all that depends on it.
//  2. The successors of what stopped are wanted; those of what did not go on.
//  3. If something that goes on depends, in the new graph, on something that does
//     not, it has to restart: mark it and begin again.
//
// Each round but the last marks a service that was not marked, so there are at
// most as many rounds as services, plus one.
func decide(old, new *vertices, m *match, r rules) transition {
	t := transition{forced: graph.NewSet(old.count())}
	restart := r.restart.Clone()
	for {
		t.rounds++
		t.listed, t.stop = stopSet(old, m, r, restart)
		t.keep, t.start = graph.NewSet(new.count()), graph.NewSet(new.count())
		for i := range r.up.All() {
			for _, j := range m.to[i] {
				if t.stop.Has(i) {
					t.start.Add(j)
				} else {
					t.keep.Add(j)
				}
			}
		}
		if !markForced(new, m, r, &t, restart) {
			t.after = new.needs.Closure(t.start.IDs())
			t.after.Union(t.keep)
			// A pinned service goes on even where a new dependency of it is
			// not up yet; the dependency is started all the same.
			t.after.Union(new.needs.Closure(t.keep.IDs()))
			return t
		}
	}
}

func stopSet(old *vertices, m *match, r rules, restart *graph.Set) (listed, stop *graph.Set) {
	listed = graph.NewSet(old.count())
	for i := range r.up.All() {
		if (restart.Has(i) || m.retyped[i] || !m.single[i]) && !r.pinned.Has(i) {
			listed.Add(i)
		}
	}
	stop = old.needs.Dependents(listed.IDs())
	stop.Intersect(r.up)
	return listed, stop
}

// markForced marks for restart what goes on but would depend on something that is
// not up. It reports whether it marked anything.
func markForced(new *vertices, m *match, r rules, t *transition, restart *graph.Set) bool {
	missing := new.needs.Closure(t.keep.IDs())
	missing.Subtract(t.keep)
	marked := false
	seen := missing.Clone()
	queue := missing.IDs()
	for len(queue) > 0 {
		j := queue[0]
		queue = queue[1:]
		for _, k := range new.needs.In(j) {
			i := m.from[k]
			if t.keep.Has(k) && i != db.None && r.pinned.Has(i) {
				continue
			}
			if !seen.Add(k) {
				continue
			}
			queue = append(queue, k)
			if t.keep.Has(k) && restart.Add(i) {
				t.forced.Add(i)
				marked = true
			}
		}
	}
	return marked
}
