package graph_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"gonum.org/v1/gonum/graph/topo"
	"pgregory.net/rapid"

	"strata/graph"
)

func cycleOf(t testing.TB, g *graph.Graph) *graph.CycleError {
	t.Helper()
	_, err := g.Levels()
	ce, ok := errors.AsType[*graph.CycleError](err)
	if !ok {
		t.Fatalf("error %v, want a cycle", err)
	}
	return ce
}

func TestCycle(t *testing.T) {
	for _, tt := range []struct {
		name   string
		n      int
		edges  []Edge
		cycle  []ID
		others [][]ID
		text   string
	}{
		{"loop", 1, []Edge{{0, 0}}, []ID{0}, nil, "0 -> 0"},
		{"two", 2, []Edge{{0, 1}, {1, 0}}, []ID{0, 1}, nil, "0 -> 1 -> 0"},
		{"direction", 3, []Edge{{0, 2}, {2, 1}, {1, 0}}, []ID{0, 2, 1}, nil, "0 -> 2 -> 1 -> 0"},
		{"a loop is shorter", 3, []Edge{{0, 1}, {1, 0}, {2, 2}}, []ID{2}, [][]ID{{0, 1}}, "2 -> 2"},
		{"a loop in a knot", 3, []Edge{{0, 1}, {1, 2}, {2, 0}, {1, 1}, {2, 2}}, []ID{1}, nil, "1 -> 1"},
		{
			"dependents and dependencies are not part of it",
			6,
			[]Edge{{0, 1}, {1, 2}, {2, 3}, {3, 1}, {3, 4}, {5, 0}},
			[]ID{1, 2, 3},
			nil, "1 -> 2 -> 3 -> 1",
		},
		{
			"the way between two knots is not part of them",
			5,
			[]Edge{{0, 1}, {1, 0}, {1, 2}, {2, 3}, {3, 4}, {4, 3}},
			[]ID{0, 1},
			[][]ID{{3, 4}},
			"0 -> 1 -> 0",
		},
		{
			"shorter one later",
			5,
			[]Edge{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 0}, {4, 2}},
			[]ID{2, 3, 4},
			nil, "2 -> 3 -> 4 -> 2",
		},
		{
			"of two equal ones the first",
			4,
			[]Edge{{0, 3}, {3, 0}, {0, 1}, {1, 0}, {1, 2}, {2, 1}},
			[]ID{0, 1},
			nil, "0 -> 1 -> 0",
		},
		{
			"of two equal ones in the same knot the first",
			5,
			[]Edge{{0, 1}, {1, 2}, {2, 0}, {2, 3}, {3, 4}, {4, 2}},
			[]ID{0, 1, 2},
			nil, "0 -> 1 -> 2 -> 0",
		},
	} {
		ce := cycleOf(t, mustNew(t, tt.n, tt.edges...))
		if !slices.Equal(ce.Cycle, tt.cycle) || len(ce.Others)+len(tt.others) > 0 && !reflect.DeepEqual(ce.Others, tt.others) {
			t.Errorf("%s: %v and %v, want %v and %v", tt.name, ce.Cycle, ce.Others, tt.cycle, tt.others)
		}
		if want := "cannot order the graph: dependency cycle " + tt.text; ce.Error() != want {
			t.Errorf("%s: error %q, want %q", tt.name, ce, want)
		}
		for _, e := range ce.Edges() {
			if !slices.Contains(tt.edges, e) {
				t.Errorf("%s: edge %v is not in the graph", tt.name, e)
			}
		}
	}
}

// shortestThrough is the oracle: the lexicographically smallest of the shortest
// cycles whose smallest vertex is start, by trying all simple paths in order.
func shortestThrough(has [][]bool, start ID) (best []ID) {
	var extend func(path []ID)
	extend = func(path []ID) {
		last := path[len(path)-1]
		if has[last][start] {
			if best == nil || len(path) < len(best) {
				best = slices.Clone(path)
			}
			return
		}
		for w := start + 1; int(w) < len(has); w++ {
			if has[last][w] && !slices.Contains(path, w) && (best == nil || len(path)+1 < len(best)) {
				extend(append(path, w))
			}
		}
	}
	extend([]ID{start})
	return best
}

