package change

import (
	"slices"
	"time"
)

// Timing is when a step was under way.
type Timing struct {
	Target       Target
	Op           Op
	Began, Ended time.Time
	// After is the place in the result's list of the step that this one waited for
	// last, -1 if it waited for none.
	After int
}

// Took is how long the step took.
func (t Timing) Took() time.Duration { return t.Ended.Sub(t.Began) }

// Slowest returns the n steps that took longest, the slowest first.
func (r Result) Slowest(n int) []Timing {
	list := slices.Clone(r.Timings)
	slices.SortStableFunc(list, func(a, b Timing) int { return int(b.Took() - a.Took()) })
	return list[:min(n, len(list))]
}

// CriticalPath returns the steps of which each began when the one before had ended,
// up to the one that ended last: what has to be faster for the whole to be faster.
// Waiting for a limit of parallelism is not part of it.
func (r Result) CriticalPath() []Timing {
	var path []Timing
	for i := len(r.Timings) - 1; i >= 0; i = r.Timings[i].After {
		path = append(path, r.Timings[i])
	}
	slices.Reverse(path)
	return path
}
