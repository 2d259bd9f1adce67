package graph

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// WriteDOT writes the graph in Graphviz's DOT language: every vertex by the name
// that name gives it, with an arrow to each of its dependencies. Control
// characters and bytes that are not UTF-8 come out escaped as in a Go string. The
// error is the writer's.
func (g *Graph) WriteDOT(w io.Writer, name func(ID) string) error {
	quoted := make([]string, g.Len())
	for v := range quoted {
		quoted[v] = quoteDOT(name(ID(v)))
	}
	b := bufio.NewWriter(w)
	b.WriteString("digraph {\n")
	for v, from := range quoted {
		b.WriteString("\t" + from + ";\n")
		for _, to := range g.Out(ID(v)) {
			b.WriteString("\t" + from + " -> " + quoted[to] + ";\n")
		}
	}
	b.WriteString("}\n")
	return b.Flush() // holds the first error of all writes
}

var dotEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// quoteDOT escapes twice: once so that different names stay different and are all
// printable, and once for Graphviz, which reads the text as a label.
func quoteDOT(s string) string {
	q := strconv.Quote(s)
	q = strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
	return `"` + dotEscaper.Replace(q) + `"`
}
