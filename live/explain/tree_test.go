package explain_test

import (
	"fmt"
	"strings"
	"testing"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/change"
	"strata/live/explain"
	"strata/live/journal"
)

// draw gives a tree as lines.
func draw(rows []explain.Row, name func(explain.ID) string) string {
	var lines []string
	for _, r := range rows {
		line := r.Prefix
		if r.Edge != explain.NoEdge && r.Edge != explain.Needs {
			line += string(r.Edge) + " "
		}
		line += name(r.Service)
		if r.Again {
			line += " ..."
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestTree(t *testing.T) {
	g := sceneOf(t, nil, nil).Graphs
	name := func(id explain.ID) string { return names[id] }
	for _, test := range []struct {
		name  string
		roots []explain.ID
		back  bool
		want  string
	}{
		{"all", explain.Roots(g, len(names), false), false, `
a
└─ b
   └─ c
d
├─ wants c
└─ after e
   └─ f`},
		{"backwards", explain.Roots(g, len(names), true), true, `
c
├─ b
│  └─ a
└─ wants d
f
└─ e
   └─ after d`},
		{"what was shown is not shown again", []explain.ID{b, a}, false, `
b
└─ c
a
└─ b ...`},
	} {
		if got := draw(explain.Tree(g, test.roots, test.back), name); got != strings.TrimSpace(test.want) {
			t.Errorf("%s:\n%s\nwant%s", test.name, got, test.want)
		}
	}
}

// A chain of 10,000 services is walked, not recursed into, and its lines stay short.
func TestL16DeepChain(t *testing.T) {
	const n = 10_000
	edges := make([]graph.Edge, n-1)
	run := journal.RunState{Run: journal.Run{Op: "start"}, Left: make(map[live.Slot]bool)}
	s := &explain.Scene{Services: make([]live.ServiceState, n), Working: true}
	for i := range n {
		if i > 0 {
			edges[i-1] = graph.Edge{From: explain.ID(i - 1), To: explain.ID(i)}
		}
		s.Services[i] = live.ServiceState{Slot: live.Slot(i + 16), Name: fmt.Sprint(i), Type: db.Longrun, Starting: i == n-1}
		run.Slots = append(run.Slots, live.Slot(i+16))
		run.Left[live.Slot(i+16)] = true
	}
	s.Run = &run
	g, err := graph.New(n, edges)
	if err != nil {
		t.Fatal(err)
	}
	s.Graphs = change.Graphs{Needs: g}
	rows := explain.Tree(s.Graphs, []explain.ID{0}, false)
	if len(rows) != n {
		t.Errorf("%d rows", len(rows))
	}
	for _, r := range rows {
		if len(r.Prefix) > 100 {
			t.Fatalf("row %s of %d bytes", r.Prefix, len(r.Prefix))
		}
	}
	chain := s.Why(0)
	if last := chain[len(chain)-1]; len(chain) != n || last.Reason != explain.UnderWay {
		t.Errorf("%d links, the last %+v", len(chain), last)
	}
	if lines := s.Sentences(chain); len(lines) > 30 {
		t.Errorf("%d lines", len(lines))
	}
}
