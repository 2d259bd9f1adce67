package update

import (
	"fmt"
	"path/filepath"
	"testing"

	"strata/compile/db"
)

// ladder is a set of n services, each of which needs three of the ten before it.
func ladder(n int, changed string) specs {
	s := specs{}
	for i := range n {
		sp := longrun()
		if i%4 == 0 {
			sp = oneshot()
		}
		for k := 1; k <= 3; k++ {
			if j := i - k*k; j >= 0 && i%50 != 0 {
				sp.Deps = append(sp.Deps, nth(j))
			}
		}
		if nth(i) == changed {
			sp.Run = "# new"
		}
		s[nth(i)] = sp
	}
	return s
}

func open(t testing.TB, s specs) *db.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	if _, err := db.Write(path, s.model(t), db.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	d, err := db.OpenLive(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// BenchmarkPlan plans an empty update, and one of a single service on which
// nothing depends, with everything up.
func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		old := open(b, ladder(n, ""))
		st := State{Up: make([]bool, n), Stopped: make([]bool, n)}
		for i := range st.Up {
			st.Up[i] = true
		}
		for _, c := range []struct {
			name string
			new  *db.DB
		}{{"empty", open(b, ladder(n, ""))}, {"one", open(b, ladder(n, fmt.Sprintf("s%06d", n-1)))}} {
			for _, policy := range []Policy{Definition, Identity} {
				b.Run(fmt.Sprintf("%s/%d/%s", c.name, n, policy), func(b *testing.B) {
					for b.Loop() {
						changes, err := Diff(old, c.new, Conversions{})
						if err != nil {
							b.Fatal(err)
						}
						if _, err := Plan(changes, st, Options{Policy: policy}); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
