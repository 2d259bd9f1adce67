package graph

import (
	"math"

	gonum "gonum.org/v1/gonum/graph"
)

// View shows a [Graph] as a directed graph of gonum, for its algorithms. It
// implements [gonum.Directed]. Nodes have the number of the vertex; they and their
// neighbours are visited in ascending order, so that what an algorithm of gonum
// returns is the same on every run. A View is never changed and may be used by
// several goroutines at once.
//
// Two things to know: gonum's topo.Sort and topo.TarjanSCC do not report a vertex
// that depends on itself, and topo.DirectedCyclesIn lists every cycle, of which
// nine services that all need each other have 125,664; use [Graph.Levels].
type View struct {
	g     *Graph
	nodes []node
}

var _ gonum.Directed = (*View)(nil)

// node is a vertex. Its address is handed out, from one table, because a pointer
// goes into an interface without an allocation.
type node ID

// ID implements [gonum.Node].
func (n *node) ID() int64 { return int64(*n) }

// Gonum returns the graph as gonum sees it. The cost is one table of nodes.
func (g *Graph) Gonum() *View {
	v := &View{g: g, nodes: make([]node, g.Len())}
	for i := range v.nodes {
		v.nodes[i] = node(i)
	}
	return v
}

// vertex returns none for a number that is no vertex.
func (v *View) vertex(id int64) ID {
	if id < 0 || id >= int64(len(v.nodes)) || id >= math.MaxUint32 {
		return none
	}
	return ID(id)
}

// Node implements [gonum.Graph].
func (v *View) Node(id int64) gonum.Node {
	i := v.vertex(id)
	if i == none {
		return nil // and not a nil *node
	}
	return &v.nodes[i]
}

// Nodes implements [gonum.Graph].
func (v *View) Nodes() gonum.Nodes {
	if len(v.nodes) == 0 {
		return gonum.Empty
	}
	return &allNodes{nodes: v.nodes, i: -1}
}

// From implements [gonum.Graph]: the dependencies of a vertex.
func (v *View) From(id int64) gonum.Nodes { return v.row(v.g.Out(v.vertex(id))) }

// To implements [gonum.Directed]: the dependents of a vertex.
func (v *View) To(id int64) gonum.Nodes { return v.row(v.g.In(v.vertex(id))) }

func (v *View) row(ids []ID) gonum.Nodes {
	if len(ids) == 0 {
		return gonum.Empty
	}
	return &rowNodes{nodes: v.nodes, row: ids, i: -1}
}

// HasEdgeFromTo implements [gonum.Directed].
func (v *View) HasEdgeFromTo(uid, vid int64) bool {
	to := v.vertex(vid)
	return to != none && v.g.HasEdge(v.vertex(uid), to)
}

// HasEdgeBetween implements [gonum.Graph].
func (v *View) HasEdgeBetween(xid, yid int64) bool {
	return v.HasEdgeFromTo(xid, yid) || v.HasEdgeFromTo(yid, xid)
}

// Edge implements [gonum.Graph].
func (v *View) Edge(uid, vid int64) gonum.Edge {
	if !v.HasEdgeFromTo(uid, vid) {
		return nil
	}
	return edge{v.Node(uid), v.Node(vid)}
}

// edge is gonum's simple.Edge, whose package needs matrices: all of them in every
// program.
type edge struct{ from, to gonum.Node }

// From implements [gonum.Edge].
func (e edge) From() gonum.Node { return e.from }

// To implements [gonum.Edge].
func (e edge) To() gonum.Node { return e.to }

// ReversedEdge implements [gonum.Edge].
func (e edge) ReversedEdge() gonum.Edge { return edge{e.to, e.from} }

// The iterators do not implement gonum.NodeSlicer: algorithms of gonum sort the
// slices it gives them in place, and ours are shared.

// allNodes iterates over the table.
type allNodes struct {
	nodes []node
	i     int
}

// Next implements [gonum.Iterator].
func (it *allNodes) Next() bool {
	it.i = min(it.i+1, len(it.nodes))
	return it.i < len(it.nodes)
}

// Len implements [gonum.Iterator].
func (it *allNodes) Len() int { return remaining(it.i, len(it.nodes)) }

// Reset implements [gonum.Iterator].
func (it *allNodes) Reset() { it.i = -1 }

// Node implements [gonum.Nodes].
func (it *allNodes) Node() gonum.Node {
	if it.i < 0 || it.i >= len(it.nodes) {
		return nil
	}
	return &it.nodes[it.i]
}

// rowNodes iterates over the neighbours of one vertex.
type rowNodes struct {
	nodes []node
	row   []ID
	i     int
}

// Next implements [gonum.Iterator].
func (it *rowNodes) Next() bool {
	it.i = min(it.i+1, len(it.row))
	return it.i < len(it.row)
}

// Len implements [gonum.Iterator].
func (it *rowNodes) Len() int { return remaining(it.i, len(it.row)) }

// Reset implements [gonum.Iterator].
func (it *rowNodes) Reset() { it.i = -1 }

// Node implements [gonum.Nodes].
func (it *rowNodes) Node() gonum.Node {
	if it.i < 0 || it.i >= len(it.row) {
		return nil
	}
	return &it.nodes[it.row[it.i]]
}

// remaining counts what comes after place i of n.
func remaining(i, n int) int { return max(n-i-1, 0) }
