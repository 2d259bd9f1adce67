// Package suggest finds what somebody who mistyped a word most likely meant.
package suggest

import "iter"

// Nearest returns the candidate that is at most two edits (insertions,
// deletions, replacements, swaps of neighbours) away from word, and at most a
// third of its length; the empty string if there is none. Of equally near
// candidates it returns the first in byte order.
func Nearest(word string, candidates iter.Seq[string]) string {
	best, bestDistance := "", min(2, max(1, len(word)/3))+1
	for c := range candidates {
		d := distance(word, c, bestDistance)
		if d < bestDistance || (d == bestDistance && best != "" && c < best) {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the optimal string alignment distance of a and b, or limit+1 where
// the lengths alone say that it is larger.
func distance(a, b string, limit int) int {
	if abs(len(a)-len(b)) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
