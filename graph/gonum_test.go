package graph_test

import (
	"slices"
	"testing"

	gonum "gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/testgraph"
	"gonum.org/v1/gonum/graph/topo"
	"gonum.org/v1/gonum/graph/traverse"
	"pgregory.net/rapid"

	"strata/graph"
)

// build makes a View for gonum's conformance tests. Their node numbers are
// arbitrary, ours are not: nodes are renumbered in the order of their numbers.
func build(nodes []gonum.Node, edges []testgraph.WeightedLine, self, absent float64) (gonum.Graph, []gonum.Node, []testgraph.Edge, float64, float64, bool) {
	var ids []int64
	for _, n := range nodes {
		ids = append(ids, n.ID())
	}
	for _, e := range edges {
		ids = append(ids, e.From().ID(), e.To().ID())
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	number := func(n gonum.Node) ID {
		i, _ := slices.BinarySearch(ids, n.ID())
		return ID(i)
	}
	var in []Edge
	for _, e := range edges {
		in = append(in, Edge{number(e.From()), number(e.To())})
	}
	g, err := graph.New(len(ids), in)
	if err != nil {
		return nil, nil, nil, 0, 0, false
	}
	v := g.Gonum()
	wantNodes := make([]gonum.Node, len(ids))
	for i := range wantNodes {
		wantNodes[i] = v.Node(int64(i))
	}
	if len(wantNodes) == 0 {
		wantNodes = nil
	}
	var wantEdges []testgraph.Edge
	for _, e := range in {
		wantEdges = append(wantEdges, simple.Edge{F: wantNodes[e.From], T: wantNodes[e.To]})
	}
	return v, wantNodes, wantEdges, self, absent, true
}

// Those of gonum's tests that concern what View implements.
func TestConformance(t *testing.T) {
	t.Run("EdgeExistence", func(t *testing.T) { testgraph.EdgeExistence(t, build, true) })
	t.Run("NodeExistence", func(t *testing.T) { testgraph.NodeExistence(t, build) })
	t.Run("ReturnAdjacentNodes", func(t *testing.T) { testgraph.ReturnAdjacentNodes(t, build, true, true) })
	t.Run("ReturnAllNodes", func(t *testing.T) { testgraph.ReturnAllNodes(t, build, true) })
}

func TestIterators(t *testing.T) {
	v := mustNew(t, 4, Edge{0, 1}, Edge{0, 3}, Edge{2, 0}).Gonum()
	for _, tt := range []struct {
		name string
		it   gonum.Nodes
		want []int64
	}{
		{"Nodes", v.Nodes(), []int64{0, 1, 2, 3}},
		{"From", v.From(0), []int64{1, 3}},
		{"To", v.To(0), []int64{2}},
	} {
		if _, ok := tt.it.(gonum.NodeSlicer); ok {
			t.Errorf("%s gives shared slices away", tt.name)
		}
		for range 2 {
			if tt.it.Node() != nil {
				t.Errorf("%s: a node before Next", tt.name)
			}
			for i, want := range tt.want {
				if tt.it.Len() != len(tt.want)-i || !tt.it.Next() || tt.it.Node().ID() != want {
					t.Errorf("%s: node %d is not %d", tt.name, i, want)
				}
			}
			for range 2 {
				if tt.it.Len() != 0 || tt.it.Next() || tt.it.Node() != nil {
					t.Errorf("%s: something after the end", tt.name)
				}
			}
			tt.it.Reset()
		}
	}
	for _, id := range []int64{-1, 4, 1 << 32, 1<<32 - 1, -1 << 63} {
		if v.Node(id) != nil || v.From(id) != gonum.Empty || v.To(id) != gonum.Empty ||
			v.HasEdgeBetween(id, 0) || v.HasEdgeBetween(0, id) || v.Edge(id, 0) != nil || v.Edge(0, id) != nil {
			t.Errorf("there is something at %d", id)
		}
	}
	if new(graph.Graph).Gonum().Nodes() != gonum.Empty {
		t.Error("the zero Graph has nodes")
	}
}

// gonum's algorithms give the same on a View as on gonum's own graphs, and leave
// it as it was.
func TestRapidGonum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t, 12, rapid.Bool().Draw(t, "acyclic"))
		g := in.graph(t)
		off, adj := slices.Clone(g.Offsets()), slices.Clone(g.Adjacency())
		v, oracle := g.Gonum(), in.multi()

		if got, want := knots(v), knots(oracle); !slices.EqualFunc(got, want, slices.Equal) {
			t.Fatalf("TarjanSCC: %v, want %v", got, want)
		}
		for a := range in.n {
			for b := range in.n {
				x, y := int64(a), int64(b)
				if v.HasEdgeFromTo(x, y) != oracle.HasEdgeFromTo(x, y) || v.HasEdgeBetween(x, y) != oracle.HasEdgeBetween(x, y) ||
					(v.Edge(x, y) == nil) != (oracle.Edge(x, y) == nil) {
					t.Fatalf("edge %d -> %d differs", a, b)
				}
				if topo.PathExistsIn(v, v.Node(x), v.Node(y)) != g.Closure([]ID{ID(a)}).Has(ID(b)) {
					t.Fatalf("path %d -> %d: gonum disagrees with Closure", a, b)
				}
			}
			seen := 0
			w := traverse.BreadthFirst{Visit: func(gonum.Node) { seen++ }}
			w.Walk(v, v.Node(int64(a)), nil)
			if want := g.Closure([]ID{ID(a)}).Len(); seen != want {
				t.Fatalf("BreadthFirst from %d sees %d, want %d", a, seen, want)
			}
		}
		if _, err := topo.SortStabilized(v, nil); err == nil {
			for _, e := range in.edges {
				if l, err := g.Levels(); err == nil && l.Of(e.From) <= l.Of(e.To) {
					t.Fatalf("level of %d is not above that of %d", e.From, e.To)
				}
			}
		}
		if !slices.Equal(g.Offsets(), off) || !slices.Equal(g.Adjacency(), adj) {
			t.Fatal("gonum changed the graph")
		}
		for i := range in.n {
			if v.Node(int64(i)).ID() != int64(i) {
				t.Fatal("gonum changed the node table")
			}
		}
	})
}

func knots(g gonum.Directed) [][]int64 {
	var all [][]int64
	for _, scc := range topo.TarjanSCC(g) {
		var ids []int64
		for _, n := range scc {
			ids = append(ids, n.ID())
		}
		slices.Sort(ids)
		all = append(all, ids)
	}
	slices.SortFunc(all, slices.Compare)
	return all
}

// Edges point to dependencies, so gonum's order of the parts is a start order.
func TestTarjanOrder(t *testing.T) {
	n := 1000
	g := mustNew(t, n, randomDAG(n)...)
	place := make([]int, n)
	for i, scc := range topo.TarjanSCC(g.Gonum()) {
		place[scc[0].ID()] = i
	}
	for v := range ID(n) {
		for _, w := range g.Out(v) {
			if place[w] >= place[v] {
				t.Fatalf("%d comes before its dependency %d", v, w)
			}
		}
	}
}

func TestViewAllocations(t *testing.T) {
	v := mustNew(t, 100, chain(100)...).Gonum()
	n := testing.AllocsPerRun(10, func() {
		for it := v.Nodes(); it.Next(); {
			if it.Node().ID() < 0 {
				t.Error("negative")
			}
		}
	})
	if n > 1 {
		t.Errorf("visiting 100 nodes allocates %v times, want 1", n)
	}
}
