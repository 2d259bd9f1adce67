package graph_test

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/graph/multi"
	"gonum.org/v1/gonum/graph/simple"
	"pgregory.net/rapid"

	"strata/graph"
)

type (
	ID   = graph.ID
	Edge = graph.Edge
)

func mustNew(t testing.TB, n int, edges ...Edge) *graph.Graph {
	t.Helper()
	g, err := graph.New(n, edges)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// input is a drawn graph as a plain list of edges, for the oracles.
type input struct {
	n     int
	edges []Edge
}

// drawInput draws up to maxN vertices. Acyclic ones only have edges to smaller
// vertices under a drawn renaming.
func drawInput(t *rapid.T, maxN int, acyclic bool) input {
	in := input{n: rapid.IntRange(0, maxN).Draw(t, "n")}
	if in.n == 0 {
		return in
	}
	ids := make([]ID, in.n)
	for i := range ids {
		ids[i] = ID(i)
	}
	if acyclic {
		ids = rapid.Permutation(ids).Draw(t, "names")
	}
	for range rapid.IntRange(0, 3*in.n).Draw(t, "edges") {
		a := rapid.IntRange(0, in.n-1).Draw(t, "from")
		b := rapid.IntRange(0, in.n-1).Draw(t, "to")
		if acyclic {
			if a == b {
				continue
			}
			a, b = max(a, b), min(a, b)
		}
		in.edges = append(in.edges, Edge{ids[a], ids[b]})
	}
	return in
}

func (in input) graph(t *rapid.T) *graph.Graph {
	g, err := graph.New(in.n, in.edges)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// has is the adjacency matrix.
func (in input) has() [][]bool {
	m := make([][]bool, in.n)
	for i := range m {
		m[i] = make([]bool, in.n)
	}
	for _, e := range in.edges {
		m[e.From][e.To] = true
	}
	return m
}

// reaches is the reflexive and transitive closure of the matrix (Warshall).
func (in input) reaches() [][]bool {
	m := in.has()
	for k := range m {
		m[k][k] = true
	}
	for k := range m {
		for i := range m {
			for j := range m {
				m[i][j] = m[i][j] || m[i][k] && m[k][j]
			}
		}
	}
	return m
}

// simple is gonum's own graph of maps, without edges from a vertex to itself,
// which it cannot hold.
func (in input) simple() *simple.DirectedGraph {
	g := simple.NewDirectedGraph()
	for i := range in.n {
		g.AddNode(simple.Node(i))
	}
	for _, e := range in.edges {
		if e.From != e.To {
			g.SetEdge(g.NewEdge(simple.Node(e.From), simple.Node(e.To)))
		}
	}
	return g
}

// multi is gonum's graph that can hold every edge.
func (in input) multi() *multi.DirectedGraph {
	g := multi.NewDirectedGraph()
	for i := range in.n {
		g.AddNode(multi.Node(i))
	}
	for _, e := range in.edges {
		g.SetLine(g.NewLine(multi.Node(e.From), multi.Node(e.To)))
	}
	return g
}

// chain is 0 <- 1 <- 2 <- ...
func chain(n int) []Edge {
	edges := make([]Edge, 0, n)
	for v := 1; v < n; v++ {
		edges = append(edges, Edge{ID(v), ID(v - 1)})
	}
	return edges
}

// randomDAG has three dependencies for each vertex, on earlier ones.
func randomDAG(n int) []Edge {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	edges := make([]Edge, 0, 3*n)
	for v := 1; v < n; v++ {
		for range 3 {
			edges = append(edges, Edge{ID(v), ID(r.IntN(v))})
		}
	}
	return edges
}
