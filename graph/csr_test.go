package graph_test

import (
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"strata/graph"
)

func TestNew(t *testing.T) {
	g := mustNew(t, 4, Edge{3, 0}, Edge{1, 2}, Edge{3, 0}, Edge{1, 0}, Edge{2, 2})
	if g.Len() != 4 || g.Edges() != 4 {
		t.Errorf("Len, Edges = %d, %d, want 4, 4", g.Len(), g.Edges())
	}
	wantOut := [][]ID{{}, {0, 2}, {2}, {0}}
	wantIn := [][]ID{{1, 3}, {}, {1, 2}, {}}
	for v := range wantOut {
		if got := g.Out(ID(v)); !slices.Equal(got, wantOut[v]) {
			t.Errorf("Out(%d) = %v, want %v", v, got, wantOut[v])
		}
		if got := g.In(ID(v)); !slices.Equal(got, wantIn[v]) {
			t.Errorf("In(%d) = %v, want %v", v, got, wantIn[v])
		}
	}
	if !slices.Equal(g.Offsets(), []uint32{0, 0, 2, 3, 4}) || !slices.Equal(g.Adjacency(), []ID{0, 2, 2, 0}) {
		t.Errorf("stored as %v %v", g.Offsets(), g.Adjacency())
	}
}

func TestNewErrors(t *testing.T) {
	for _, tt := range []struct {
		n    int
		edge Edge
		want string
	}{
		{2, Edge{2, 0}, "cannot make a graph of 2 vertices: edge 2 -> 0 is out of range"},
		{2, Edge{0, 1<<32 - 1}, "cannot make a graph of 2 vertices: edge 0 -> 4294967295 is out of range"},
		{0, Edge{0, 0}, "cannot make a graph of 0 vertices: edge 0 -> 0 is out of range"},
		{-1, Edge{0, 0}, "cannot make a graph of -1 vertices and 1 edges: the limit is 4294967295"},
	} {
		g, err := graph.New(tt.n, []Edge{tt.edge})
		if g != nil || err == nil || err.Error() != tt.want {
			t.Errorf("New(%d, %v) = %v, %v, want error %q", tt.n, tt.edge, g, err, tt.want)
		}
	}
}

// An ID that is no vertex has nothing, also in the zero Graph.
func TestNoVertex(t *testing.T) {
	for _, g := range []*graph.Graph{new(graph.Graph), mustNew(t, 0), mustNew(t, 2, Edge{0, 1})} {
		for _, id := range []ID{2, 63, 64, 1<<32 - 1} {
			if g.Out(id) != nil || g.In(id) != nil || g.HasEdge(id, 0) || g.HasEdge(0, id) {
				t.Errorf("vertex %d of %d has edges", id, g.Len())
			}
			if s := g.Closure([]ID{id}); s.Len() != 0 {
				t.Errorf("Closure(%d) = %v", id, s.IDs())
			}
			if g.Path(0, id) != nil || g.Path(id, 0) != nil || g.Paths([]ID{id}).Has(id) {
				t.Errorf("there is a path with vertex %d of %d", id, g.Len())
			}
		}
		if _, err := g.Levels(); err != nil {
			t.Error(err)
		}
	}
	if !new(graph.Graph).Equal(mustNew(t, 0)) {
		t.Error("the zero Graph is not the empty one")
	}
}

// An append to a row must not reach the next one.
func TestRowsAreClipped(t *testing.T) {
	g := mustNew(t, 3, Edge{0, 1}, Edge{1, 2})
	_ = append(g.Out(0), 7)
	_ = append(g.In(1), 7)
	if !slices.Equal(g.Out(1), []ID{2}) || !slices.Equal(g.In(2), []ID{1}) {
		t.Error("append to a row changed the graph")
	}
}

func TestFromCSRErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		off  []uint32
		adj  []ID
		want string
	}{
		{"empty", nil, nil, "no offsets"},
		{"start", []uint32{1, 1}, []ID{0}, "first offset is 1, want 0"},
		{"short", []uint32{0, 1}, nil, "last offset is 1, want 0"},
		{"long", []uint32{0, 1}, []ID{0, 0}, "last offset is 1, want 2"},
		{"falling", []uint32{0, 1, 0, 1}, []ID{0}, "offset 0 of vertex 2 is out of order"},
		{"beyond", []uint32{0, 9, 1}, []ID{0}, "offset 9 of vertex 1 is out of order"},
		{"huge", []uint32{0, 1<<32 - 1, 1}, []ID{0}, "offset 4294967295 of vertex 1 is out of order"},
		{"range", []uint32{0, 1}, []ID{1}, "vertex 0: neighbour 1 is out of range"},
		{"no vertex", []uint32{0}, []ID{0}, "last offset is 0, want 1"},
		{"twice", []uint32{0, 2}, []ID{0, 0}, "vertex 0: neighbour 0 is out of order"},
		{"unsorted", []uint32{0, 0, 2}, []ID{1, 0}, "vertex 1: neighbour 0 is out of order"},
	} {
		if g, err := graph.FromCSR(tt.off, tt.adj); g != nil || err == nil || err.Error() != "cannot read graph: "+tt.want {
			t.Errorf("%s: %v, %v", tt.name, g, err)
		}
	}
}

