package update

import (
	"slices"

	"strata/compile/db"
	"strata/graph"
)

// provider is a name whose one service is another than before.
type provider struct {
	name     string
	from, to id // the old and the new service
}

// movedProviders finds the names that one service has provided, or had for its own,
// and another one provides or has now.
func (c *Changes) movedProviders() []provider {
	var out []provider
	for _, v := range []*view{c.before.view, c.after.view} {
		for _, b := range v.bundles {
			// A name that is provided in both databases is found in the first.
			if !b.Provided || v == c.after.view && c.before.isProvided(b.Name) {
				continue
			}
			from, was := c.before.provider(b.Name)
			to, is := c.after.provider(b.Name)
			if was && is && !slices.Contains(c.match.to[from], to) {
				out = append(out, provider{b.Name, from, to})
			}
		}
	}
	return out
}

// wanting is what decides whether a want counts.
type wanting struct {
	// blocked are services that an operator stopped and that nothing which is up
	// needs, and what needs them: they are not started.
	blocked *graph.Set
	// down are moves of a provided name, without the name, where the former provider
	// was down.
	down map[provider]bool
}

// pullWants adds what is wanted from now on: by a new want of what is up, and by
// any want of what is started for the first time. What an operator stopped stays
// down.
//
// A want of a name that another service provides now is no new want, unless the former
// one is still wanted beside it: that service is started if the former one was up. It
// is started too, wanted or not, if the former one was up and is gone.
func (p *plan) pullWants() {
	stopped := p.stopped.Clone()
	stopped.Subtract(p.t.after)
	p.wanting = wanting{p.new.needs.Dependents(stopped.IDs()), map[provider]bool{}}
	queue := p.t.after.IDs()
	for _, m := range p.moved {
		switch up := p.up.Has(m.from); {
		case !up:
			p.wanting.down[provider{from: m.from, to: m.to}] = true
		case len(p.match.to[m.from]) == 0 && !p.wasUp(m.to) && !p.refuses(m.to):
			p.followed[m.to] = m
			queue = p.pull(queue, m.to)
		}
	}
	queue = p.revive(queue)
	for len(queue) > 0 {
		j := queue[0]
		queue = queue[1:]
		for _, k := range p.newWants(j) {
			queue = p.pull(queue, k)
		}
	}
}

// revive starts what has failed, if that is asked for.
func (p *plan) revive(queue []id) []id {
	if !p.opts.Revive {
		return queue
	}
	for i, failed := range p.state.Failed {
		if !failed {
			continue
		}
		for _, j := range p.match.to[i] {
			if p.wasUp(j) || p.refuses(j) {
				continue
			}
			p.revived.Add(j)
			queue = p.pull(queue, j)
		}
	}
	return queue
}

// newWants are the wants of a service that count for this patch.
func (p *plan) newWants(j id) []id {
	if p.opts.Policy == Identity {
		return nil
	}
	wants := p.new.wants.Out(j)
	if len(wants) == 0 {
		return nil
	}
	var gone []id
	if p.wasUp(j) {
		gone, wants = p.edgeDelta(p.old.wants.Out(p.match.from[j]), wants)
	}
	return slices.DeleteFunc(slices.Clone(wants), func(k id) bool {
		return p.refuses(k) || slices.ContainsFunc(gone, func(g id) bool { return p.wanting.down[provider{from: g, to: k}] })
	})
}

// refuses says that a service is not started without need.
func (p *plan) refuses(j id) bool { return p.stopped.Has(j) || p.wanting.blocked.Has(j) }

// pull starts a service and all that it needs, and puts them behind a queue.
func (p *plan) pull(queue []id, j id) []id {
	at := len(queue)
	queue = p.begin(queue, j)
	for ; at < len(queue); at++ {
		for _, k := range p.new.needs.Out(queue[at]) {
			queue = p.begin(queue, k)
		}
	}
	return queue
}

func (p *plan) begin(queue []id, j id) []id {
	if p.t.after.Add(j) {
		p.starts.Add(j)
		queue = append(queue, j)
	}
	return queue
}

// findStopped finds the new services that an operator stopped, under the name they
// have now; also one that provides what a service which is gone provided.
func (p *plan) findStopped() {
	p.stopped = graph.NewSet(p.new.count())
	for j, i := range p.match.from {
		if i != db.None && p.before.isService(i) && p.state.Stopped[i] {
			p.stopped.Add(id(j))
		}
	}
	for _, m := range p.moved {
		if p.state.Stopped[m.from] && len(p.match.to[m.from]) == 0 && !p.wasUp(m.to) {
			p.stopped.Add(m.to)
		}
	}
}

// wasUp says that a new service was up as what it was before.
func (p *plan) wasUp(j id) bool {
	i := p.match.from[j]
	return i != db.None && p.up.Has(i)
}

func (p *plan) respectStops() error {
	if !p.opts.RespectStops {
		return nil
	}
	forced := p.stopped.Clone()
	forced.Intersect(p.starts)
	if forced.Len() == 0 {
		return nil
	}
	return &RefusedError{p.new.sortedNames(forced), "services that an operator stopped would have to be started", "start them first, or leave --respect-stops out"}
}
