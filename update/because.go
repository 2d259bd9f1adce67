package update

import (
	"slices"

	"strata/compile/db"
	"strata/graph"
)

// reasons are the shortest chains from a change to each service that stops or
// starts. A chain begins with the change and ends with the service.
type reasons struct {
	*plan
	places               *places
	oldChains, newChains map[id]*chain
}

// explain searches breadth first from the changes, so that the chains it finds are
// shortest ones; among equals the one that is found first counts, which depends on
// nothing but the order of the services.
func (p *plan) explain() *reasons {
	r := &reasons{plan: p, places: newPlaces(), oldChains: map[id]*chain{}, newChains: map[id]*chain{}}
	r.explainStops()
	r.explainStarts()
	return r
}

// explainStops begins with what stops for a reason of its own, and goes on to what
// needs that, in either database. What needs something that was not up, from now
// on, has a chain of two links, as have those that come next.
func (r *reasons) explainStops() {
	var first, queue []id
	for i := range r.t.stop.All() {
		if c, ok := r.own(i); ok {
			r.oldChains[i] = begin(c)
			first = append(first, i)
		}
	}
	for _, i := range first {
		queue = r.takeAlong(queue, i)
	}
	for i := range r.t.stop.All() {
		if r.oldChains[i] == nil {
			queue = r.unmet(queue, i)
		}
	}
	for len(queue) > 0 {
		i := queue[0]
		queue = r.takeAlong(queue[1:], i)
	}
}

// takeAlong explains what stops because i does.
func (r *reasons) takeAlong(queue []id, i id) []id {
	link := func(k id, edge func() Cause) {
		if r.t.stop.Has(k) && r.oldChains[k] == nil {
			r.oldChains[k] = r.oldChains[i].and(edge())
			queue = append(queue, k)
		}
	}
	for _, k := range r.old.needs.In(i) {
		link(k, func() Cause { return r.oldNeed(k, i) })
	}
	for _, j := range r.match.to[i] {
		for _, k := range r.new.needs.In(j) {
			if from := r.match.from[k]; from != db.None && r.goesOn(from) {
				link(from, func() Cause { return r.newEdge("needs", k, j) })
			}
		}
	}
	return queue
}

// goesOn says that an old service is one of the same type in the new database.
func (r *reasons) goesOn(i id) bool {
	_, ok := r.match.pair(i)
	return ok
}

// unmet explains what stops because it needs, from now on, something that was not
// up.
func (r *reasons) unmet(queue []id, i id) []id {
	j, ok := r.match.pair(i)
	if !ok {
		return queue
	}
	at := slices.IndexFunc(r.new.needs.Out(j), func(k id) bool { return !r.wasUp(k) })
	if at < 0 {
		return queue
	}
	r.oldChains[i] = r.missing("needs", j, r.new.needs.Out(j)[at])
	return append(queue, i)
}

// explainStarts finds the chains of what is started: that of the stop for what
// comes back, else from what needs or wants it, or from what it takes the place of, or
// that it has failed.
func (r *reasons) explainStarts() {
	var queue []id
	for j := range r.pullers().All() {
		m, follows := r.followed[j]
		switch {
		case r.wasUp(j):
			r.newChains[j] = r.oldChains[r.match.from[j]]
		case follows:
			r.newChains[j] = begin(r.provided(m))
		case r.revived.Has(j):
			r.newChains[j] = begin(Cause{What: ReasonFailed, Service: r.new.name(j)})
		default:
			continue
		}
		queue = append(queue, j)
	}
	for len(queue) > 0 {
		j := queue[0]
		queue = queue[1:]
		for _, k := range r.new.needs.Out(j) {
			queue = r.pullIn(queue, "needs", j, k)
		}
		for _, k := range r.newWants(j) {
			queue = r.pullIn(queue, "wants", j, k)
		}
	}
}

// pullers are what is started and what needs or wants it: nothing else has a part
// in its chain.
func (r *reasons) pullers() *graph.Set {
	out := r.starts.Clone()
	for k := range r.starts.All() {
		for _, edges := range [][]id{r.new.needs.In(k), r.new.wants.In(k)} {
			for _, j := range edges {
				out.Add(j)
			}
		}
	}
	out.Intersect(r.t.after)
	return out
}

// pullIn explains k, which is started because of j: from the edge, if j was up, else
// along the chain of j.
func (r *reasons) pullIn(queue []id, key string, j, k id) []id {
	if r.newChains[k] != nil || !r.starts.Has(k) {
		return queue
	}
	if r.wasUp(j) {
		r.newChains[k] = r.missing(key, j, k)
	} else {
		r.newChains[k] = r.newChains[j].and(r.newEdge(key, j, k))
	}
	return append(queue, k)
}

// missing explains that j depends on k, which was not up.
func (r *reasons) missing(key string, j, k id) *chain {
	edge := r.newEdge(key, j, k)
	for _, m := range r.moved {
		if m.to == k && r.had(key, r.match.from[j], m.from) {
			return begin(r.provided(m)).and(edge)
		}
	}
	if r.match.from[k] == db.None {
		return begin(Cause{What: ReasonAdded, Service: r.new.name(k), At: r.places.of(r.new.view, k, "")}).and(edge)
	}
	return begin(Cause{What: ReasonDown, Service: r.new.name(k)}).and(edge)
}

// had says that an old service had an edge.
func (r *reasons) had(key string, i, to id) bool {
	if i == db.None {
		return false
	}
	_, found := slices.BinarySearch(r.old.edges(key).Out(i), to)
	return found
}

func (r *reasons) stop(i id) []Cause  { return r.oldChains[i].links() }
func (r *reasons) start(j id) []Cause { return r.newChains[j].links() }

// maxLinks is how long a chain may be in a patch, so that long lines of
// dependencies do not make patches that grow with their square.
const maxLinks = 16

// chain is a chain of causes, seen from its end. Chains share their beginnings.
type chain struct {
	last   Cause
	before *chain
	length int
	head   []Cause // its first links, once there are maxLinks/2
	said   []Cause // what links has returned
}

func begin(c Cause) *chain { return &chain{last: c, length: 1} }

// and is the chain with one more link.
func (c *chain) and(last Cause) *chain {
	next := &chain{last: last, before: c, length: c.length + 1, head: c.head}
	if next.length == maxLinks/2 {
		next.head = next.tail(next.length)
	}
	return next
}

// tail returns the last n links, in order.
func (c *chain) tail(n int) []Cause {
	out := make([]Cause, n)
	for ; n > 0; n-- {
		out[n-1] = c.last
		c = c.before
	}
	return out
}

// links returns all links in order, without those in the middle of a long chain.
func (c *chain) links() []Cause {
	switch {
	case c == nil || c.said != nil:
	case c.length <= maxLinks:
		c.said = c.tail(c.length)
	default:
		left := Cause{What: ReasonThrough, Links: c.length - maxLinks}
		c.said = slices.Concat(c.head, []Cause{left}, c.tail(maxLinks/2))
	}
	if c == nil {
		return nil
	}
	return c.said
}
