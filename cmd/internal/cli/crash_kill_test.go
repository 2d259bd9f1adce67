package cli

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"strata/live/s6/s6test"
)

// An update that is killed at any of its changes, and then gone on with or taken back,
// in which that is killed once too, ends as if nothing had been, or had not begun. No
// process that the patch does not name is another one, and nothing is left.
func TestUpdateKilled(t *testing.T) { killedUpdates(t, 20) }

// The same at each of its changes.
func TestLongUpdateKilled(t *testing.T) { s6test.Long(t); killedUpdates(t, 1) }

func killedUpdates(t *testing.T, each int) {
	for _, s := range append([]scene{mixed}, renames...) {
		for _, back := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, taken back %t", s.name, back), func(t *testing.T) {
				t.Parallel()
				c := newCrash(t, s)
				each := c.stride(each)
				for n := 1 + c.random.IntN(each); !t.Failed(); n += each {
					c.restore()
					point := c.killed(n, c.update()...)
					if point == "" {
						break
					}
					c.settle(fmt.Sprintf("killed at %s (%d)", point, n), n, back)
				}
				t.Logf("%d points, %d runs", c.total, c.runs)
			})
		}
	}
}

// never is the number of a change that no command makes.
const never = math.MaxInt

// settle goes on with an update that was killed, or takes it back, at the second try.
func (c *crash) settle(when string, n int, back bool) {
	c.t.Helper()
	c.runs++
	word, want := "--resume", c.after
	if back {
		word, want = "--abort", c.before
	}
	args := []string{"-l", c.live(), "--foreground", word}
	begun := c.state().Patch != nil
	if point := c.killed(1+c.random.IntN(max(c.total-n, 0)+20), args...); point != "" {
		c.runs++
		when += fmt.Sprintf(", and %s at %s", word, point)
		c.killed(never, args...)
	}
	if !begun { // not yet, or not any more
		want = c.before
		if c.state().Content == c.newContent {
			want = c.after
		}
	}
	c.expect(when, want)
}

// expect looks for anything that is not as it should be.
func (c *crash) expect(when string, want picture) {
	c.t.Helper()
	c.same(when, want, c.takePicture())
	stay := c.stay
	if slices.Equal(want, c.before) {
		stay = map[string]string{}
		for _, old := range c.stay {
			stay[old] = old
		}
	}
	c.stays(when, stay)
	c.nothingLeft(when, false)
}
