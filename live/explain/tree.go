package explain

import (
	"slices"
	"strconv"
	"strings"

	"strata/graph"
	"strata/live/change"
)

// Edge says why a service stands below another one in a tree.
type Edge string

// The edges. Of several between two services the first counts.
const (
	NoEdge Edge = ""
	Needs  Edge = "needs"
	Wants  Edge = "wants"
	After  Edge = "after" // order alone
)

// Row is a service in a tree.
type Row struct {
	Service ID
	// Edge leads from the service above, at Depth 0 there is none.
	Edge  Edge
	Depth int
	// Last says that it is the last below the one above.
	Last bool
	// Again says that it has stood before, with all that is below it.
	Again bool
	// Prefix are the lines that lead to it, for people.
	Prefix string
}

// child is a service below another one.
type child struct {
	id   ID
	edge Edge
}

// Tree gives the services below roots, in the order of a walk, each of them with what
// is below it only once. back goes from a service to what depends on it.
func Tree(g change.Graphs, roots []ID, back bool) []Row {
	t := treeWalk{g: g, back: back, seen: make(map[ID]bool)}
	for i, id := range slices.Backward(roots) {
		t.stack = append(t.stack, Row{Service: id, Last: i == len(roots)-1})
	}
	for len(t.stack) > 0 {
		t.next()
	}
	return t.rows
}

// Roots are the services that nothing depends on, or with back those that depend on
// nothing, of n.
func Roots(g change.Graphs, n int, back bool) []ID {
	t := treeWalk{g: g, back: !back}
	var roots []ID
	for id := range ID(n) {
		if len(t.below(id)) == 0 {
			roots = append(roots, id)
		}
	}
	return roots
}

type treeWalk struct {
	g     change.Graphs
	back  bool
	rows  []Row
	stack []Row
	seen  map[ID]bool
	// last holds, by depth, whether the row above that is nearest is the last of its
	// own.
	last []bool
}

// next takes a row from the stack, and puts what is below it there.
func (t *treeWalk) next() {
	row := t.stack[len(t.stack)-1]
	t.stack = t.stack[:len(t.stack)-1]
	t.last = append(t.last[:row.Depth], row.Last)
	row.Prefix = t.prefix(row)
	below := t.below(row.Service)
	row.Again = t.seen[row.Service] && len(below) > 0
	t.rows = append(t.rows, row)
	if t.seen[row.Service] {
		return
	}
	t.seen[row.Service] = true
	for i, c := range slices.Backward(below) {
		t.stack = append(t.stack, Row{Service: c.id, Edge: c.edge, Depth: row.Depth + 1, Last: i == len(below)-1})
	}
}

// below are the services below one, by number.
func (t *treeWalk) below(id ID) []child {
	edges := out
	if t.back {
		edges = in
	}
	var list []child
	seen := make(map[ID]bool)
	for _, kind := range []struct {
		g    *graph.Graph
		edge Edge
	}{{t.g.Needs, Needs}, {t.g.Wants, Wants}, {t.g.Soft, After}} {
		for _, to := range edges(kind.g, id) {
			if !seen[to] {
				seen[to] = true
				list = append(list, child{to, kind.edge})
			}
		}
	}
	return list
}

// deepest is the depth down to which lines are drawn; below it a number stands for
// them, so that a row has a length that somebody can read.
const deepest = 20

// prefix draws the lines to a row.
func (t *treeWalk) prefix(row Row) string {
	if row.Depth == 0 {
		return ""
	}
	if row.Depth > deepest {
		return strings.Repeat(" ", 3*deepest) + "(" + strconv.Itoa(row.Depth) + ") "
	}
	var b strings.Builder
	for _, last := range t.last[1:row.Depth] {
		if last {
			b.WriteString("   ")
		} else {
			b.WriteString("│  ")
		}
	}
	if row.Last {
		b.WriteString("└─ ")
	} else {
		b.WriteString("├─ ")
	}
	return b.String()
}
