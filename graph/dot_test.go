package graph_test

import (
	"errors"
	"strings"
	"testing"

	"gonum.org/v1/gonum/graph/formats/dot"
	"gonum.org/v1/gonum/graph/formats/dot/ast"

	"strata/graph"
)

func TestWriteDOT(t *testing.T) {
	names := []string{"mounts", "sshd", `a "b"\`, "net\nwork\x1b[0m", "é\xff", "-> }; //"}
	g := mustNew(t, len(names), Edge{1, 0}, Edge{1, 3}, Edge{3, 2}, Edge{4, 2})
	var b strings.Builder
	if err := g.WriteDOT(&b, func(id ID) string { return names[id] }); err != nil {
		t.Fatal(err)
	}
	want := `digraph {
	"mounts";
	"sshd";
	"sshd" -> "mounts";
	"sshd" -> "net\\nwork\\x1b[0m";
	"a \"b\"\\\\";
	"net\\nwork\\x1b[0m";
	"net\\nwork\\x1b[0m" -> "a \"b\"\\\\";
	"é\\xff";
	"é\\xff" -> "a \"b\"\\\\";
	"-> }; //";
}
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	f, err := dot.ParseString(b.String())
	if err != nil {
		t.Fatal(err)
	}
	nodes, edges := 0, 0
	for _, s := range f.Graphs[0].Stmts {
		switch s.(type) {
		case *ast.NodeStmt:
			nodes++
		case *ast.EdgeStmt:
			edges++
		}
	}
	if nodes != g.Len() || edges != g.Edges() {
		t.Errorf("gonum reads %d nodes and %d edges", nodes, edges)
	}
}

// A name that looks like an escaped one must not become the same vertex.
func TestWriteDOTDistinct(t *testing.T) {
	names := []string{"a\x01", `a\x01`, `a\\x01`, "a\n", `a\n`, `"`, `\"`, `\\"`}
	var b strings.Builder
	if err := mustNew(t, len(names)).WriteDOT(&b, func(id ID) string { return names[id] }); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(b.String()) {
		if seen[line] {
			t.Errorf("%q stands twice", line)
		}
		seen[line] = true
	}
}

type fullWriter struct{ room int }

var errFull = errors.New("full")

func (w *fullWriter) Write(p []byte) (int, error) {
	if len(p) > w.room {
		return 0, errFull
	}
	w.room -= len(p)
	return len(p), nil
}

func TestWriteDOTError(t *testing.T) {
	g := mustNew(t, 1000, chain(1000)...)
	for _, room := range []int{0, 10_000} {
		if err := g.WriteDOT(&fullWriter{room}, func(graph.ID) string { return "x" }); !errors.Is(err, errFull) {
			t.Errorf("room for %d: %v", room, err)
		}
	}
}
