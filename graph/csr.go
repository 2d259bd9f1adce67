package graph

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// ID is a vertex: a number from 0 to one less than the graph's length. The
// largest uint32 is never a vertex and can stand for "none".
type ID uint32

// MaxLen is the largest number of vertices, and of edges, a graph can have.
const MaxLen = math.MaxUint32

// Edge says that From depends on To.
type Edge struct{ From, To ID }

// csr is one direction of a graph: row v is adj[off[v]:off[v+1]], strictly
// ascending. off has one element more than there are vertices.
type csr struct {
	off []uint32
	adj []ID
}

func (c csr) len() int { return max(len(c.off)-1, 0) }

// row returns the neighbours of v. Its capacity ends with it, so that an append
// by a caller copies instead of overwriting the next row.
func (c csr) row(v ID) []ID {
	if int64(v)+1 >= int64(len(c.off)) {
		return nil
	}
	lo, hi := c.off[v], c.off[v+1]
	return c.adj[lo:hi:hi]
}

func (c csr) equal(d csr) bool {
	return c.len() == d.len() && slices.Equal(c.adj, d.adj) &&
		(c.len() == 0 || slices.Equal(c.off, d.off))
}

// transpose returns the graph with each edge turned round. Rows come out sorted
// because the sources are visited in ascending order.
func (c csr) transpose() csr {
	n := c.len()
	t := csr{off: make([]uint32, n+1), adj: make([]ID, len(c.adj))}
	for _, to := range c.adj {
		t.off[to+1]++
	}
	for v := range n {
		t.off[v+1] += t.off[v]
	}
	next := slices.Clone(t.off)
	for v := range n {
		for _, to := range c.adj[c.off[v]:c.off[v+1]] {
			t.adj[next[to]] = ID(v)
			next[to]++
		}
	}
	return t
}

// Graph is an immutable directed graph. Its zero value is the graph without
// vertices. All methods may be called by several goroutines at once.
type Graph struct {
	fwd csr

	// The transpose is made when it is first asked for: a reader of a database
	// that only looks at dependencies does not pay for it.
	revOnce sync.Once
	rev     csr
}

// New makes a graph of n vertices. The order of the edges does not matter, an
// edge given twice counts once, and a vertex may depend on itself (which
// [Graph.Levels] reports as a cycle). It is an error if an edge names no vertex.
func New(n int, edges []Edge) (*Graph, error) {
	if n < 0 || int64(n) > MaxLen || int64(len(edges)) > MaxLen {
		return nil, fmt.Errorf("cannot make a graph of %d vertices and %d edges: the limit is %d", n, len(edges), int64(MaxLen))
	}
	c := csr{off: make([]uint32, n+1), adj: make([]ID, len(edges))}
	for _, e := range edges {
		if int64(e.From) >= int64(n) || int64(e.To) >= int64(n) {
			return nil, fmt.Errorf("cannot make a graph of %d vertices: edge %d -> %d is out of range", n, e.From, e.To)
		}
		c.off[e.From+1]++
	}
	for v := range n {
		c.off[v+1] += c.off[v]
	}
	next := slices.Clone(c.off)
	for _, e := range edges {
		c.adj[next[e.From]] = e.To
		next[e.From]++
	}
	c.sortRows()
	return &Graph{fwd: c}, nil
}

// sortRows sorts each row and closes the gaps that merged duplicates leave.
func (c *csr) sortRows() {
	w, lo := uint32(0), uint32(0)
	for v := range c.len() {
		hi := c.off[v+1]
		row := c.adj[lo:hi]
		slices.Sort(row)
		w += uint32(copy(c.adj[w:], slices.Compact(row)))
		c.off[v+1] = w
		lo = hi
	}
	c.adj = c.adj[:w:w]
}

// FromCSR makes a graph around the slices of a stored one, as [Graph.Offsets] and
// [Graph.Adjacency] gave them, without copying: they must not be changed as long
// as the graph is used. Everything is checked, so that a graph read from a
// damaged file is an error here and not a wrong answer later: the first offset is
// 0, offsets never fall, the last is the number of edges, rows are strictly
// ascending, and each neighbour is a vertex.
func FromCSR(off []uint32, adj []ID) (*Graph, error) {
	c := csr{off, adj}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("cannot read graph: %w", err)
	}
	return &Graph{fwd: c}, nil
}

// FromCSRPair is [FromCSR] for a graph that was stored together with its
// transpose (the Offsets and Adjacency of [Graph.Reverse]), so that [Graph.In] costs
// nothing the first time either. It is an error if the second pair is
// not the transpose of the first.
func FromCSRPair(off []uint32, adj []ID, revOff []uint32, revAdj []ID) (*Graph, error) {
	c, t := csr{off, adj}, csr{revOff, revAdj}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("cannot read graph: %w", err)
	}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("cannot read transposed graph: %w", err)
	}
	if c.len() != t.len() || len(adj) != len(revAdj) {
		return nil, fmt.Errorf("cannot read transposed graph: it has %d vertices and %d edges, the graph %d and %d",
			t.len(), len(revAdj), c.len(), len(adj))
	}
	// Making the transpose again, but comparing where it would write: with as many
	// edges in the one as in the other, all agree if no row overflows.
	next := slices.Clone(revOff)
	for v := range c.len() {
		for _, to := range c.row(ID(v)) {
			i := next[to]
			if i == revOff[to+1] || revAdj[i] != ID(v) {
				return nil, fmt.Errorf("cannot read transposed graph: edge %d -> %d is missing", v, to)
			}
			next[to]++
		}
	}
	return pair(c, t), nil
}

