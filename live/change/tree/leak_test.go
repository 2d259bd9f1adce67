package tree_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"strata/live"
	"strata/live/change"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

func TestTransitionsLeaveNothing(t *testing.T) { transitions(t, 20, 3) }

func TestLongTransitionsLeaveNothing(t *testing.T) {
	s6test.Long(t)
	transitions(t, 100, 50)
}

// transitions brings n services of all kinds up and down, again and again, in this
// one process, and counts what it holds, and what those hold that go on meanwhile,
// before and after.
func transitions(t *testing.T, n, times int) {
	// The anchor stays up, and the internal services with it.
	defs := []definition{longrun("anchor", "anchor-one", "anchor-log"), oneshot("anchor-one", "exit 0"), longrun("anchor-log")}
	defs[0].feeds = "anchor-log"
	var names []string
	for i := range n {
		d := oneshot(fmt.Sprintf("s%d", i), "exit 0")
		switch i % 4 {
		case 1:
			d = longrun(d.name)
		case 2:
			d = ready(d.name)
		case 3:
			d = longrun(d.name)
			d.feeds = names[i-2]
		}
		if d.feeds == "" && i > 0 {
			d.needs = []string{names[i/2]}
		}
		d.down = d.up
		names = append(names, d.name)
		defs = append(defs, d)
	}
	tr := newTree(t, defs...)
	tr.must(change.Start, "anchor")
	all := strings.Join(names, " ")
	cycle := func() int {
		up, down := tr.must(change.Start, all), tr.must(change.Stop, all)
		return len(up.Done) + len(down.Done)
	}
	cycle()
	before, moved := tr.holdings(), 0
	for range times {
		moved += cycle()
	}
	if moved != 2*n*times {
		t.Errorf("%d transitions, want %d", moved, 2*n*times)
	}
	// What has done its work may not have ended yet: a goroutine, or another
	// process's end of a connection.
	end := time.Now().Add(s6test.Limit)
	after := tr.holdings()
	for after != before && time.Now().Before(end) {
		runtime.Gosched()
		after = tr.holdings()
	}
	if after != before {
		t.Errorf("before %d transitions\n%s\nafter\n%s", moved, before, after)
	}
}

// holdings says how much is held: goroutines of ours, descriptors, FIFOs in event
// directories.
func (tr *testTree) holdings() string {
	tr.t.Helper()
	lines := []string{
		fmt.Sprintf("%d goroutines", runtime.NumGoroutine()),
		fmt.Sprintf("%d descriptors", descriptors(tr.t, os.Getpid())),
	}
	for _, in := range live.Internals() {
		st, err := s6.ReadStatus(tr.dir.Servicedir(in.Slot))
		if err != nil {
			tr.t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%d descriptors of %s, %d", descriptors(tr.t, st.PID), in.Name, st.PID))
	}
	for _, p := range tr.Processes() {
		if strings.HasPrefix(p.Name, "s6-sv") || p.Name == "s6-supervise" {
			lines = append(lines, fmt.Sprintf("%d descriptors of %s, %d", descriptors(tr.t, p.PID), p.Name, p.PID))
		}
	}
	fifos, err := filepath.Glob(filepath.Join(tr.dir.Real(), "sv/*/event/*"))
	if err != nil {
		tr.t.Fatal(err)
	}
	slices.Sort(lines)
	return strings.Join(append(lines, fifos...), "\n")
}

// descriptors counts what a process has open.
func descriptors(t testing.TB, pid int) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
