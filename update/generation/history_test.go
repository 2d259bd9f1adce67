package generation

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"strata/compile/db"
)

// g names a generation by a letter.
func g(letter byte) db.Digest { return db.Digest{letter} }

func gs(letters string) []db.Digest {
	var out []db.Digest
	for i := range len(letters) {
		out = append(out, g(letters[i]))
	}
	return out
}

func letters(list []db.Digest) string {
	out := ""
	for _, d := range list {
		out += string(rune(d[0]))
	}
	return out
}

// made reads "AB-C": a minus comes before one that is undone.
func made(text string) History {
	var h History
	undone := false
	for i := range len(text) {
		if text[i] == '-' {
			undone = true
			continue
		}
		h = append(h, Entry{Content: g(text[i]), Undone: undone})
		undone = false
	}
	return h
}

func (h History) text() string {
	out := ""
	for _, e := range h {
		if e.Undone {
			out += "-"
		}
		out += string(rune(e.Content[0]))
	}
	return out
}

func TestBack(t *testing.T) {
	for _, tt := range []struct {
		history string
		current byte
		steps   int
		want    byte
		have    int // with a want of 0
	}{
		{"ABC", 'C', 1, 'B', 0},
		{"ABC", 'C', 2, 'A', 0},
		{"ABC", 'C', 3, 0, 2},
		{"ABC", 'B', 1, 'A', 0},
		{"ABC", 'A', 1, 0, 0},
		{"A-BC", 'C', 1, 'A', 0},
		{"A-BC", 'C', 2, 0, 1},
		{"AB", 'X', 1, 'B', 0}, // switched by hand
		{"", 'X', 1, 0, 0},
		{"ABC", 'C', 0, 0, 2},
		{"ABC", 'C', -1, 0, 2},
		{"A-B", 'B', 1, 'A', 0}, // what was undone counts again, by hand
	} {
		got, err := made(tt.history).Back(g(tt.current), tt.steps)
		var far *TooFarError
		switch {
		case tt.want != 0 && (err != nil || got != g(tt.want)):
			t.Errorf("%d back from %c in %s: %s, %v, want %c", tt.steps, tt.current, tt.history, letters([]db.Digest{got}), err, tt.want)
		case tt.want == 0 && (!errors.As(err, &far) || far.Have != tt.have || far.Steps != tt.steps):
			t.Errorf("%d back from %c in %s: %v, want one that says %d", tt.steps, tt.current, tt.history, err, tt.have)
		}
	}
}

func TestTooFar(t *testing.T) {
	for have, want := range []string{"there is no generation", "there is 1 before", "there are 2 before"} {
		if text := (&TooFarError{Steps: 7, Have: have}).Error(); !strings.Contains(text, want) {
			t.Errorf("%d: %s", have, text)
		}
	}
}

func TestAdvance(t *testing.T) {
	for _, tt := range []struct {
		history     string
		current, to byte
		want        string
	}{
		{"", 0, 'A', "A"},
		{"A", 'A', 'B', "AB"},
		{"AB", 'B', 'B', "AB"},
		{"AB", 'B', 'A', "BA"},
		{"ABC", 'B', 'D', "AB-CD"}, // after a rollback
		{"ABC", 'A', 'D', "A-B-CD"},
		{"ABC", 'B', 'C', "ABC"},
		{"A-B", 'B', 'C', "ABC"}, // what was undone counted again, by hand
		{"AB", 'X', 'C', "ABC"},
	} {
		if got := made(tt.history).Advance(g(tt.current), g(tt.to), time.Time{}).text(); got != tt.want {
			t.Errorf("%s, %c is current, to %c: %s, want %s", tt.history, tt.current, tt.to, got, tt.want)
		}
	}
}

func TestAdvanceTimes(t *testing.T) {
	first, later := time.Unix(1, 0), time.Unix(2, 0)
	h := History{{Content: g('A'), Installed: first}, {Content: g('B'), Installed: first}}
	if got := h.Advance(g('B'), g('B'), later); !cmp.Equal(got, h) {
		t.Errorf("installed again: %v", got)
	}
	if got := h.Advance(g('B'), g('A'), later)[1].Installed; !got.Equal(later) {
		t.Errorf("an older one: %v", got)
	}
}

