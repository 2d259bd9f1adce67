package cli

import (
	"fmt"
	"testing"

	"strata/live/s6/s6test"
)

// A command that has an update applied in the supervision tree is killed at any of its
// changes. The applier, which may have been started by then, does all of the update or
// nothing; what it was not asked for any more, the next command does.
func TestUpdateClientKilled(t *testing.T) { killedClients(t, 10) }

// The same at each of its changes.
func TestLongUpdateClientKilled(t *testing.T) { s6test.Long(t); killedClients(t, 1) }

func killedClients(t *testing.T, each int) {
	for _, s := range append([]scene{mixed}, renames...) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			c := newCrash(t, s)
			runs := 0
			for n := 1 + c.random.IntN(each); !t.Failed(); n += each {
				c.restore()
				point := c.killed(n, "-l", c.live(), "-f", "conv", "new.db")
				if point == "" {
					break
				}
				runs++
				c.killed(never, "-l", c.live(), "-b", "--resume")
				// Looking on ends when nobody is at work or about to be.
				_, _ = c.call(nil, "rc-update", "-l", c.live(), "--attach")
				want := c.before
				if c.state().Content == c.newContent {
					want = c.after
				}
				c.expect(fmt.Sprintf("killed at %s (%d)", point, n), want)
			}
			t.Logf("%d runs", runs)
		})
	}
}
