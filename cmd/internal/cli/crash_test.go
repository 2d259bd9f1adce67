package cli

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"strata/compile/db"
	"strata/internal/syspoint"
	"strata/live"
	"strata/live/s6/s6test"
)

// crash is a machine on which one update is disturbed again and again.
type crash struct {
	*machine
	scene
	random        *rand.Rand
	lives         int
	before, after picture
	newContent    db.Digest
	pids          map[string]int // before the update
	total         int            // changes of an update that nothing disturbs
	operations    int            // its file operations that can fail
	runs          int            // of commands that something happened to
}

func newCrash(t *testing.T, s scene) *crash {
	t.Helper()
	if err := syspoint.Unsupported(); err != nil {
		t.Skipf("needs seccomp: %v", err)
	}
	usualModes()
	c := &crash{machine: bareMachine(t, s6test.New(t)), scene: s, random: rand.New(rand.NewPCG(1, 2))}
	for name, source := range map[string]map[string]string{"first": s.first, "old": s.old, "new": s.new} {
		if source == nil {
			continue
		}
		for service, text := range source {
			c.file(filepath.Join(name, service+".toml"), text)
		}
		c.must("rc-compile", "-o", name+".db", name)
	}
	c.file("conv", s.conv)
	c.file("back", s.back)
	// The update as it should be.
	c.fresh()
	if code, out := c.watched(func(p syspoint.Point) syspoint.Verdict {
		if p.Changes() {
			c.total++
		}
		if len(p.Errors()) > 0 {
			c.operations++
		}
		return syspoint.Pass()
	}, c.update()...); code != 0 {
		t.Fatalf("the update: exit code %d\n%s", code, out)
	}
	c.after, c.newContent = c.takePicture(), c.state().Content
	c.stays("undisturbed", c.stay)
	return c
}

