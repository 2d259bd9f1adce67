package graph_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"strata/graph"
)

// words reads what a file might hold.
func words[T ~uint32](b []byte) []T {
	var w []T
	for ; len(b) >= 4; b = b[4:] {
		w = append(w, T(binary.LittleEndian.Uint32(b)))
	}
	return w
}

func raw[T ~uint32](w []T) []byte {
	var b []byte
	for _, v := range w {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// Whatever stands in a file: an error, or a graph on which everything works.
func FuzzFromCSR(f *testing.F) {
	for _, g := range []*graph.Graph{
		mustNew(f, 0), mustNew(f, 3), mustNew(f, 4, chain(4)...), mustNew(f, 3, Edge{0, 1}, Edge{1, 0}, Edge{2, 2}),
	} {
		r := g.Reverse()
		f.Add(raw(g.Offsets()), raw(g.Adjacency()), raw(r.Offsets()), raw(r.Adjacency()))
	}
	f.Fuzz(func(t *testing.T, off, adj, revOff, revAdj []byte) {
		g, err := graph.FromCSR(words[uint32](off), words[ID](adj))
		if err != nil {
			return
		}
		var edges []Edge
		for v := range g.Len() {
			for _, w := range g.Out(ID(v)) {
				edges = append(edges, Edge{ID(v), w})
			}
		}
		h, err := graph.New(g.Len(), edges)
		if err != nil || !g.Equal(h) || g.Edges() != len(edges) {
			t.Fatalf("accepted %v, which New makes %v, %v", g, h, err)
		}
		if l, err := g.Levels(); err == nil {
			if err := l.Check(g); err != nil {
				t.Fatal(err)
			}
		}
		p, err := graph.FromCSRPair(words[uint32](off), words[ID](adj), words[uint32](revOff), words[ID](revAdj))
		if err == nil && !p.Reverse().Equal(g.Reverse()) {
			t.Fatal("accepted a wrong transpose")
		}
	})
}

// The same for levels.
func FuzzLevelsFromFlat(f *testing.F) {
	for _, g := range []*graph.Graph{mustNew(f, 0), mustNew(f, 3), mustNew(f, 4, chain(4)...), mustNew(f, 5, Edge{2, 1}, Edge{4, 3})} {
		l, err := g.Levels()
		if err != nil {
			f.Fatal(err)
		}
		level, off, order := l.Flat()
		f.Add(raw(level), raw(off), raw(order))
	}
	f.Fuzz(func(t *testing.T, level, off, order []byte) {
		l, err := graph.LevelsFromFlat(words[uint32](level), words[uint32](off), words[ID](order))
		if err != nil {
			return
		}
		m, err := graph.NewLevels(words[uint32](level))
		if err != nil || !m.Equal(l) || m.Count() != l.Count() || !slices.Equal(m.Order(), l.Order()) {
			t.Fatalf("accepted %v, which NewLevels makes %v, %v", l, m, err)
		}
	})
}
