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
func TestUpdateFails(t *testing.T) { failedUpdates(t, 150) }

// The same for each file operation and each error that it can give.
func TestLongUpdateFails(t *testing.T) { s6test.Long(t); failedUpdates(t, 1) }

func failedUpdates(t *testing.T, each int) {
	for _, s := range append([]scene{mixed}, renames...) {
		for _, stays := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, again and again %t", s.name, stays), func(t *testing.T) {
				t.Parallel()
				c := newCrash(t, s)
				turns := map[int]int{} // by number of errors
				for n := 1 + c.random.IntN(each); !t.Failed(); n += each {
					more := 1
					for turn := 0; turn < more && !t.Failed(); turn++ {
						if each > 1 {
							turn = turns[0]
							turns[0]++
						}
						c.restore()
						f := c.failing(n, turn, stays)
						if f.point == "" {
							t.Logf("%d runs", c.runs)
							return
						}
						c.recover(f, (n+turn)%2 == 0)
						if each == 1 {
							more = f.errors
						}
					}
				}
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
	if !slices.Contains([]int{exitOK, exitFailed, exitFailed + exitNotSwitched, exitSystem}, f.code) {
		c.t.Errorf("%s\n%s", f.when, f.out)
	}
	if f.code == exitSystem && !strings.Contains(f.out, f.errno.Error()) {
		c.t.Errorf("%s: it does not say why\n%s", f.when, f.out)
	}
	st := c.state()
	word, want := "--resume", c.after
	if back {
		word, want = "--abort", c.before
	}
	switch switched := st.Content == c.newContent; {
	case st.Patch != nil:
		if f.code != exitSystem || !strings.Contains(f.out, "--resume") {
			c.t.Errorf("%s: it is half applied, and that is not said\n%s", f.when, f.out)
		}
		args := []string{"-l", c.live(), "--foreground", word}
		if code, out := c.call(nil, "rc-update", args...); code != 0 {
			c.t.Errorf("%s, then %s: exit code %d\n%s", f.when, word, code, out)
		}
		f.when += ", then " + word
	case f.code == exitOK && !switched, f.code == exitFailed && !switched, f.code == exitFailed+exitNotSwitched && switched:
		c.t.Errorf("%s: switched %t\n%s", f.when, switched, f.out)
	case switched:
		want = c.after
	default:
		want = c.before
	}
	if f.code == exitFailed || f.code == exitFailed+exitNotSwitched {
		c.t.Logf("%s\n%s", f.when, f.out)
		c.fresh()
		return
	}
	c.expect(f.when+"\n"+f.out, want)
}
