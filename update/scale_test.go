package update

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"strata/live/s6/s6test"
)

// shape is a pair of databases of about n services, made to be hard for a planner
// that looks at something twice.
type shape struct {
	name     string
	old, new func(n int) specs
}

func nth(i int) string { return fmt.Sprintf("s%06d", i) }

// line is services each of which needs the one before.
func line(n int, first string) specs {
	s := specs{nth(0): longrun().with(runs(first))}
	for i := 1; i < n; i++ {
		s[nth(i)] = longrun(nth(i - 1))
	}
	return s
}

// star is services that all need one.
func star(n int, hub string) specs {
	s := specs{nth(0): longrun().with(runs(hub))}
	for i := 1; i < n; i++ {
		s[nth(i)] = longrun(nth(0))
	}
	return s
}

// staircase has a planner find one more restart in each round: odd services need the
// even one before them in the old database, even ones the odd one before them in
// the new one.
func staircase(n int, isNew bool) specs {
	s := specs{}
	for i := range n {
		sp := longrun()
		switch {
		case i > 0 && i%2 == 1 != isNew:
			sp.Deps = []string{nth(i - 1)}
		case i == 0 && isNew:
			sp.Run = "# new"
		}
		s[nth(i)] = sp
	}
	return s
}

// cascade is one service that wants a service which wants the next, and so on.
func cascade(n int, isNew bool) specs {
	s := specs{}
	for i := range n {
		sp := longrun()
		if isNew && i > 0 {
			sp.Wants = []string{nth(i - 1)}
		}
		s[nth(i)] = sp
	}
	return s
}

// renamed moves every name to the next service.
func renamed(n, by int) specs {
	s := specs{}
	for i := range n {
		sp := longrun()
		if by > 0 {
			sp.From = []string{nth(i + n)}
		} else {
			i += n
		}
		s[nth(i)] = sp
	}
	return s
}

var shapes = []shape{
	{"one of many", func(n int) specs { return ladder(n, "") }, func(n int) specs { return ladder(n, nth(n-1)) }},
	{"the first of many", func(n int) specs { return ladder(n, "") }, func(n int) specs { return ladder(n, nth(1)) }},
	{"a line", func(n int) specs { return line(n, "") }, func(n int) specs { return line(n, "# new") }},
	{"a star", func(n int) specs { return star(n, "") }, func(n int) specs { return star(n, "# new") }},
	{"a staircase", func(n int) specs { return staircase(n, false) }, func(n int) specs { return staircase(n, true) }},
	{"wants", func(n int) specs { return cascade(n, false) }, func(n int) specs { return cascade(n, true) }},
	{"all renamed", func(n int) specs { return renamed(n, 0) }, func(n int) specs { return renamed(n, 1) }},
	{"all gone", func(n int) specs { return star(n, "") }, func(int) specs { return specs{"x": longrun()} }},
	{"all new", func(int) specs { return specs{"x": longrun()} }, func(n int) specs { return star(n, "") }},
}

// cost is what a plan takes.
type cost struct {
	actions int
	bytes   uint64
	time    time.Duration
}

// measure plans an update of a shape, with everything up but one service that is
// wanted.
func measure(t *testing.T, s shape, n int) cost {
	t.Helper()
	old, new := s.old(n).view(t), s.new(n).view(t)
	st := upState(old, old.names...)
	if s.name == "wants" {
		st = upState(old, old.names[len(old.names)-1])
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begin := time.Now()
	c, err := diffViews(old, new, Conversions{}, false)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Plan(c, st, Options{Policy: Definition})
	if err != nil {
		t.Fatal(err)
	}
	out := cost{len(p.Actions), 0, time.Since(begin)}
	runtime.ReadMemStats(&after)
	out.bytes = after.TotalAlloc - before.TotalAlloc
	return out
}

// TestL7Growth: the memory that a plan takes, and the patch, grow with the services
// and not with their square. Times are only printed.
func TestL7Growth(t *testing.T) { growth(t, 1000) }

// TestLongL7 is the same with 10,000 and 50,000 services.
func TestLongL7(t *testing.T) {
	s6test.Long(t)
	growth(t, 10_000)
	growth(t, 25_000)
}

// growth plans for n services and for twice as many. It is not for tests that run
// beside others, as it counts all memory.
func growth(t *testing.T, n int) {
	t.Helper()
	for _, s := range shapes {
		one, two := measure(t, s, n), measure(t, s, 2*n)
		for k, c := range []cost{one, two} {
			t.Logf("%-20s %6d services: %6d actions, %6.1f MiB, %v", s.name, n<<k, c.actions, float64(c.bytes)/(1<<20), c.time)
			if most := uint64(n<<k) * (8 << 10); c.bytes > most {
				t.Errorf("%s: %d services take %d bytes, more than %d", s.name, n<<k, c.bytes, most)
			}
		}
		if float64(two.bytes) > 2.6*float64(one.bytes) || float64(two.actions) > 2.1*float64(one.actions) {
			t.Errorf("%s: %+v for %d services, %+v for %d", s.name, one, n, two, 2*n)
		}
	}
}

// TestL15Rounds: the planner ends in at most as many rounds as there are services,
// also where each round finds only one more.
func TestL15Rounds(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 10, 101, 1000} {
		old, new := staircase(n, false).view(t), staircase(n, true).view(t)
		c, err := diffViews(old, new, Conversions{}, false)
		if err != nil {
			t.Fatal(err)
		}
		p, err := newPlan(c, upState(old, old.names...), Options{Policy: Definition})
		if err == nil {
			err = p.prepare()
		}
		if err == nil {
			err = p.decide()
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.t.stop.Len() != n || p.t.rounds < n/2 || p.t.rounds > n {
			t.Errorf("%d services: %d stop, in %d rounds", n, p.t.stop.Len(), p.t.rounds)
		}
	}
}
