package cli

import (
	"os/exec"
	"path/filepath"
	"testing"

	"strata/live/s6/s6test"
)

// TestCompatibilityLive runs, in order, the examples of docs/s6-rc-compat.md that
// need a live directory. In them $LIVE is a live directory of the database
// $WORK/machine, and $SCAN its scan directory.
func TestCompatibilityLive(t *testing.T) {
	scandir := s6test.New(t)
	work := compatWork(t, scandir.Root)
	live := filepath.Join(work, "live")
	call := func(program string, args []string) (int, string) {
		c := exec.Command(program, expand(args, "$WORK", work, "$LIVE", live, "$SCAN", scandir.Dir)...)
		c.Dir = work
		out, _ := c.CombinedOutput()
		return c.ProcessState.ExitCode(), string(out)
	}
	must := func(program string, args ...string) {
		t.Helper()
		if code, out := call(program, args); code != 0 {
			t.Fatalf("%s %q: exit code %d, %s", program, args, code, out)
		}
	}
	for _, name := range []string{"machine", "next", "broken"} {
		must("s6-rc-compile", "$WORK/"+name, "$WORK/machines/"+name)
	}
	must("s6-rc-init", "-c", "$WORK/machine", "-l", "$LIVE", "$SCAN")
	for _, tab := range readCompat(t, compatPage) {
		if tab.what != "exit code" && tab.what != "line" {
			continue
		}
		for _, row := range tab.rows {
			if args := row.example(); args != nil && needsLive(args) {
				row.checkExample(t, tab, call)
			}
		}
	}
}
