package change_test

import (
	"fmt"
	"runtime/debug"
	"slices"
	"testing"
	"testing/synctest"

	"strata/live/change"
	"strata/live/change/fake"
)

const big = 10000

// chain gives services each of which needs the next.
func chain() []string {
	lines := make([]string, big)
	for i := range lines {
		lines[i] = fmt.Sprintf("s%d: s%d", i, i+1)
	}
	return append(lines[:big-1], fmt.Sprintf("s%d:", big-1))
}

// fan gives services that all need the last one.
func fan() []string {
	lines := make([]string, big)
	for i := range lines {
		lines[i] = fmt.Sprintf("s%d: s%d", i, big-1)
	}
	return append(lines[:big-1], fmt.Sprintf("s%d:", big-1))
}

// pipelines gives 2,000 pipelines of five services: each needs what it feeds.
func pipelines() []string {
	lines := chain()
	for i := 4; i < big; i += 5 {
		lines[i] = fmt.Sprintf("s%d:", i)
	}
	return lines
}

// smallStacks ends the test program if a stack grows beyond what 10,000 calls
// within each other need at the very least.
func smallStacks(t *testing.T) {
	old := debug.SetMaxStack(32 * big)
	t.Cleanup(func() { debug.SetMaxStack(old) })
}

// Sets of 10,000 services of the extreme shapes take no recursion: up, and down
// again, and with a failure at the bottom that all of them have to hear of.
func TestL16Deep(t *testing.T) {
	for name, lines := range map[string][]string{"chain": chain(), "fan": fan(), "pipelines": pipelines()} {
		t.Run(name, func(t *testing.T) {
			smallStacks(t)
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, lines...)
				w.env.Observe = nil
				r := w.run(t.Context(), change.Request{Op: change.Start, Names: w.allIDs()})
				if !r.OK() || len(r.Done) != big {
					t.Fatalf("%d are up; %s", len(r.Done), w.failures(r))
				}
				w.checkOrder(r.Done)
				for i := range w.states {
					w.states[i].Up = true
				}
				if r = w.run(t.Context(), change.Request{Op: change.Stop, Live: true}); !r.OK() || len(r.Done) != big {
					t.Fatalf("%d are down; %s", len(r.Done), w.failures(r))
				}
				slices.Reverse(r.Done)
				w.checkOrder(r.Done)
				for i := range w.states {
					w.states[i].Up = false
				}
				last := w.names[big-1]
				w.sup.Up[last] = fake.Script{Err: errBroken}
				r = w.run(t.Context(), change.Request{Op: change.Start, Names: w.allIDs()})
				if want := w.closure(last); len(r.Failed) != 1 || len(r.Skipped) != want || len(r.Done) != big-1-want {
					t.Errorf("%d failed, %d were skipped, %d are up; want %d skipped", len(r.Failed), len(r.Skipped), len(r.Done), want)
				}
				for _, s := range r.Skipped {
					if s.Because != last {
						t.Fatalf("%s was skipped because of %s", s.Target.Name, s.Because)
					}
				}
			})
		})
	}
}

// checkOrder says whether each service comes after what it needs.
func (w *world) checkOrder(order []change.ID) {
	w.t.Helper()
	place := make([]int, len(w.names))
	for i, id := range order {
		place[id] = i
	}
	for _, id := range order {
		for _, to := range w.graphs.Needs.Out(id) {
			if place[to] > place[id] {
				w.t.Fatalf("%s comes before %s, which it needs", w.names[id], w.names[to])
			}
		}
	}
}

// closure counts the services that need one, near and far.
func (w *world) closure(name string) int {
	queue := []change.ID{w.id(name)}
	seen := map[change.ID]bool{queue[0]: true}
	for len(queue) > 0 {
		for _, id := range w.graphs.Needs.In(queue[0]) {
			if !seen[id] {
				seen[id] = true
				queue = append(queue, id)
			}
		}
		queue = queue[1:]
	}
	return len(seen) - 1
}
