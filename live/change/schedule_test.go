package change_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"strata/live/change"
	"strata/live/change/fake"
)

// Each service begins at the very moment at which the last of what it waits for has
// ended, on one processor and on many, and the order is the same each time.
func TestL13Schedules(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt, t)
		took := map[string]time.Duration{}
		for i, name := range w.names {
			w.states[i].Up = false
			// No two sums of these are the same, so that no two moments are.
			took[name] = 1<<i*time.Second + time.Duration(rapid.IntRange(0, 1).Draw(rt, "more"))*time.Millisecond
			w.targets[i].TimeoutUp = 0
		}
		var first []string
		for _, procs := range []int{1, runtime.NumCPU(), 1} {
			order, wrong := w.timed(t, procs, took)
			if first == nil {
				first = order
			}
			if wrong != "" || !slices.Equal(order, first) {
				rt.Fatalf("on %d processors: %s\n%q, and before %q", procs, wrong, order, first)
			}
		}
	})
}

// timed starts all services, and gives the order in which they were begun, and what
// is wrong with the times.
func (w *world) timed(t *testing.T, procs int, took map[string]time.Duration) (order []string, wrong string) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	w.sup = &fake.Supervisor{Up: map[string]fake.Script{}}
	for name, d := range took {
		w.sup.Up[name] = fake.Script{Delay: d}
	}
	synctest.Test(t, func(t *testing.T) {
		w.prepare()
		ended := map[string]time.Duration{}
		zero := time.Now()
		w.env.Observe = func(e change.Event) {
			switch e.Kind {
			case change.Began:
				order = append(order, e.Target.Name)
				var last time.Duration
				id := e.Target.ID
				for _, d := range slices.Concat(w.graphs.Needs.Out(id), w.graphs.Soft.Out(id)) {
					last = max(last, ended[w.names[d]])
				}
				if now := time.Since(zero); now != last {
					wrong = fmt.Sprintf("%s began at %v, and could at %v", e.Target.Name, now, last)
				}
			case change.Done:
				ended[e.Target.Name] = time.Since(zero)
			}
		}
		r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.allIDs()})
		if !r.OK() || len(order) != len(w.names) {
			wrong = fmt.Sprintf("%d of %d began: %s", len(order), len(w.names), w.failures(r))
		}
	})
	return order, wrong
}
