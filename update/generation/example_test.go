package generation_test

import (
	"fmt"
	"time"

	"strata/compile/db"
	"strata/update/generation"
)

// Three generations are installed, one is gone back from, and another one comes.
func ExampleHistory() {
	a, b, c, d := db.Digest{1}, db.Digest{2}, db.Digest{3}, db.Digest{4}
	var h generation.History
	current := db.Digest{}
	for _, to := range []db.Digest{a, b, c} {
		h = h.Advance(current, to, time.Now())
		current = to
	}
	current, err := h.Back(current, 1)
	fmt.Println(current == b, err)
	h = h.Advance(current, d, time.Now())
	fmt.Println(h.Before(d)[0] == b)
	fmt.Println(h.Surplus([]db.Digest{a, b, c, d}, d, nil, 3)[0] == c)
	// Output:
	// true <nil>
	// true
	// true
}
