package graph_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"strata/graph"
)

func TestRapidClosure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t, 12, rapid.Bool().Draw(t, "acyclic"))
		g, reaches := in.graph(t), in.reaches()
		var start []ID
		for _, v := range rapid.SliceOfN(rapid.IntRange(0, 15), 0, 4).Draw(t, "start") {
			start = append(start, ID(v)) // some are no vertices
		}
		var deps, users []ID
		for v := range in.n {
			if slices.ContainsFunc(start, func(s ID) bool { return int(s) < in.n && reaches[s][v] }) {
				deps = append(deps, ID(v))
			}
			if slices.ContainsFunc(start, func(s ID) bool { return int(s) < in.n && reaches[v][s] }) {
				users = append(users, ID(v))
			}
		}
		if got := g.Closure(start).IDs(); !slices.Equal(got, deps) {
			t.Fatalf("Closure(%v) = %v, want %v", start, got, deps)
		}
		if got := g.Dependents(start).IDs(); !slices.Equal(got, users) {
			t.Fatalf("Dependents(%v) = %v, want %v", start, got, users)
		}
	})
}

// shortestPath is the oracle: the lexicographically smallest shortest path, by
// trying all simple ones in order.
func shortestPath(has [][]bool, from, to ID) (best []ID) {
	var extend func(path []ID)
	extend = func(path []ID) {
		last := path[len(path)-1]
		if best != nil && len(path) >= len(best) {
			return
		}
		if last == to {
			best = slices.Clone(path)
			return
		}
		for w := range ID(len(has)) {
			if has[last][w] && !slices.Contains(path, w) {
				extend(append(path, w))
			}
		}
	}
	extend([]ID{from})
	return best
}

func TestRapidPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t, 8, false)
		g, has := in.graph(t), in.has()
		for a := range ID(in.n) {
			from, back := g.Paths([]ID{a}), g.DependentPaths([]ID{a})
			for b := range ID(in.n) {
				want := shortestPath(has, a, b)
				if got := g.Path(a, b); !slices.Equal(got, want) {
					t.Fatalf("Path(%d, %d) = %v, want %v", a, b, got, want)
				}
				if got := from.To(b); !slices.Equal(got, want) || from.Has(b) != (want != nil) {
					t.Fatalf("Paths(%d).To(%d) = %v, want %v", a, b, got, want)
				}
				// Back from a to b is as long as from b to a, and made of
				// edges turned round.
				got, want := back.To(b), g.Reverse().Path(a, b)
				if !slices.Equal(got, want) || len(got) != len(shortestPath(has, b, a)) {
					t.Fatalf("DependentPaths(%d).To(%d) = %v, want %v", a, b, got, want)
				}
				for i := 1; i < len(got); i++ {
					if !has[got[i]][got[i-1]] {
						t.Fatalf("%v is no chain of dependents", got)
					}
				}
			}
		}
	})
}

func TestPathsFromSeveral(t *testing.T) {
	// 0 -> 1 -> 2 -> 3 <- 4, 5 -> 4
	g := mustNew(t, 7, Edge{0, 1}, Edge{1, 2}, Edge{2, 3}, Edge{4, 3}, Edge{5, 4})
	p := g.Paths([]ID{0, 5, 99, 5})
	for _, tt := range []struct {
		to   ID
		want []ID
	}{
		{0, []ID{0}},
		{2, []ID{0, 1, 2}},
		{3, []ID{5, 4, 3}}, // the nearer start
		{6, nil},
		{99, nil},
	} {
		if got := p.To(tt.to); !slices.Equal(got, tt.want) || p.Has(tt.to) != (tt.want != nil) {
			t.Errorf("To(%d) = %v, want %v", tt.to, got, tt.want)
		}
	}
	// Equally near: the first given.
	h := mustNew(t, 3, Edge{0, 2}, Edge{1, 2})
	if got := h.Paths([]ID{1, 0}).To(2); !slices.Equal(got, []ID{1, 2}) {
		t.Errorf("To(2) = %v, want [1 2]", got)
	}
}

