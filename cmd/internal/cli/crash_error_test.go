package cli

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"strata/internal/syspoint"
	"strata/live/s6/s6test"
)

// An update of which a file operation fails, once or from then on, says so and what it
// has done, and what is left half applied can be gone on with, and taken back.
func TestUpdateFails(t *testing.T) { failedUpdates(t, 60) }

// The same for each file operation, and if it fails once for each error that it can give.
func TestLongUpdateFails(t *testing.T) { s6test.Long(t); failedUpdates(t, 1) }

func failedUpdates(t *testing.T, each int) {
	for _, s := range append([]scene{mixed}, renames...) {
		for _, stays := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, again and again %t", s.name, stays), func(t *testing.T) {
				t.Parallel()
				c := newCrash(t, s)
				each := c.stride(each)
				for n, turn := 1+c.random.IntN(each), 0; !t.Failed(); {
					c.restore()
					f := c.failing(n, turn, stays)
					if f.point == "" {
						break
					}
					c.recover(f, (n+turn)%2 == 0)
					// With errors that stay the next point has the next error. The n-th operation is
					// not the same in every run, and can have fewer errors than in the one before.
					turn++
					if one := each > 1 || stays; one || turn >= f.errors {
						n += each
						if !one {
							turn = 0
						}
					}
				}
				t.Logf("%d points, %d runs", c.operations, c.runs)
			})
		}
	}
}

// failure is an update of which something failed.
type failure struct {
	when, point string
	errno       unix.Errno
	errors      int // that the operation can give
	code        int
	out         string
}

// failing updates and has the n-th file operation fail, and with stays those after it,
// as far as they can.
func (c *crash) failing(n, turn int, stays bool) (f failure) {
	c.t.Helper()
	c.runs++
	f.code, f.out = c.watched(func(p syspoint.Point) syspoint.Verdict {
		errs := p.Errors()
		switch {
		case len(errs) == 0:
			return syspoint.Pass()
		case f.point != "" && stays && slices.Contains(errs, f.errno):
			return syspoint.Fail(f.errno)
		}
		if n--; n != 0 {
			return syspoint.Pass()
		}
		f.point, f.errors = c.pointName(p), len(errs)
		f.errno = errs[turn%len(errs)]
		return syspoint.Fail(f.errno)
	}, c.update()...)
	f.when = fmt.Sprintf("%s: %v (again and again: %t): exit code %d", f.point, f.errno, stays, f.code)
	c.say("%s", f.when)
	return f
}

// recover checks what the failed update said and has left, and brings the machine to
// one of the two ends.
func (c *crash) recover(f failure, back bool) {
	c.t.Helper()
	switch {
	case slices.Contains([]int{exitOK, exitFailed, exitFailed + exitNotSwitched}, f.code):
	case f.code == exitSystem && strings.Contains(f.out, f.errno.Error()):
	case f.code == exitInvalid && strings.Contains(f.out, f.errno.Error()) && strings.Contains(f.out, "is damaged"):
	default:
		c.t.Errorf("%s\n%s", f.when, f.out)
	}
	st := c.state()
	word, want, end := "--resume", c.after, exitOK
	switch {
	case back:
		word, want = "--abort", c.before
	case st.Patch != nil && st.Patch.Aborting: // it was given up
		want, end = c.before, exitFailed+exitNotSwitched
	}
	switch switched := st.Content == c.newContent; {
	case st.Patch != nil:
		if f.code != exitSystem || !strings.Contains(f.out, "--resume") {
			c.t.Errorf("%s: it is half applied, and that is not said\n%s", f.when, f.out)
		}
		args := []string{"-l", c.live(), "--foreground", word}
		if code, out := c.call(nil, "rc-update", args...); code != end {
			c.t.Errorf("%s, then %s: exit code %d\n%s", f.when, word, code, out)
		}
		f.when += ", then " + word
	case f.code == exitOK && !switched, f.code == exitFailed && !switched, f.code == exitFailed+exitNotSwitched && switched:
		c.t.Errorf("%s: switched %t\n%s", f.when, switched, f.out)
	default:
		// What could not be removed then can be now.
		if code, out := c.call(nil, "rc-update", "-l", c.live(), "--foreground", "--resume"); code != exitUsage {
			c.t.Errorf("%s, then --resume: exit code %d\n%s", f.when, code, out)
		}
		base := "old.db"
		if want = c.before; switched {
			base, want = "new.db", c.after
		}
		c.must("rc-update", "-l", c.live(), "--foreground", base)
	}
	if f.code == exitFailed || f.code == exitFailed+exitNotSwitched {
		c.fresh() // what was not started is no matter of the update any more
		return
	}
	c.expect(f.when+"\n"+f.out, want)
}
