package suggest_test

import (
	"fmt"
	"slices"
	"testing"

	"strata/internal/suggest"
)

func TestNearest(t *testing.T) {
	keys := []string{"needs", "wants", "after", "before", "timeout-up", "timeout-down", "run"}
	for _, c := range []struct{ word, want string }{
		{"need", "needs"},
		{"neesd", "needs"},
		{"timout-up", "timeout-up"},
		{"timeoutdown", "timeout-down"},
		{"rn", "run"},
		{"completely-else", ""},
		{"", ""},
		{"x", ""},
	} {
		if got := suggest.Nearest(c.word, slices.Values(keys)); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.word, got, c.want)
		}
	}
}

func TestNearestPrefersByteOrder(t *testing.T) {
	for _, order := range [][]string{{"abd", "abe"}, {"abe", "abd"}} {
		if got := suggest.Nearest("abc", slices.Values(order)); got != "abd" {
			t.Errorf("Nearest over %v = %q, want abd", order, got)
		}
	}
}

func ExampleNearest() {
	fmt.Println(suggest.Nearest("need", slices.Values([]string{"needs", "wants"})))
	// Output: needs
}
