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

// pulling starts what is wanted, and what takes the place of a provider that is
// gone.
type pulling struct {
	*plan
	// blocked are services that an operator stopped, that nothing which is up
	// needs, and what needs them: they are not started.
	blocked *graph.Set
	queue   []id
}

// pullWants adds what is wanted from now on: by a new want of what is up, and by
// any want of what is started for the first time. What an operator stopped stays
// down.
//
// A want of a name that another service provides now is no new want: that service
// is started if the former one was up. It is started too, wanted or not, if the
// former one was up and is gone.
func (p *plan) pullWants() {
	stopped := p.stopped.Clone()
	stopped.Subtract(p.t.after)
	w := &pulling{plan: p, blocked: p.new.needs.Dependents(stopped.IDs())}
	w.queue = p.t.after.IDs()
	down := map[provider]bool{}
	for _, m := range p.moved {
		switch up := p.up.Has(m.from); {
		case !up:
			down[provider{from: m.from, to: m.to}] = true
		case len(p.match.to[m.from]) == 0 && w.pull(m.to):
			p.followed[m.to] = m
		}
	}
	for len(w.queue) > 0 {
		j := w.queue[0]
		w.queue = w.queue[1:]
		for _, k := range w.newWants(j, down) {
			if w.pull(k) {
				p.wanted[k] = j
			}
		}
	}
}

// newWants are the wants of a service that count for this patch.
func (w *pulling) newWants(j id, down map[provider]bool) []id {
	wants := w.new.wants.Out(j)
	if !w.wasUp(j) {
		return wants
	}
	gone, more := w.edgeDelta(w.old.wants.Out(w.match.from[j]), wants)
	if len(down) == 0 {
		return more
	}
	return slices.DeleteFunc(more, func(k id) bool {
		return slices.ContainsFunc(gone, func(g id) bool { return down[provider{from: g, to: k}] })
	})
}

// pull starts a service and all that it needs. It reports whether it is one that is
// to be started.
func (w *pulling) pull(j id) bool {
	if w.t.after.Has(j) || w.blocked.Has(j) {
		return false
	}
	at := len(w.queue)
	w.queue = w.begin(j, w.queue)
	for ; at < len(w.queue); at++ {
		for _, k := range w.new.needs.Out(w.queue[at]) {
			w.queue = w.begin(k, w.queue)
		}
	}
	return true
}

func (w *pulling) begin(j id, queue []id) []id {
	if w.t.after.Add(j) {
		w.starts.Add(j)
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
