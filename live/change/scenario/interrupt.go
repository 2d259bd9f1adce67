package scenario

import (
	"errors"
	"testing"

	"strata/live/change"
)

// Interrupt brings all services up and down, with a signal at each event of a
// command in turn, the first one or the first two, and gives the same command
// again each time: that one does the rest.
func Interrupt(t *testing.T, w World, services []Service) {
	names := Names(services)
	p := newPlayer(t, w, services)
	for _, signals := range []string{"interrupt", "abandon"} {
		for k := 0; p.interrupted(signals, k, names); k++ {
			if t.Failed() {
				t.Fatalf("%s at event %d", signals, k)
			}
		}
	}
}

// interrupted does both commands with the signals at their k-th events. It reports
// false if neither has so many.
func (p *player) interrupted(signals string, k int, names string) bool {
	p.t.Helper()
	found := false
	for _, step := range []Step{{Op: change.Start, Names: names}, {Op: change.Stop, Names: "*"}} {
		events := 0
		step.Each = func() string {
			if events++; events == k+1 {
				found = true
				return signals
			}
			return ""
		}
		for _, f := range p.run(step).Failed {
			if !errors.Is(f, change.ErrInterrupted) && !errors.Is(f, change.ErrAbandoned) {
				p.t.Errorf("with a signal: %v", f)
			}
		}
		step.Each = nil
		if r := p.run(step); !r.OK() {
			p.t.Errorf("%s again: %s: %v", step.Op, Outcome(r), r.Failed)
		}
		p.checkUp()
		want := 0
		if step.Op == change.Start {
			want = len(p.services)
		}
		if len(p.up) != want {
			p.t.Errorf("after %s %d are up, want %d", step.Op, len(p.up), want)
		}
	}
	return found
}
