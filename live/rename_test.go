package live

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// TestRenameSteps gives random permutations of names and plays the steps.
func TestRenameSteps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"a", "b", "c", "d", "e", "f"}
		from := rapid.Permutation(names).Draw(t, "from")
		to := rapid.Permutation(names).Draw(t, "to")
		n := rapid.IntRange(0, len(names)).Draw(t, "how many")
		var moves []move
		at, want := map[string]Slot{}, map[string]Slot{}
		for i := range n {
			slot := Slot(i + 1)
			moves = append(moves, move{from[i], to[i]})
			at[from[i]], want[to[i]] = slot, slot
		}
		for _, s := range renameSteps(moves) {
			who, known := at[s.from]
			switch other, taken := at[s.to]; {
			case !known:
				t.Fatalf("step %+v: nobody has the name", s)
			case taken != s.exchange:
				t.Fatalf("step %+v: the new name is taken: %t", s, taken)
			case s.exchange:
				at[s.from], at[s.to] = other, who
			default:
				delete(at, s.from)
				at[s.to] = who
			}
		}
		if !reflect.DeepEqual(at, want) {
			t.Fatalf("in the end %v, want %v", at, want)
		}
	})
}
