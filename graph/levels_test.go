package graph_test

import (
	"errors"
	"slices"
	"testing"

	"gonum.org/v1/gonum/graph/topo"
	"pgregory.net/rapid"

	"strata/graph"
)

func TestLevels(t *testing.T) {
	for _, tt := range []struct {
		name  string
		n     int
		edges []Edge
		want  [][]ID
	}{
		{"no vertex", 0, nil, nil},
		{"no edge", 3, nil, [][]ID{{0, 1, 2}}},
		{"1->2, 3->4", 5, []Edge{{2, 1}, {4, 3}}, [][]ID{{0, 1, 3}, {2, 4}}},
		{"chain against the numbers", 3, []Edge{{0, 1}, {1, 2}}, [][]ID{{2}, {1}, {0}}},
		{"longest way counts", 4, []Edge{{0, 3}, {0, 1}, {1, 2}, {2, 3}}, [][]ID{{3}, {2}, {1}, {0}}},
		{"ascending in a level", 5, []Edge{{0, 4}, {1, 3}, {2, 3}, {2, 4}}, [][]ID{{3, 4}, {0, 1, 2}}},
	} {
		l, err := mustNew(t, tt.n, tt.edges...).Levels()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if l.Count() != len(tt.want) || l.Len() != tt.n {
			t.Errorf("%s: %d levels of %d vertices", tt.name, l.Count(), l.Len())
		}
		for k, want := range tt.want {
			if !slices.Equal(l.At(k), want) {
				t.Errorf("%s: level %d = %v, want %v", tt.name, k, l.At(k), want)
			}
		}
		if l.At(-1) != nil || l.At(len(tt.want)) != nil || l.Of(ID(tt.n)) != -1 {
			t.Errorf("%s: there is something beyond", tt.name)
		}
		if !slices.Equal(l.Order(), slices.Concat(tt.want...)) {
			t.Errorf("%s: Order = %v", tt.name, l.Order())
		}
	}
}

func TestRapidLevels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t, 14, rapid.Bool().Draw(t, "acyclic"))
		g := in.graph(t)
		l, err := g.Levels()

		// gonum decides whether there is an order; it overlooks loops.
		_, unordered := topo.Sort(in.simple())
		loop := slices.ContainsFunc(in.edges, func(e Edge) bool { return e.From == e.To })
		if wantErr := unordered != nil || loop; (err != nil) != wantErr {
			t.Fatalf("error %v, want one: %v", err, wantErr)
		}
		if err != nil {
			if _, ok := errors.AsType[*graph.CycleError](err); !ok || l.Len() != 0 {
				t.Fatalf("error %T, levels of %d vertices", err, l.Len())
			}
			return
		}
		// The definition, by repetition until nothing changes.
		want := make([]uint32, in.n)
		for range in.n {
			for _, e := range in.edges {
				want[e.From] = max(want[e.From], want[e.To]+1)
			}
		}
		level, off, order := l.Flat()
		if !slices.Equal(level, want) {
			t.Fatalf("levels %v, want %v", level, want)
		}
		if err := l.Check(g); err != nil {
			t.Fatal(err)
		}
		for k := range l.Count() {
			if !slices.IsSorted(l.At(k)) {
				t.Fatalf("level %d = %v is not sorted", k, l.At(k))
			}
		}
		place := make([]int, in.n)
		for i, v := range l.Order() {
			place[v] = i
		}
		for _, e := range in.edges {
			if place[e.From] <= place[e.To] {
				t.Fatalf("%d comes before %d in %v", e.From, e.To, l.Order())
			}
		}
		for _, read := range []func() (graph.Levels, error){
			func() (graph.Levels, error) { return graph.NewLevels(level) },
			func() (graph.Levels, error) { return graph.LevelsFromFlat(level, off, order) },
		} {
			m, err := read()
			if err != nil || !m.Equal(l) || !slices.Equal(m.Order(), l.Order()) || m.Count() != l.Count() {
				t.Fatalf("read back as %v, %v", m, err)
			}
		}
	})
}

func TestLevelsChain(t *testing.T) {
	const n = 100_000
	l, err := mustNew(t, n, chain(n)...).Levels()
	if err != nil || l.Count() != n || l.Of(n-1) != n-1 {
		t.Fatalf("%d levels, %v", l.Count(), err)
	}
}

func TestNewLevelsErrors(t *testing.T) {
	for _, tt := range []struct {
		level []uint32
		want  string
	}{
		{[]uint32{1}, "cannot make levels: vertex 0 has level 1 of at most 0"},
		{[]uint32{0, 1<<32 - 1}, "cannot make levels: vertex 1 has level 4294967295 of at most 1"},
		{[]uint32{1, 1}, "cannot make levels: level 0 is empty"},
		{[]uint32{0, 2, 2}, "cannot make levels: level 1 is empty"},
	} {
		if _, err := graph.NewLevels(tt.level); err == nil || err.Error() != tt.want {
			t.Errorf("NewLevels(%v): %v, want %s", tt.level, err, tt.want)
		}
	}
}

func TestLevelsFromFlatErrors(t *testing.T) {
	for _, tt := range []struct {
		name       string
		level, off []uint32
		order      []ID
	}{
		{"no offsets", nil, nil, nil},
		{"order short", []uint32{0, 0}, []uint32{0, 2}, []ID{0}},
		{"offsets short", []uint32{0, 0}, []uint32{0, 1}, []ID{0, 1}},
		{"offsets start late", []uint32{0, 0}, []uint32{1, 2}, []ID{0, 1}},
		{"empty level", []uint32{0, 0}, []uint32{0, 2, 2}, []ID{0, 1}},
		{"beyond", []uint32{0, 1}, []uint32{0, 9, 2}, []ID{0, 1}},
		{"falling", []uint32{0, 1, 2}, []uint32{0, 2, 1, 3}, []ID{0, 1, 2}},
		{"wrong level", []uint32{1, 0}, []uint32{0, 1, 2}, []ID{0, 1}},
		{"twice", []uint32{0, 0}, []uint32{0, 2}, []ID{0, 0}},
		{"unsorted", []uint32{0, 0}, []uint32{0, 2}, []ID{1, 0}},
		{"no vertex", []uint32{0, 0}, []uint32{0, 2}, []ID{0, 2}},
		{"level without offset", []uint32{0, 7}, []uint32{0, 2}, []ID{0, 1}},
	} {
		if l, err := graph.LevelsFromFlat(tt.level, tt.off, tt.order); err == nil {
			t.Errorf("%s: read as %v", tt.name, l)
		}
	}
	var zero graph.Levels
	if l, err := graph.LevelsFromFlat(zero.Flat()); err != nil || l.Count() != 0 {
		t.Errorf("the zero Levels: %v, %v", l, err)
	}
}

func TestLevelsCheck(t *testing.T) {
	g := mustNew(t, 3, Edge{1, 0}, Edge{2, 1})
	for _, tt := range []struct {
		level []uint32
		want  string
	}{
		{[]uint32{0, 1, 2}, ""},
		{[]uint32{0, 1}, "cannot use levels: they are for 2 vertices, the graph has 3"},
		{[]uint32{0, 0, 1}, "cannot use levels: vertex 1 has level 0, its dependencies say 1"},
		{[]uint32{1, 2, 0}, "cannot use levels: vertex 0 has level 1, its dependencies say 0"},
	} {
		l, err := graph.NewLevels(tt.level)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := l.Check(g); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%v: %q, want %q", tt.level, got, tt.want)
		}
	}
}