// For each knot that gonum finds, the cycle is the one the oracle finds.
func TestRapidCycle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t, 9, false)
		_, err := in.graph(t).Levels()
		ce, ok := errors.AsType[*graph.CycleError](err)
		if !ok {
			return
		}
		knotOf := make([]int, in.n)
		for k, scc := range topo.TarjanSCC(in.simple()) {
			for _, v := range scc {
				knotOf[v.ID()] = k
			}
		}
		byKnot := map[int][]ID{}
		for v := range in.n {
			c := shortestThrough(in.has(), ID(v))
			old, ok := byKnot[knotOf[v]]
			if c != nil && (!ok || len(c) < len(old)) {
				byKnot[knotOf[v]] = c
			}
		}
		var want [][]ID
		for _, c := range byKnot {
			want = append(want, c)
		}
		slices.SortFunc(want, func(a, b []ID) int {
			if len(a) != len(b) {
				return len(a) - len(b)
			}
			return slices.Compare(a, b)
		})
		got := append([][]ID{ce.Cycle}, ce.Others...)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("cycles %v, want %v", got, want)
		}
	})
}

// Large knots: none may cost the square of its size.
func TestLargeCycles(t *testing.T) {
	const n = 100_000
	ring := append(chain(n), Edge{0, n - 1})
	t.Run("ring", func(t *testing.T) {
		ce := cycleOf(t, mustNew(t, n, ring...))
		if len(ce.Cycle) != n || len(ce.Others) != 0 || ce.Cycle[0] != 0 || ce.Cycle[1] != n-1 {
			t.Errorf("cycle of %d", len(ce.Cycle))
		}
	})
	t.Run("ring with a tail of dependents", func(t *testing.T) {
		edges := slices.Clone(ring)
		for v := range n {
			edges = append(edges, Edge{ID(n + v), ID(max(0, n+v-1))})
		}
		ce := cycleOf(t, mustNew(t, 2*n, edges...))
		if len(ce.Cycle) != n {
			t.Errorf("cycle of %d", len(ce.Cycle))
		}
	})
	t.Run("ring with a shortcut", func(t *testing.T) {
		ce := cycleOf(t, mustNew(t, n, append(slices.Clone(ring), Edge{70_000, 70_002})...))
		if !slices.Equal(ce.Cycle, []ID{70_000, 70_002, 70_001}) {
			t.Errorf("cycle %v", ce.Cycle[:min(9, len(ce.Cycle))])
		}
	})
	t.Run("many knots", func(t *testing.T) {
		var edges []Edge
		for v := range ID(n / 2) {
			edges = append(edges, Edge{2 * v, 2*v + 1}, Edge{2*v + 1, 2 * v})
		}
		ce := cycleOf(t, mustNew(t, n, edges...))
		if !slices.Equal(ce.Cycle, []ID{0, 1}) || len(ce.Others) != n/2-1 {
			t.Errorf("cycle %v and %d others", ce.Cycle, len(ce.Others))
		}
	})
	t.Run("random", func(t *testing.T) {
		ce := cycleOf(t, mustNew(t, n, append(randomDAG(n), Edge{0, n - 1})...))
		if ce.Cycle[0] != 0 || ce.Cycle[1] != n-1 {
			t.Errorf("cycle %v", ce.Cycle)
		}
	})
	// No vertex taken away lets the knot fall apart before hundreds are: here
	// the limit ends the search.
	t.Run("wide ring", func(t *testing.T) {
		const steps, width = 100, n / 100
		r := rand.New(rand.NewPCG(1, 2))
		var edges []Edge
		for v := range n {
			next := (v/width + 1) % steps * width
			edges = append(edges, Edge{ID(v), ID(next + r.IntN(width))}, Edge{ID(v), ID(next + r.IntN(width))})
		}
		if ce := cycleOf(t, mustNew(t, n, edges...)); len(ce.Cycle) != steps {
			t.Errorf("cycle of %d", len(ce.Cycle))
		}
	})
}
