package linediff

import (
	"fmt"
	"slices"
	"strings"
)

// context is how many equal lines are shown around those that differ.
const context = 3

// maxEdits is how many lines may differ before the search for the shortest
// difference is given up. Its memory grows with the square.
const maxEdits = 1000

// Unified returns the lines that differ between two texts, in hunks with a heading
// and three equal lines around them, as diff -u prints them without its first two
// lines. Equal texts have none.
func Unified(from, to string) []string {
	if from == to {
		return nil
	}
	return hunks(compare(split(from), split(to)))
}

// split cuts a text into lines that keep their newline.
func split(text string) []string {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// edit is a line that both texts have (' '), that is removed ('-') or added ('+').
type edit struct {
	mark byte
	line string
}

// compare returns all lines of both texts in order.
func compare(from, to []string) []edit {
	head, tail := 0, 0
	for head < len(from) && head < len(to) && from[head] == to[head] {
		head++
	}
	for tail < len(from)-head && tail < len(to)-head && from[len(from)-1-tail] == to[len(to)-1-tail] {
		tail++
	}
	var out []edit
	out = mark(out, ' ', from[:head])
	out = append(out, shortest(from[head:len(from)-tail], to[head:len(to)-tail])...)
	return mark(out, ' ', from[len(from)-tail:])
}

func mark(out []edit, m byte, lines []string) []edit {
	for _, l := range lines {
		out = append(out, edit{m, l})
	}
	return out
}

// shortest searches a shortest list of edits. After d edits, reach[k] is how far a
// path gets in from on the diagonal k, which is the place in from less that in to.
func shortest(from, to []string) []edit {
	most := min(len(from)+len(to), maxEdits)
	reach := make([]int32, 2*most+3)
	at := func(k int) *int32 { return &reach[k+most+1] }
	var trace [][]int32 // the part of reach that step d has read
	for d := 0; d <= most; d++ {
		trace = append(trace, append([]int32{}, reach[most-d:most+d+3]...))
		for k := -d; k <= d; k += 2 {
			x := int(*at(k - 1)) + 1
			if down(k, d, *at(k - 1), *at(k + 1)) {
				x = int(*at(k + 1))
			}
			for x < len(from) && x-k < len(to) && from[x] == to[x-k] {
				x++
			}
			if x >= len(from) && x-k >= len(to) {
				return walkBack(from, to, trace)
			}
			*at(k) = int32(x)
		}
	}
	return mark(mark(nil, '-', from), '+', to)
}

// down says that the best path to diagonal k in step d adds a line, which comes from
// the diagonal above, and does not remove one.
func down(k, d int, below, above int32) bool { return k == -d || k != d && below < above }

// walkBack follows the steps back from the end and returns the edits in order.
func walkBack(from, to []string, trace [][]int32) []edit {
	var out []edit
	x, y := len(from), len(to)
	for d := len(trace) - 1; d >= 0; d-- {
		at := func(k int) int32 { return trace[d][k+d+1] }
		k := x - y
		before := k - 1
		if down(k, d, at(k-1), at(k+1)) {
			before = k + 1
		}
		startX := int(at(before))
		startY := startX - before
		for x > startX && y > max(startY, 0) {
			x, y = x-1, y-1
			out = append(out, edit{' ', from[x]})
		}
		switch {
		case d == 0:
		case before == k+1:
			y--
			out = append(out, edit{'+', to[y]})
		default:
			x--
			out = append(out, edit{'-', from[x]})
		}
	}
	slices.Reverse(out)
	return out
}

// hunks cuts the edits into pieces with the context of each, and writes them.
func hunks(edits []edit) []string {
	var out []string
	old, new := 0, 0 // lines before edits[at]
	for at := 0; at < len(edits); {
		begin, end := nextHunk(edits, at)
		old, new = old+begin-at, new+begin-at
		if begin == end {
			break
		}
		removed, added := count(edits[begin:end])
		out = append(out, fmt.Sprintf("@@ -%d,%d +%d,%d @@", first(old, removed), removed, first(new, added), added))
		for _, e := range edits[begin:end] {
			line, whole := strings.CutSuffix(e.line, "\n")
			out = append(out, string(e.mark)+line)
			if !whole {
				out = append(out, `\ No newline at end of file`)
			}
		}
		old, new, at = old+removed, new+added, end
	}
	return out
}

// nextHunk finds the next lines that differ, with what is around them; hunks that
// would touch are one.
func nextHunk(edits []edit, at int) (begin, end int) {
	begin = at
	for begin < len(edits) && edits[begin].mark == ' ' {
		begin++
	}
	if begin == len(edits) {
		return begin, begin
	}
	last := begin
	for i := begin; i < len(edits) && i-last <= 2*context+1; i++ {
		if edits[i].mark != ' ' {
			last = i
		}
	}
	return max(begin-context, at), min(last+1+context, len(edits))
}

// count returns how many lines of each text a piece has.
func count(edits []edit) (old, new int) {
	for _, e := range edits {
		if e.mark != '+' {
			old++
		}
		if e.mark != '-' {
			new++
		}
	}
	return old, new
}

// first is the number of a piece's first line, or of the line before an empty one.
func first(before, n int) int {
	if n == 0 {
		return before
	}
	return before + 1
}
