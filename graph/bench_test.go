package graph_test

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/graph/topo"

	"strata/graph"
)

func bench(b *testing.B, run func(b *testing.B, n int, edges []Edge, g *graph.Graph)) {
	for _, n := range []int{10_000, 100_000} {
		edges := randomDAG(n)
		g := mustNew(b, n, edges...)
		g.In(0)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			run(b, n, edges, g)
		})
	}
}

func BenchmarkNew(b *testing.B) {
	bench(b, func(b *testing.B, n int, edges []Edge, _ *graph.Graph) {
		for b.Loop() {
			mustNew(b, n, edges...).In(0)
		}
	})
}

func BenchmarkFromCSR(b *testing.B) {
	bench(b, func(b *testing.B, _ int, _ []Edge, g *graph.Graph) {
		for b.Loop() {
			if _, err := graph.FromCSR(g.Offsets(), g.Adjacency()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkFromCSRPair(b *testing.B) {
	bench(b, func(b *testing.B, _ int, _ []Edge, g *graph.Graph) {
		r := g.Reverse()
		for b.Loop() {
			if _, err := graph.FromCSRPair(g.Offsets(), g.Adjacency(), r.Offsets(), r.Adjacency()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLevels(b *testing.B) {
	bench(b, func(b *testing.B, _ int, _ []Edge, g *graph.Graph) {
		for b.Loop() {
			if _, err := g.Levels(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLevelsFromFlat(b *testing.B) {
	bench(b, func(b *testing.B, _ int, _ []Edge, g *graph.Graph) {
		l, err := g.Levels()
		if err != nil {
			b.Fatal(err)
		}
		level, off, order := l.Flat()
		for b.Loop() {
			if _, err := graph.LevelsFromFlat(level, off, order); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// One edge more closes cycles through much of the graph.
func BenchmarkCycle(b *testing.B) {
	bench(b, func(b *testing.B, n int, edges []Edge, _ *graph.Graph) {
		g := mustNew(b, n, append(edges[:len(edges):len(edges)], Edge{0, ID(n - 1)})...)
		for b.Loop() {
			cycleOf(b, g)
		}
	})
}

func BenchmarkClosure(b *testing.B) {
	bench(b, func(b *testing.B, n int, _ []Edge, g *graph.Graph) {
		for b.Loop() {
			g.Closure([]ID{ID(n - 1)})
		}
	})
}

func BenchmarkDependents(b *testing.B) {
	bench(b, func(b *testing.B, _ int, _ []Edge, g *graph.Graph) {
		for b.Loop() {
			g.Dependents([]ID{0})
		}
	})
}

func BenchmarkPaths(b *testing.B) {
	bench(b, func(b *testing.B, _ int, _ []Edge, g *graph.Graph) {
		for b.Loop() {
			g.DependentPaths([]ID{0})
		}
	})
}

func BenchmarkTarjanSCC(b *testing.B) {
	bench(b, func(b *testing.B, _ int, _ []Edge, g *graph.Graph) {
		v := g.Gonum()
		for b.Loop() {
			topo.TarjanSCC(v)
		}
	})
}
