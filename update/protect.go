package update

import (
	"strata/compile/db"
	"strata/graph"
)

// pin protects the essential services that are up, and what they need.
func (p *plan) pin() error {
	var essential []id
	for i := range p.up.All() {
		if p.old.isService(i) && p.old.flags[i]&db.Essential != 0 {
			essential = append(essential, i)
		}
	}
	p.pinned = p.old.needs.Closure(essential)
	p.pinned.Intersect(p.up)
	var lost []string
	for i := range p.pinned.All() {
		if _, ok := p.match.pair(i); !ok {
			lost = append(lost, p.pinnedText(i))
		}
	}
	if len(lost) > 0 {
		return &RefusedError{lost, "services that must not be stopped are gone or have another type", forceHint}
	}
	p.pinNewNeeds()
	return nil
}

func (p *plan) pinnedText(i id) string {
	name := p.old.name(i)
	if p.old.flags[i]&db.Essential == 0 {
		name += ", needed by an essential service"
	}
	return name
}

// pinNewNeeds protects also what pinned services need only from now on, if it is
// up and can go on, with all that it needs itself, from now on or until now.
func (p *plan) pinNewNeeds() {
	var lost []id
	for i := range p.up.All() {
		if _, ok := p.match.pair(i); !ok {
			lost = append(lost, i)
		}
	}
	doomed := p.old.needs.Dependents(lost)
	seenOld, seenNew := p.pinned.Clone(), graph.NewSet(p.new.count())
	oldQueue, newQueue := p.pinned.IDs(), []id(nil)
	for len(oldQueue)+len(newQueue) > 0 {
		if n := len(oldQueue) - 1; n >= 0 {
			i := oldQueue[n]
			oldQueue = add(oldQueue[:n], seenOld, p.old.needs.Out(i)...)
			if !p.up.Has(i) {
				continue
			}
			p.pinned.Add(i)
			if j, ok := p.match.pair(i); ok {
				newQueue = add(newQueue, seenNew, j)
			}
			continue
		}
		n := len(newQueue) - 1
		j := newQueue[n]
		newQueue = add(newQueue[:n], seenNew, p.new.needs.Out(j)...)
		if i := p.match.from[j]; i != db.None && p.up.Has(i) && !doomed.Has(i) {
			oldQueue = add(oldQueue, seenOld, i)
		}
	}
}

// add puts what has not been seen behind a queue.
func add(queue []id, seen *graph.Set, more ...id) []id {
	for _, i := range more {
		if seen.Add(i) {
			queue = append(queue, i)
		}
	}
	return queue
}

// spare finds, under the policy Identity, what is listed for a stop and not
// stopped: essential services, and what they need, since that cannot go down
// before them.
func (p *plan) spare() {
	if p.opts.ForceEssentials {
		return
	}
	var essential []id
	for i := range p.t.stop.All() {
		if p.old.isService(i) && p.old.flags[i]&db.Essential != 0 {
			essential = append(essential, i)
		}
	}
	p.spared = p.old.needs.Closure(essential)
	p.spared.Intersect(p.t.stop)
	for i := range p.spared.All() {
		if j, ok := p.match.pair(i); ok {
			p.starts.Remove(j)
		}
	}
}
