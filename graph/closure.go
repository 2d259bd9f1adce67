package graph

// Closure returns the vertices of start and all that they depend on, directly or
// through others.
func (g *Graph) Closure(start []ID) *Set { return g.fwd.reach(start) }

// Dependents returns the vertices of start and all that depend on them, directly
// or through others.
func (g *Graph) Dependents(start []ID) *Set { return g.back().reach(start) }

func (c csr) reach(start []ID) *Set {
	s := NewSet(c.len())
	stack := make([]ID, 0, len(start))
	for _, v := range start {
		if s.Add(v) {
			stack = append(stack, v)
		}
	}
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, w := range c.row(v) {
			if s.Add(w) {
				stack = append(stack, w)
			}
		}
	}
	return s
}

// Path returns a shortest chain of dependencies that leads from one vertex to
// another: from first, to last, each depending on the next. It is nil if there is
// none, and the vertex alone if from is to. Of several shortest chains it is the
// lexicographically smallest. For a chain of dependents, ask [Graph.Reverse]; for
// many chains from the same start, [Graph.Paths] once.
func (g *Graph) Path(from, to ID) []ID {
	if int64(to) >= int64(g.Len()) {
		return nil
	}
	return g.fwd.search([]ID{from}, to).To(to)
}

// Paths searches the shortest chains of dependencies from the nearest of the
// vertices of start to every vertex, in one pass over the graph. Where several
// are equally near, the one that stands first in start counts.
func (g *Graph) Paths(start []ID) *Paths { return g.fwd.search(start, none) }

// DependentPaths is [Graph.Paths] against the edges: chains from a vertex of start
// to its dependents.
func (g *Graph) DependentPaths(start []ID) *Paths { return g.back().search(start, none) }

// none is never a vertex.
const none ID = MaxLen

// Paths holds shortest chains from a set of starting vertices.
type Paths struct {
	// parent is the vertex before, the vertex itself for a start, none for what
	// is not reached.
	parent []ID
}

// search walks breadth first until stop is reached.
func (c csr) search(start []ID, stop ID) *Paths {
	p := &Paths{parent: make([]ID, c.len())}
	for v := range p.parent {
		p.parent[v] = none
	}
	queue := make([]ID, 0, len(start))
	for _, v := range start {
		if int64(v) < int64(len(p.parent)) && p.parent[v] == none {
			p.parent[v] = v
			queue = append(queue, v)
		}
	}
	for i := 0; i < len(queue) && (stop == none || p.parent[stop] == none); i++ {
		v := queue[i]
		for _, w := range c.row(v) {
			if p.parent[w] == none {
				p.parent[w] = v
				queue = append(queue, w)
			}
		}
	}
	return p
}

// Has reports whether a chain leads to id. Starts are reached by a chain of one.
func (p *Paths) Has(id ID) bool {
	return int64(id) < int64(len(p.parent)) && p.parent[id] != none
}

// To returns the chain, the start first and id last, or nil if there is none.
func (p *Paths) To(id ID) []ID {
	if !p.Has(id) {
		return nil
	}
	n := 1
	for v := id; p.parent[v] != v; v = p.parent[v] {
		n++
	}
	path := make([]ID, n)
	for v := id; n > 0; v = p.parent[v] {
		n--
		path[n] = v
	}
	return path
}