func TestFromCSRPairErrors(t *testing.T) {
	g := mustNew(t, 3, Edge{0, 1}, Edge{1, 2})
	for _, tt := range []struct {
		name string
		rev  *graph.Graph
		want string
	}{
		{"itself", g, "cannot read transposed graph: edge 0 -> 1 is missing"},
		{"another", mustNew(t, 3, Edge{1, 0}, Edge{2, 0}), "cannot read transposed graph: edge 1 -> 2 is missing"},
		{"row too short", mustNew(t, 3, Edge{1, 0}, Edge{0, 2}), "cannot read transposed graph: edge 1 -> 2 is missing"},
		{"fewer", mustNew(t, 3, Edge{1, 0}), "cannot read transposed graph: it has 3 vertices and 1 edges, the graph 3 and 2"},
		{"larger", mustNew(t, 4, Edge{1, 0}, Edge{2, 1}), "cannot read transposed graph: it has 4 vertices and 2 edges, the graph 3 and 2"},
	} {
		if _, err := graph.FromCSRPair(g.Offsets(), g.Adjacency(), tt.rev.Offsets(), tt.rev.Adjacency()); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	if _, err := graph.FromCSRPair(g.Offsets(), g.Adjacency(), nil, nil); err == nil || err.Error() != "cannot read transposed graph: no offsets" {
		t.Error(err)
	}
	if _, err := graph.FromCSRPair(nil, nil, g.Offsets(), g.Adjacency()); err == nil || err.Error() != "cannot read graph: no offsets" {
		t.Error(err)
	}
}

// Whatever the order of the edges, the graph is that of the matrix, and survives
// being stored.
func TestRapidStored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t, 12, false)
		g := in.graph(t)
		m, edges := in.has(), 0
		for a := range m {
			for b := range m {
				want := m[a][b]
				if want {
					edges++
				}
				if g.HasEdge(ID(a), ID(b)) != want || g.Reverse().HasEdge(ID(b), ID(a)) != want ||
					slices.Contains(g.In(ID(b)), ID(a)) != want {
					t.Fatalf("edge %d -> %d: want %v", a, b, want)
				}
			}
		}
		if g.Edges() != edges {
			t.Fatalf("%d edges, want %d", g.Edges(), edges)
		}
		shuffled, err := graph.New(in.n, rapid.Permutation(in.edges).Draw(t, "shuffled"))
		if err != nil || !g.Equal(shuffled) {
			t.Fatal("the order of edges matters")
		}
		r := g.Reverse()
		for _, read := range []func() (*graph.Graph, error){
			func() (*graph.Graph, error) { return graph.FromCSR(g.Offsets(), g.Adjacency()) },
			func() (*graph.Graph, error) {
				return graph.FromCSRPair(g.Offsets(), g.Adjacency(), r.Offsets(), r.Adjacency())
			},
		} {
			if h, err := read(); err != nil || !h.Equal(g) || !h.Reverse().Equal(r) || !h.Reverse().Reverse().Equal(g) {
				t.Fatalf("read back as %v, %v", h, err)
			}
		}
	})
}

func TestRapidUnion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t, 12, false)
		cut := rapid.IntRange(0, len(in.edges)).Draw(t, "cut")
		shared := rapid.IntRange(0, cut).Draw(t, "shared")
		g, h := input{in.n, in.edges[:cut]}.graph(t), input{in.n, in.edges[shared:]}.graph(t)
		u, err := graph.Union(g, h)
		if err != nil || !u.Equal(in.graph(t)) {
			t.Fatalf("Union = %v, %v", u, err)
		}
	})
	_, err := graph.Union(mustNew(t, 1), mustNew(t, 2))
	if err == nil || err.Error() != "cannot unite graphs: they have 1 and 2 vertices" {
		t.Error(err)
	}
}

func TestEqual(t *testing.T) {
	var none *graph.Graph
	g := mustNew(t, 2, Edge{0, 1})
	for _, h := range []*graph.Graph{none, mustNew(t, 2), mustNew(t, 3, Edge{0, 1}), mustNew(t, 2, Edge{1, 0})} {
		if g.Equal(h) || h.Equal(g) {
			t.Errorf("%v equals %v", g, h)
		}
	}
	if !none.Equal(none) || !g.Equal(mustNew(t, 2, Edge{0, 1})) {
		t.Error("a graph does not equal itself")
	}
}

// Under the race detector this shows that the transpose is made safely.
func TestConcurrentIn(t *testing.T) {
	g := mustNew(t, 1000, chain(1000)...)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if got := g.In(ID(i)); !slices.Equal(got, []ID{ID(i + 1)}) {
				t.Errorf("In(%d) = %v", i, got)
			}
			if g.Reverse().Len() != 1000 {
				t.Error("Reverse is wrong")
			}
		})
	}
	wg.Wait()
}

// A stored pair is only looked at: nothing is made but the Graph itself and the
// cursors of the check.
func TestAllocations(t *testing.T) {
	g := mustNew(t, 1000, randomDAG(1000)...)
	r := g.Reverse()
	n := testing.AllocsPerRun(10, func() {
		h, err := graph.FromCSRPair(g.Offsets(), g.Adjacency(), r.Offsets(), r.Adjacency())
		if err != nil {
			t.Fatal(err)
		}
		for v := range h.Len() {
			_ = h.Out(ID(v))
			_ = h.In(ID(v))
		}
	})
	if n > 2 {
		t.Errorf("reading and walking the graph allocates %v times, want 2", n)
	}
}