func TestSurplus(t *testing.T) {
	for _, tt := range []struct {
		history, files string
		current        byte
		needed         string
		keep           int
		want           string
	}{
		{"ABC", "ABC", 'C', "", 5, ""},
		{"ABC", "ABC", 'C', "", 2, "A"},
		{"ABC", "ABC", 'C', "", 1, "AB"},
		{"ABC", "ABC", 'C', "", 0, ""},
		{"ABC", "ABC", 'C', "A", 1, "B"},
		{"ABC", "ABC", 'C', "AB", 1, ""},
		{"ABC", "ABC", 'A', "", 1, "BC"},    // what was rolled back from goes first
		{"ABCD", "ABCD", 'C', "", 3, "D"},   // before what can be gone back to
		{"A-BC", "ABC", 'C', "", 2, "B"},    // so does what is undone
		{"AB", "XABZ", 'B', "", 2, "XZ"},    // and before that what is not known
		{"AB", "ABX", 'X', "", 1, "AB"},     // switched by hand
		{"AB", "AB", 0, "", 1, "A"},         // nothing is current
		{"ABC", "BC", 'C', "", 1, "B"},      // a file is gone already
		{"ABCD", "ABCD", 'D', "B", 2, "AC"}, // what is needed counts
	} {
		got := letters(made(tt.history).Surplus(gs(tt.files), g(tt.current), gs(tt.needed), tt.keep))
		if got != tt.want {
			t.Errorf("%s of %s, %c is current, %q needed, keep %d: %q, want %q", tt.history, tt.files, tt.current, tt.needed, tt.keep, got, tt.want)
		}
	}
}

// drawn draws a store: a history, files, what is current and needed.
func drawn(t *rapid.T) (h History, files, needed []db.Digest, current db.Digest) {
	letter := rapid.ByteRange('A', 'H')
	for _, l := range rapid.SliceOfDistinct(letter, rapid.ID).Draw(t, "history") {
		h = append(h, Entry{Content: g(l), Undone: rapid.Bool().Draw(t, "undone")})
	}
	files = gs(string(rapid.SliceOfDistinct(letter, rapid.ID).Draw(t, "files")))
	needed = gs(string(rapid.SliceOf(letter).Draw(t, "needed")))
	if rapid.Bool().Draw(t, "has current") {
		current = g(letter.Draw(t, "current"))
	}
	return h, files, needed, current
}

// Whatever the store, what is current or needed is never removed, as many are left as
// were asked for, nothing goes before its turn, and a second time nothing goes.
func TestSurplusLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, files, needed, current := drawn(t)
		keep := rapid.IntRange(1, 9).Draw(t, "keep")
		gone := h.Surplus(files, current, needed, keep)
		stays := func(d db.Digest) bool { return d == current || slices.Contains(needed, d) }
		var left []db.Digest
		kept := 0
		for _, d := range files {
			switch {
			case !slices.Contains(gone, d):
				left = append(left, d)
				if stays(d) {
					kept++
				}
			case stays(d):
				t.Fatalf("%s is removed", letters([]db.Digest{d}))
			}
		}
		if len(left)+len(gone) != len(files) {
			t.Fatalf("%s of %s go", letters(gone), letters(files))
		}
		if len(gone) > 0 && len(left) < keep || len(left) > max(keep, kept) {
			t.Fatalf("%d are left of %d, want %d", len(left), len(files), keep)
		}
		if again := h.Only(left, current).Surplus(left, current, needed, keep); len(again) > 0 {
			t.Fatalf("%s go a second time", letters(again))
		}
		reach := h.Before(current)
		for _, d := range left {
			if len(gone) > 0 && !stays(d) && !slices.Contains(reach, d) && slices.ContainsFunc(gone, func(x db.Digest) bool { return slices.Contains(reach, x) }) {
				t.Fatalf("%s goes, and %s, which nobody can go back to, stays", letters(gone), letters([]db.Digest{d}))
			}
		}
	})
}

// The history is a stack: to install puts one on top, to go back takes some off.
func TestHistoryIsAStack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h History
		var stack []db.Digest
		current := db.Digest{}
		t.Repeat(map[string]func(*rapid.T){
			"install": func(t *rapid.T) {
				to := g(rapid.ByteRange('A', 'E').Draw(t, "to"))
				h = h.Advance(current, to, time.Time{})
				stack = append(slices.DeleteFunc(stack, func(d db.Digest) bool { return d == to }), to)
				current = to
			},
			"back": func(t *rapid.T) {
				n := rapid.IntRange(1, 3).Draw(t, "steps")
				to, err := h.Back(current, n)
				if n >= len(stack) {
					if err == nil {
						t.Fatalf("%d back in %s: %s", n, letters(stack), letters([]db.Digest{to}))
					}
					return
				}
				stack = stack[:len(stack)-n]
				if want := stack[len(stack)-1]; err != nil || to != want {
					t.Fatalf("%d back: %s, %v, want %s", n, letters([]db.Digest{to}), err, letters([]db.Digest{want}))
				}
				current = to
			},
			"": func(t *rapid.T) {
				want := slices.Clone(stack)
				slices.Reverse(want)
				if len(want) > 0 {
					want = want[1:]
				}
				if got := h.Before(current); !slices.Equal(got, want) {
					t.Fatalf("before %s: %s, want %s", letters([]db.Digest{current}), letters(got), letters(want))
				}
			},
		})
	})
}