func (c *crash) file(path, text string) {
	c.t.Helper()
	path = filepath.Join(c.Root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// update is the command line of the update.
func (c *crash) update() []string {
	return []string{"-l", c.live(), "--foreground", "-f", "conv", "new.db"}
}

func (c *crash) live() string { return fmt.Sprintf("live%d", c.lives) }

// stride is how far apart the points are that are tried, if of a small update it is
// each: of a large one there are more, and each takes longer.
func (c *crash) stride(each int) int {
	const small = 200
	if each == 1 || c.total < small {
		return each
	}
	const further = 5
	return further * each
}

// fresh begins with a new live directory.
func (c *crash) fresh() {
	c.t.Helper()
	if c.dir != nil {
		c.away()
	}
	c.lives++
	begin := "old.db"
	if c.first != nil {
		begin = "first.db"
	}
	c.must("rc-init", "-c", begin, "-l", filepath.Join(c.Root, c.live()), "-p", fmt.Sprintf("p%d-", c.lives), c.Dir)
	d, err := live.Open(filepath.Join(c.Root, c.live()))
	if err != nil {
		c.t.Fatal(err)
	}
	c.dir = d
	c.must("rc-ctl", append([]string{"-l", c.live(), "start"}, c.start...)...)
	if c.first != nil {
		c.must("rc-update", "-l", c.live(), "--foreground", "old.db")
	}
	p := c.takePicture()
	if c.before != nil {
		c.same("a new live directory", c.before, p)
	}
	c.before = p
	c.pids = c.processes()
}

// away takes the live directory away.
func (c *crash) away() {
	c.t.Helper()
	w, err := c.dir.Lock(c.t.Context(), false)
	if err != nil {
		c.t.Fatal(err)
	}
	var list []live.Named
	for _, in := range live.Internals() {
		list = append(list, live.Named(in))
	}
	for _, e := range w.Journal().Table {
		if e.Type == db.Longrun {
			list = append(list, live.Named{Name: e.Name, Slot: e.Slot})
		}
	}
	if err := w.Unsupervise(c.t.Context(), list); err != nil {
		c.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		c.t.Error(err)
	}
	for _, path := range []string{c.dir.Path(), c.dir.Real()} {
		if err := os.RemoveAll(path); err != nil {
			c.t.Error(err)
		}
	}
}

// back brings the machine to where the update begins.
func (c *crash) restore() {
	c.t.Helper()
	if c.first == nil {
		now := c.takePicture()
		if slices.Equal(c.before, now) {
			c.pids = c.processes()
			return
		}
		if slices.Equal(c.after, now) {
			if code, _ := c.call(nil, "rc-update", "-l", c.live(), "--foreground", "-f", "back", "old.db"); code == 0 && slices.Equal(c.before, c.takePicture()) {
				c.pids = c.processes()
				return
			}
		}
	}
	c.fresh()
}

// processes are those of the longruns that are up.
func (c *crash) processes() map[string]int {
	c.t.Helper()
	pids := map[string]int{}
	for _, s := range c.state().Services {
		if s.Type == db.Longrun && s.Up {
			pids[s.Name] = s.Status.PID
		}
	}
	return pids
}

// stays expects that services have the processes that they had before the update.
func (c *crash) stays(when string, names map[string]string) {
	c.t.Helper()
	now := c.processes()
	for new, old := range names {
		if now[new] == 0 || now[new] != c.pids[old] {
			c.t.Errorf("%s: %s has process %d, and %s had %d", when, new, now[new], old, c.pids[old])
		}
	}
}

func (c *crash) same(when string, want, got picture) {
	c.t.Helper()
	missing, surplus := want.without(got), got.without(want)
	if len(missing)+len(surplus) > 0 {
		c.t.Errorf("%s\nmissing\n  %s\nsurplus\n  %s", when, strings.Join(missing, "\n  "), strings.Join(surplus, "\n  "))
	}
}

// watched runs rc-update and asks what becomes of each of its points. The exit code is
// -1 if it was killed.
func (c *crash) watched(decide func(syspoint.Point) syspoint.Verdict, args ...string) (code int, out string) {
	c.t.Helper()
	log, err := os.CreateTemp(c.Root, "out")
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(c.bin, "rc-update"), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.Root, log, log
	hang := time.AfterFunc(s6test.Limit, func() { cmd.Process.Signal(syscall.SIGQUIT) })
	err = syspoint.Run(cmd, decide)
	if !hang.Stop() {
		c.t.Errorf("rc-update %q hangs", args)
	}
	text, readErr := os.ReadFile(log.Name())
	if err := errors.Join(readErr, os.Remove(log.Name())); err != nil {
		c.t.Fatal(err)
	}
	if cmd.ProcessState == nil {
		c.t.Fatalf("rc-update %q: %v\n%s", args, err, text)
	}
	code = cmd.ProcessState.ExitCode()
	c.say("rc-update %s: %d\n%s", strings.Join(args, " "), code, text)
	return code, string(text)
}

// killed runs rc-update until its n-th change, and gives what that would have been; ""
// if there were fewer, and it ended well.
func (c *crash) killed(n int, args ...string) string {
	c.t.Helper()
	point := ""
	code, out := c.watched(func(p syspoint.Point) syspoint.Verdict {
		if !p.Changes() {
			return syspoint.Pass()
		}
		if n--; n > 0 {
			return syspoint.Pass()
		}
		point = c.pointName(p)
		return syspoint.Kill()
	}, args...)
	switch {
	case point != "" && code == -1:
		c.say("killed at %s", point)
	case point == "" && code == 0:
	case point == "" && code == exitUsage && strings.Contains(out, "no update is under way"):
	default:
		c.t.Errorf("rc-update %q, to be killed at %q: exit code %d\n%s", args, point, code, out)
	}
	return point
}

// pointName is a point with short paths.
func (c *crash) pointName(p syspoint.Point) string {
	return strings.ReplaceAll(p.String(), c.dir.Real()+"/", "")
}
