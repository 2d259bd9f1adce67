package cli

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"strata/live/change/scenario"
)

// A hundred services come up and down with few descriptors, a part of them at a
// time. With too few for even that there is an error that says so and does not
// speak of damage, nothing is moved, and nothing hangs.
func TestFewDescriptors(t *testing.T) {
	usualModes()
	var services []scenario.Service
	for i := range 100 {
		services = append(services, scenario.Service{Name: fmt.Sprintf("s%d", i), Oneshot: i%4 == 0})
	}
	m := newMachine(t, services)
	limited := func(descriptors int, args ...string) (int, string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), "/bin/sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$@"`, descriptors), "sh", filepath.Join(m.bin, "rc-ctl"), "-l", "live")
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
	// Go itself needs 8. From 15 on all goes well.
	for n := 8; n < 14; n++ {
		code, out := limited(n, append([]string{"start"}, names...)...)
		if code != exitSystem && code != exitFailed || !strings.Contains(out, "too many open files") || strings.Contains(out, "damaged") || ups() > 0 {
			t.Errorf("with %d descriptors: exit code %d, %d are up\n%s", n, code, ups(), out)
		}
	}
	for _, step := range []struct {
		args []string
		want int
	}{{append([]string{"start"}, names...), len(names)}, {[]string{"change", "-d", "-a"}, 0}} {
		if code, out := limited(40, step.args...); code != exitOK || ups() != step.want {
			t.Errorf("%s with 40 descriptors: exit code %d, %d are up\n%s", step.args[0], code, ups(), out)
		}
		m.steady(step.args[0], false)
	}
}
