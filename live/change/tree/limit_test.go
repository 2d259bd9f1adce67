package tree_test

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"strata/live"
	"strata/live/change"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// limitFiles gives s6-svscan a hard limit of open files.
func limitFiles(n int) s6test.Option {
	return func(c *exec.Cmd) {
		c.Path = "/bin/sh"
		c.Args = append([]string{"sh", "-c", `ulimit -n "$0" && exec "$@"`, strconv.Itoa(n)}, c.Args...)
	}
}

// chain is n longruns that do nothing, each of which feeds the next.
func chain(n int) []definition {
	defs := make([]definition, n)
	for i := range defs {
		defs[i] = ready(fmt.Sprintf("c%04d", i))
		if i > 0 {
			defs[i].feeds = fmt.Sprintf("c%04d", i-1)
		}
	}
	return defs
}

// TestL32OpenFiles has one pipe more than the limit of open files allows. Init
// warns; the engine and the log say what the limit is, and nothing is started.
func TestL32OpenFiles(t *testing.T) {
	const limit, room = 370, 17
	if _, err := live.HolderRoom(room, limit); err != nil {
		t.Fatal(err)
	}
	tr := newTreeIn(t, s6test.New(t, limitFiles(limit), s6test.MaxServices(100)), chain(room+2)...)
	want := fmt.Sprintf("%d pipes are too many for the fd-holder: it needs 372 descriptors, and RLIMIT_NOFILE allows it %d: start s6-svscan with a hard limit of 372 or more (ulimit -H -n 372)",
		room+1, limit)
	if len(tr.warnings) != 1 || tr.warnings[0] != want {
		t.Errorf("warnings of init: %q", tr.warnings)
	}
	r := tr.run(change.Request{Op: change.Start}, fmt.Sprintf("c%04d", room+1))
	if len(r.Done) != 0 || len(r.Failed) != 1 || r.Failed[0].Err.Error() != want || len(r.Skipped) != room+1 {
		t.Errorf("%+v", r)
	}
	if log := tr.Log(); !strings.Contains(log, want) || strings.Count(log, want) != 1 {
		t.Error("the log says something else")
	}
	st, err := s6.ReadStatus(tr.dir.Servicedir(live.HolderSlot))
	if err != nil || st.PID != 0 || st.WantUp {
		t.Errorf("the holder: %+v, %v", st, err)
	}
	if got := tr.ups(); got != "" {
		t.Errorf("up: %s", got)
	}
}

// With exactly as many pipes as the limit allows all of them work.
func TestL32OpenFilesSuffice(t *testing.T) {
	const limit, room = 370, 17
	tr := newTreeIn(t, s6test.New(t, limitFiles(limit), s6test.MaxServices(100)), chain(room+1)...)
	tr.must(change.Start, fmt.Sprintf("c%04d", room))
	if len(tr.warnings) != 0 || strings.Contains(tr.Log(), "fd-holder") {
		t.Errorf("warnings %q", tr.warnings)
	}
}
