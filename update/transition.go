package update

import (
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
// Each round but the last marks a service that was not marked, and looks only at
// what the round before has changed: a service is visited once in each graph,
// however many rounds there are.
func decide(old, new *vertices, m *match, r rules) transition {
	d := newDecision(old, new, m, r)
	for next := d.own(); ; {
		d.t.rounds++
		d.stop(next)
		if next = d.force(); len(next) == 0 {
			break
		}
	}
	t := d.t
	t.after = new.needs.Closure(t.start.IDs())
	t.after.Union(t.keep)
	// A pinned service goes on even where a new dependency of it is not up yet; the
	// dependency is started all the same.
	t.after.Union(new.needs.Closure(t.keep.IDs()))
	return t
}

// decision is the work of [decide].
type decision struct {
	old, new *vertices
	match    *match
	rules
	t transition
	// reached are old services that stop or depend on what does; lost are new ones
	// that are not up at the switch, or are marked; fresh are those of them whose
	// dependents have not been looked at.
	reached, lost *graph.Set
	fresh         []id
}

// newDecision begins with everything that is up going on.
func newDecision(old, new *vertices, m *match, r rules) *decision {
	d := &decision{old: old, new: new, match: m, rules: r, reached: graph.NewSet(old.count()), lost: graph.NewSet(new.count())}
	d.t = transition{
		listed: graph.NewSet(old.count()), stop: graph.NewSet(old.count()), forced: graph.NewSet(old.count()),
		keep: graph.NewSet(new.count()), start: graph.NewSet(new.count()),
	}
	for i := range r.up.All() {
		for _, j := range m.to[i] {
			d.t.keep.Add(j)
		}
	}
	for j := range id(new.count()) {
		if !d.t.keep.Has(j) {
			d.lose(j)
		}
	}
	return d
}

func (d *decision) lose(j id) {
	if d.lost.Add(j) {
		d.fresh = append(d.fresh, j)
	}
}

// own are the services that stop for a reason of their own.
func (d *decision) own() []id {
	var out []id
	for i := range d.up.All() {
		if (d.restart.Has(i) || d.match.retyped[i] || !d.match.single[i]) && !d.pinned.Has(i) {
			out = append(out, i)
		}
	}
	return out
}

// stop stops services, and all that is up and depends on them.
func (d *decision) stop(queue []id) {
	for _, i := range queue {
		d.t.listed.Add(i)
		d.reached.Add(i)
	}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		if d.up.Has(i) {
			d.t.stop.Add(i)
			for _, j := range d.match.to[i] {
				d.t.keep.Remove(j)
				d.t.start.Add(j)
				d.lose(j)
			}
		}
		for _, k := range d.old.needs.In(i) {
			if d.reached.Add(k) {
				queue = append(queue, k)
			}
		}
	}
}

// force marks what goes on but would depend on something that does not.
func (d *decision) force() []id {
	var marked []id
	for len(d.fresh) > 0 {
		j := d.fresh[0]
		d.fresh = d.fresh[1:]
		for _, k := range d.new.needs.In(j) {
			i := d.match.from[k]
			if !d.t.keep.Has(k) || d.pinned.Has(i) || d.lost.Has(k) {
				continue
			}
			d.lose(k)
			d.t.forced.Add(i)
			marked = append(marked, i)
		}
	}
	return marked
}
