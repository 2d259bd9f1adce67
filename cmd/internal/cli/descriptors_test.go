package cli

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"strata/live/change/scenario"
)

// A hundred services come up and down with few descriptors, one at a time. With too
// few for even that there is an error that says so and does not speak of damage,
// nothing is moved, and nothing hangs.
func TestFewDescriptors(t *testing.T) {
	usualModes()
	var services []scenario.Service
	for i := range 100 {
		services = append(services, scenario.Service{Name: fmt.Sprintf("s%d", i), Oneshot: i%4 == 0})
	}
	m := newMachine(t, services)
	limited := func(descriptors int, args ...string) (int, string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), "/bin/sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$@"`, descriptors), "sh", filepath.Join(m.bin, "strata"))
		c.Args, c.Dir = append(c.Args, args...), m.Root
		out, _ := c.CombinedOutput()
		return c.ProcessState.ExitCode(), string(out)
	}
	ups := func() (n int) {
		for _, s := range m.state().Services {
			if s.Up {
				n++
			}
		}
		return n
	}
	names := strings.Fields(scenario.Names(services))
	// least finds out with how many descriptors a command does its work. With fewer
	// it does nothing. Go itself needs 5, and more where it watches a control group.
	least := func(args ...string) {
		t.Helper()
		before := ups()
		for n := 8; ; n++ {
			code, out := limited(n, args...)
			switch {
			case code == exitOK && n == 8:
				t.Errorf("%s needs no more than %d descriptors", args[0], n)
			case code == exitOK:
				return
			case code != exitSystem || !strings.Contains(out, "too many open files") || strings.Contains(out, "damaged") || ups() != before || n == 40:
				t.Fatalf("%s with %d descriptors: exit code %d, %d are up\n%s", args[0], n, code, ups(), out)
			}
		}
	}
	least(append([]string{"ctl", "-l", "live", "start"}, names...)...)
	if ups() != len(names) {
		t.Fatalf("%d are up", ups())
	}
	m.steady("start", false)
	m.write(filepath.Join(m.Root, "source", "new.toml"), scenario.Service{Name: "new", Oneshot: true})
	m.must("rc-compile", "-o", "newdb", "source")
	least("update", "-l", "live", "--foreground", "--restart", "s0", "--restart", "s1", "newdb")
	if code, out := limited(40, "ctl", "-l", "live", "change", "-d", "-a"); code != exitOK || ups() != 0 {
		t.Errorf("stop with 40 descriptors: exit code %d, %d are up\n%s", code, ups(), out)
	}
	m.steady("stop", false)
}
