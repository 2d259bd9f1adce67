package graph

import (
	"slices"
	"testing"
)

// Once the limit is used up, each further knot still gives a cycle, though perhaps
// not a shortest one.
func TestVisitLimit(t *testing.T) {
	g, err := New(8, []Edge{
		{0, 1}, {1, 2}, {2, 3}, {3, 0}, {2, 1}, // 1 and 2 need each other
		{4, 5}, {5, 6}, {6, 7}, {7, 4}, {6, 5},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		limit int
		want  [][]ID
	}{
		{visitLimit, [][]ID{{1, 2}, {5, 6}}},
		{6, [][]ID{{1, 2}, {4, 5, 6, 7}}},
		{1, [][]ID{{0, 1, 2, 3}, {4, 5, 6, 7}}},
	} {
		s := newGirth(g, tt.limit)
		for i, knot := range [][]ID{{3, 2, 1, 0}, {4, 5, 6, 7}} {
			if got := s.shortest(knot); !slices.Equal(got, tt.want[i]) {
				t.Errorf("limit %d, knot %d: %v, want %v", tt.limit, i, got, tt.want[i])
			}
			if s.left.Len() != 0 {
				t.Errorf("limit %d, knot %d leaves %v to the next", tt.limit, i, s.left.IDs())
			}
		}
	}
}

// A ring falls apart with its first vertex: each edge is looked at once.
func TestRingCost(t *testing.T) {
	const n = 1000
	var edges []Edge
	knot := make([]ID, n)
	for v := range n {
		knot[v] = ID(v)
		edges = append(edges, Edge{ID(v), ID((v + 1) % n)})
	}
	g, err := New(n, edges)
	if err != nil {
		t.Fatal(err)
	}
	s := newGirth(g, visitLimit)
	if got := s.shortest(knot); len(got) != n || s.limit != visitLimit-n {
		t.Errorf("cycle of %d after %d edges", len(got), visitLimit-s.limit)
	}
}

// Neither what depends on a cycle nor what a cycle depends on goes to gonum.
func TestKnots(t *testing.T) {
	g, err := New(9, []Edge{
		{0, 1}, {1, 3}, {3, 5}, {5, 1}, {5, 6}, {6, 7}, {7, 8}, {8, 7}, {4, 4}, {4, 8}, {2, 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	waits := []uint32{1, 1, 1, 1, 1, 1, 1, 1, 1}
	sub, ids := g.knots(waits)
	if want := []ID{1, 3, 5, 6, 7, 8}; !slices.Equal(ids, want) || sub.Edges() != 7 {
		t.Errorf("%v with %d edges, want %v with 7", ids, sub.Edges(), want)
	}
}