// pair makes a graph whose transpose is known.
func pair(fwd, rev csr) *Graph {
	g := &Graph{fwd: fwd, rev: rev}
	g.revOnce.Do(func() {})
	return g
}

func (c csr) check() error {
	switch n := len(c.off); {
	case n == 0:
		return fmt.Errorf("no offsets")
	case int64(n)-1 > MaxLen || int64(len(c.adj)) > MaxLen:
		return fmt.Errorf("too large: %d offsets, %d edges", n, len(c.adj))
	case c.off[0] != 0:
		return fmt.Errorf("first offset is %d, want 0", c.off[0])
	case int64(c.off[n-1]) != int64(len(c.adj)):
		return fmt.Errorf("last offset is %d, want %d", c.off[n-1], len(c.adj))
	}
	n := c.len()
	for v := range n {
		lo, hi := c.off[v], c.off[v+1]
		// A later fall could hide an offset beyond the end until it is too late.
		if lo > hi || int64(hi) > int64(len(c.adj)) {
			return fmt.Errorf("offset %d of vertex %d is out of order", hi, v+1)
		}
		last := int64(-1)
		for _, to := range c.adj[lo:hi] {
			if int64(to) >= int64(n) {
				return fmt.Errorf("vertex %d: neighbour %d is out of range", v, to)
			}
			if int64(to) <= last {
				return fmt.Errorf("vertex %d: neighbour %d is out of order", v, to)
			}
			last = int64(to)
		}
	}
	return nil
}

// back returns the transpose.
func (g *Graph) back() csr {
	g.revOnce.Do(func() { g.rev = g.fwd.transpose() })
	return g.rev
}

// Offsets returns the row offsets, [Graph.Len] + 1 of them (none for the zero
// Graph), to be stored. They are shared: read only.
func (g *Graph) Offsets() []uint32 { return g.fwd.off }

// Adjacency returns all rows one after the other, to be stored. They are shared:
// read only.
func (g *Graph) Adjacency() []ID { return g.fwd.adj }

// Len returns the number of vertices.
func (g *Graph) Len() int { return g.fwd.len() }

// Edges returns the number of edges.
func (g *Graph) Edges() int { return len(g.fwd.adj) }

// Out returns what id depends on directly, ascending. The slice is shared: read
// only.
func (g *Graph) Out(id ID) []ID { return g.fwd.row(id) }

// In returns what depends on id directly, ascending. The slice is shared: read
// only. The first call on a graph costs time and memory of the order of the graph,
// unless [FromCSRPair] made it.
func (g *Graph) In(id ID) []ID { return g.back().row(id) }

// HasEdge reports whether from depends on to directly.
func (g *Graph) HasEdge(from, to ID) bool {
	_, ok := slices.BinarySearch(g.Out(from), to)
	return ok
}

// Reverse returns the graph with each edge turned round. It shares g's memory;
// every question about dependencies becomes one about dependents.
func (g *Graph) Reverse() *Graph { return pair(g.back(), g.fwd) }

// Equal reports whether g and h have the same vertices and edges. A nil Graph
// equals only nil.
func (g *Graph) Equal(h *Graph) bool {
	if g == nil || h == nil {
		return g == h
	}
	return g.fwd.equal(h.fwd)
}

// Union returns the graph with the edges of both. It is an error if they do not
// have the same number of vertices.
func Union(g, h *Graph) (*Graph, error) {
	n := g.Len()
	if n != h.Len() {
		return nil, fmt.Errorf("cannot unite graphs: they have %d and %d vertices", n, h.Len())
	}
	if int64(g.Edges())+int64(h.Edges()) > MaxLen {
		return nil, fmt.Errorf("cannot unite graphs: %d and %d edges are too many", g.Edges(), h.Edges())
	}
	c := csr{off: make([]uint32, n+1), adj: make([]ID, 0, g.Edges()+h.Edges())}
	for v := range n {
		c.adj = appendMerged(c.adj, g.Out(ID(v)), h.Out(ID(v)))
		c.off[v+1] = uint32(len(c.adj))
	}
	return &Graph{fwd: c}, nil
}

// appendMerged appends the union of two ascending lists.
func appendMerged(dst, a, b []ID) []ID {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			dst, a = append(dst, a[0]), a[1:]
		case a[0] > b[0]:
			dst, b = append(dst, b[0]), b[1:]
		default:
			dst, a, b = append(dst, a[0]), a[1:], b[1:]
		}
	}
	return append(append(dst, a...), b...)
}
