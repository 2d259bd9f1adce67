package linediff

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestUnified(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, from, to, want string }{
		{"nothing", "", "", ""},
		{"the same", "a\nb\n", "a\nb\n", ""},
		{"all new", "", "a\n", "@@ -0,0 +1,1 @@\n+a"},
		{"all gone", "a\nb\n", "", "@@ -1,2 +0,0 @@\n-a\n-b"},
		{"one more", "a\nc\n", "a\nb\nc\n", "@@ -1,2 +1,3 @@\n a\n+b\n c"},
		{"another", "a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c"},
		{"no newline", "a\nb", "a\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b"},
		{"two hunks", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n2\n3\n4\n5\n6\n7\n8\ny\n", "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y"},
		{"hunks that touch", "1\n2\n3\n4\n5\n6\n7\n8\n", "x\n2\n3\n4\n5\n6\n7\ny\n", "@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y"},
	} {
		if d := cmp.Diff(c.want, strings.Join(Unified(c.from, c.to), "\n")); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// TestPatch applies differences of random texts, and counts their lines: no list of
// edits is shorter.
func TestPatch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) string {
			lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", ""}), 0, 30).Draw(t, label)
			return strings.Join(lines, "\n")
		}
		from, to := draw("from"), draw("to")
		got, changed := apply(t, from, Unified(from, to))
		if got != to {
			t.Fatalf("it makes %q", got)
		}
		a, b := split(from), split(to)
		if want := len(a) + len(b) - 2*common(a, b); changed != want {
			t.Fatalf("%d lines differ, %d would do", changed, want)
		}
	})
}

// apply is patch(1).
func apply(t *rapid.T, from string, diff []string) (text string, changed int) {
	lines := split(from)
	var out []string
	at := 0
	for i, l := range diff {
		var start, n, to, m int
		switch {
		case strings.HasPrefix(l, "@@"):
			if _, err := fmt.Sscanf(l, "@@ -%d,%d +%d,%d @@", &start, &n, &to, &m); err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				start--
			}
			out = append(out, lines[at:start]...)
			at = start
			continue
		case l[0] == '\\':
			continue
		}
		text := l[1:] + "\n"
		if i+1 < len(diff) && diff[i+1][0] == '\\' {
			text = l[1:]
		}
		if l[0] != '+' {
			if lines[at] != text {
				t.Fatalf("line %d is %q, the difference has %q", at+1, lines[at], l)
			}
			at++
		}
		if l[0] != '-' {
			out = append(out, text)
		}
		if l[0] != ' ' {
			changed++
		}
	}
	return strings.Join(append(out, lines[at:]...), ""), changed
}

// common is the length of the longest common subsequence.
func common(a, b []string) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		before := 0
		for j, y := range b {
			here := row[j+1]
			if x == y {
				row[j+1] = before + 1
			} else {
				row[j+1] = max(here, row[j])
			}
			before = here
		}
	}
	return row[len(b)]
}

// TestBounded: texts with nothing in common are not searched to the end.
func TestBounded(t *testing.T) {
	t.Parallel()
	var a, b strings.Builder
	const n = 20_000
	for i := range n {
		a.WriteString("a" + strconv.Itoa(i) + "\n")
		b.WriteString("b" + strconv.Itoa(i) + "\n")
	}
	if got := Unified("x\n"+a.String()+"y\n", "x\n"+b.String()+"y\n"); len(got) != 2*n+3 || got[1] != " x" || got[2*n+2] != " y" {
		t.Errorf("%d lines", len(got))
	}
}
