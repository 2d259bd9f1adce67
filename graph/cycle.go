package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/graph/topo"
)

// CycleError says that a graph has cycles.
type CycleError struct {
	// Cycle is a shortest cycle: each vertex depends on the next, and the last
	// on the first, which is the smallest of them. A vertex that depends on
	// itself is a cycle of one. Of several shortest cycles it is the
	// lexicographically smallest.
	Cycle []ID
	// Others holds a shortest cycle of each other knot, ordered by length and then
	// as Cycle is. A knot is a largest set of vertices that all depend on each
	// other; to break the cycles of one never touches those of another.
	Others [][]ID
}

// Error names the vertices of the shortest cycle by number; for people, format
// [CycleError.Edges] with their names and places.
func (e *CycleError) Error() string {
	var b strings.Builder
	for _, v := range e.Cycle {
		fmt.Fprintf(&b, "%d -> ", v)
	}
	if len(e.Cycle) > 0 {
		fmt.Fprint(&b, e.Cycle[0])
	}
	return "cannot order the graph: dependency cycle " + b.String()
}

// Edges returns the edges of Cycle, in its order.
func (e *CycleError) Edges() []Edge { return CycleEdges(e.Cycle) }

// CycleEdges returns the edges of a cycle: from each vertex to the next, and from
// the last to the first.
func CycleEdges(cycle []ID) []Edge {
	edges := make([]Edge, len(cycle))
	for i, v := range cycle {
		edges[i] = Edge{v, cycle[(i+1)%len(cycle)]}
	}
	return edges
}

// newCycleError finds the cycles among the vertices that Kahn's algorithm left
// over: those that still wait.
func newCycleError(g *Graph, waits []uint32) *CycleError {
	sub, ids := g.knots(waits)
	var cycles [][]ID
	loops := g.loops(waits)
	inKnot := NewSet(g.Len())
	search := newGirth(sub, visitLimit)
	for _, scc := range topo.TarjanSCC(sub.Gonum()) {
		if len(scc) < 2 {
			continue
		}
		knot := make([]ID, len(scc))
		loop := none
		for i, n := range scc {
			knot[i] = ID(n.ID())
			id := ids[knot[i]]
			inKnot.Add(id)
			if loops.Has(id) {
				loop = min(loop, id)
			}
		}
		if loop != none {
			cycles = append(cycles, []ID{loop})
			continue
		}
		cycle := search.shortest(knot)
		for i, v := range cycle {
			cycle[i] = ids[v]
		}
		cycles = append(cycles, cycle)
	}
	loops.Subtract(inKnot)
	for id := range loops.All() {
		cycles = append(cycles, []ID{id})
	}
	slices.SortFunc(cycles, func(a, b []ID) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b))
	})
	return &CycleError{Cycle: cycles[0], Others: cycles[1:]}
}

// loops returns the vertices that depend on themselves. They all wait.
func (g *Graph) loops(waits []uint32) *Set {
	s := NewSet(g.Len())
	for v, n := range waits {
		if n > 0 && g.HasEdge(ID(v), ID(v)) {
			s.Add(ID(v))
		}
	}
	return s
}

// knots returns the part of the graph that lies on cycles or between them, without
// edges from a vertex to itself, with new numbers that keep the order; ids leads
// back to the old ones. What waits also holds everything that merely depends on a
// cycle; taking away, again and again, what nothing waiting depends on removes it.
func (g *Graph) knots(waits []uint32) (sub *Graph, ids []ID) {
	left, rev := NewSet(g.Len()), g.back()
	for v, n := range waits {
		if n > 0 {
			left.Add(ID(v))
		}
	}
	users := make([]uint32, g.Len())
	var free []ID
	for v := range left.All() {
		for _, w := range rev.row(v) {
			if w != v && left.Has(w) {
				users[v]++
			}
		}
		if users[v] == 0 {
			free = append(free, v)
		}
	}
	for len(free) > 0 {
		v := free[len(free)-1]
		free = free[:len(free)-1]
		left.Remove(v)
		for _, w := range g.Out(v) {
			if w == v || !left.Has(w) {
				continue
			}
			if users[w]--; users[w] == 0 {
				free = append(free, w)
			}
		}
	}
	return g.induced(left)
}

// induced returns the graph of the vertices in keep, renumbered in their order,
// without edges from a vertex to itself.
func (g *Graph) induced(keep *Set) (sub *Graph, ids []ID) {
	ids = keep.IDs()
	number := make([]ID, g.Len())
	for i, v := range ids {
		number[v] = ID(i)
	}
	c := csr{off: make([]uint32, len(ids)+1)}
	for i, v := range ids {
		for _, w := range g.Out(v) {
			if w != v && keep.Has(w) {
				c.adj = append(c.adj, number[w])
			}
		}
		c.off[i+1] = uint32(len(c.adj))
	}
	return &Graph{fwd: c}, ids
}
