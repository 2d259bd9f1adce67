package tree_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"strata/live"
	"strata/live/change"
	"strata/live/journal"
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
	for more(after, before) != "" && time.Now().Before(end) {
		runtime.Gosched()
		after = tr.holdings()
	}
	if what := more(after, before); what != "" {
		t.Errorf("after %d transitions there are more %s", moved, what)
	}
}

// more says of what there is more than before.
func more(after, before map[string]int) string {
	var all []string
	for what, n := range after {
		if n > before[what] {
			all = append(all, fmt.Sprintf("%s: %d, before %d", what, n, before[what]))
		}
	}
	return strings.Join(all, "\n")
}

// holdings says how much is held: goroutines of ours, descriptors, FIFOs in event
// directories.
func (tr *testTree) holdings() map[string]int {
	tr.t.Helper()
	held := map[string]int{
		"goroutines":  runtime.NumGoroutine(),
		"descriptors": descriptors(tr.t, os.Getpid()),
	}
	for _, in := range live.Internals() {
		st, err := s6.ReadStatus(tr.dir.Servicedir(in.Slot))
		if err != nil {
			tr.t.Fatal(err)
		}
		if st.PID != 0 { // the applier runs only for a patch
			held[fmt.Sprintf("descriptors of %s, %d", in.Name, st.PID)] = descriptors(tr.t, st.PID)
		}
	}
	for _, p := range tr.Processes() {
		if strings.HasPrefix(p.Name, "s6-sv") || p.Name == "s6-supervise" {
			held[fmt.Sprintf("descriptors of %s, %d", p.Name, p.PID)] = descriptors(tr.t, p.PID)
		}
	}
	fifos, err := filepath.Glob(filepath.Join(tr.dir.Real(), "sv/*/event/*"))
	if err != nil {
		tr.t.Fatal(err)
	}
	for _, fifo := range fifos {
		held[fifo] = 1
	}
	return held
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

// What a command that was killed has listened with is removed by the next one, even
// where that one has nothing to do: to a service that it was to move, or, at its very
// end, to an internal one that it stopped.
func TestListenersOfKilledCommand(t *testing.T) {
	tr := newTree(t, longrun("a"), longrun("b"))
	tr.must(change.Start, "a")
	check := func(slot live.Slot) {
		t.Helper()
		left := tr.deadListener(slot)
		tr.must(change.Start, "a")
		if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", left, err)
		}
	}
	for _, in := range live.Internals() {
		check(in.Slot)
	}
	w := tr.lock()
	if err := w.Append("rc-ctl start", journal.Run{Op: "start", PID: 1 << 22, Start: 1, Slots: []journal.Slot{tr.slot("a")}}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	check(tr.slot("a"))
}

// deadListener leaves what somebody listened with who was killed.
func (tr *testTree) deadListener(slot live.Slot) (path string) {
	tr.t.Helper()
	events := filepath.Join(tr.dir.Servicedir(slot), "event")
	sub, err := s6.Subscribe(events)
	if err != nil {
		tr.t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(events, "ftrig*"))
	if err != nil || len(names) != 1 {
		tr.t.Fatalf("%q, %v", names, err)
	}
	sub.Close()
	if err := syscall.Mkfifo(names[0], 0o622); err != nil {
		tr.t.Fatal(err)
	}
	return names[0]
}