func TestClosureChain(t *testing.T) {
	for _, n := range []int{10_000, 100_000} {
		g := mustNew(t, n, chain(n)...)
		last := ID(n - 1)
		if got := g.Closure([]ID{last}).Len(); got != n {
			t.Errorf("closure of the end of a chain of %d: %d", n, got)
		}
		if got := g.Dependents([]ID{0}).Len(); got != n {
			t.Errorf("dependents of the start of a chain of %d: %d", n, got)
		}
		if got := g.Closure([]ID{0}).IDs(); !slices.Equal(got, []ID{0}) {
			t.Errorf("closure of the start: %v", got)
		}
		p := g.Path(last, 0)
		if len(p) != n || p[0] != last || p[n-1] != 0 {
			t.Errorf("path of %d through a chain of %d", len(p), n)
		}
		if g.Path(0, last) != nil {
			t.Error("a path against the edges")
		}
	}
}

func TestRapidSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (*graph.Set, map[ID]bool) {
			n := rapid.IntRange(0, 200).Draw(t, name)
			s, m := graph.NewSet(n), map[ID]bool{}
			for _, v := range rapid.SliceOf(rapid.IntRange(0, 220)).Draw(t, name+" ids") {
				id, want := ID(v), v < n && !m[ID(v)]
				if s.Add(id) != want {
					t.Fatalf("Add(%d) to %v of %d: want %v", id, m, n, want)
				}
				if v < n {
					m[id] = true
				}
			}
			return s, m
		}
		a, ma := draw("a")
		b, mb := draw("b")
		same := func(op string, s *graph.Set, want func(ID) bool) {
			var ids []ID
			for id := range ID(300) {
				if want(id) {
					ids = append(ids, id)
				}
				if s.Has(id) != want(id) {
					t.Fatalf("%s: Has(%d) = %v", op, id, s.Has(id))
				}
			}
			if !slices.Equal(s.IDs(), ids) || s.Len() != len(ids) {
				t.Fatalf("%s: %v, want %v", op, s.IDs(), ids)
			}
			if other := graph.NewSet(300, ids...); !s.Equal(other) || !other.Equal(s) {
				t.Fatalf("%s: not Equal to itself with more room", op)
			}
		}
		same("a", a, func(id ID) bool { return ma[id] })
		if a.Equal(b) != slices.Equal(a.IDs(), b.IDs()) {
			t.Fatal("Equal is wrong")
		}
		for _, op := range []struct {
			name string
			do   func(*graph.Set, *graph.Set)
			want func(ID) bool
		}{
			{"union", (*graph.Set).Union, func(id ID) bool { return ma[id] || mb[id] }},
			{"intersect", (*graph.Set).Intersect, func(id ID) bool { return ma[id] && mb[id] }},
			{"subtract", (*graph.Set).Subtract, func(id ID) bool { return ma[id] && !mb[id] }},
		} {
			s := a.Clone()
			op.do(s, b)
			same(op.name, s, op.want)
			same("a after "+op.name, a, func(id ID) bool { return ma[id] })
			same("b after "+op.name, b, func(id ID) bool { return mb[id] })
		}
		for id := range ID(300) {
			a.Remove(id)
		}
		same("emptied", a, func(ID) bool { return false })
	})
}

func TestSetSmall(t *testing.T) {
	var zero graph.Set
	if zero.Has(0) || zero.Add(0) || zero.Len() != 0 || len(zero.IDs()) != 0 || graph.NewSet(-1).Add(0) {
		t.Error("the zero Set holds something")
	}
	s := graph.NewSet(100, 70, 3, 64)
	for id := range s.All() { // stopping early must be possible
		if id != 3 {
			t.Errorf("first is %d", id)
		}
		break
	}
	var none *graph.Set
	if none.Equal(s) || s.Equal(none) || !none.Equal(none) {
		t.Error("nil is equal to a set")
	}
	s.Union(graph.NewSet(1000))
	if !s.Add(999) {
		t.Error("Union made no room")
	}
}
