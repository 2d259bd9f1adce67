package live_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
)

// TestObserved moves longruns by other means than a command of ours, while none is
// there to see it: the next reader says so, the next writer writes it down and
// believes it from then on.
func TestObserved(t *testing.T) {
	tr := newTree(t)
	finish := func(s *db.Service, b db.Blobs) {
		s.Finish = db.Program{Form: db.Script, Script: b.Add([]byte("#!/bin/sh\ntest $1 -ne 3 || exit 125\n"))}
	}
	// It ends with 3 once it may read a line.
	mortal := "#!/bin/sh\nread x <data/go\nexit 3\n"
	mortally := func(s *db.Service, b db.Blobs) {
		finish(s, b)
		s.Files = []db.Entry{
			{Path: "data", Kind: db.Directory, Mode: 0o755},
			{Path: "data/go", Kind: db.FIFO, Mode: 0o600},
		}
	}
	d := tr.init(writeDB(
		t, filepath.Join(tr.Root, "db"),
		longrun("stopped"), longrun("started"), longrun("orphan"), longrun("renewed"), longrun("crashes"),
		definition{name: "finished", run: sleeper, change: finish},
		definition{name: "gives-up", run: mortal, change: mortally},
	))
	w := lock(t, d)
	defer w.Close()
	slots := make(map[string]live.Slot)
	pids := make(map[string]int)
	for _, s := range state(t, d).Services {
		slots[s.Name] = s.Slot
		if s.Name != "started" {
			pids[s.Name] = start(t, w, s.Slot, db.Digest{1})
			if err := s6.UnmarkDown(d.Servicedir(s.Slot)); err != nil {
				t.Fatal(err)
			}
		}
	}
	dir := func(name string) string { return d.Servicedir(slots[name]) }
	wait := func(name string, goal s6.Goal, commands ...s6.Command) s6.Status {
		t.Helper()
		st, err := s6.WaitFor(t.Context(), dir(name), goal, commands...)
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	wait("stopped", s6.GoalDownReady(), s6.CmdDown)
	wait("started", s6.GoalUp(), s6.CmdUp)
	wait("finished", s6.GoalDownReady(), s6.CmdDown)
	wait("crashes", s6.GoalStatus("restarted", func(st s6.Status) bool { return st.Up() && st.PID != pids["crashes"] }), s6.CmdKill)
	if err := os.WriteFile(filepath.Join(dir("gives-up"), "data/go"), []byte("\n"), 0); err != nil {
		t.Fatal(err)
	}
	wait("gives-up", s6.GoalStatus("given up", func(st s6.Status) bool { return st.DownReady() && !st.WantUp }))
	// A supervisor that comes in the place of another starts nothing with a file down.
	if err := s6.MarkDown(dir("renewed")); err != nil {
		t.Fatal(err)
	}
	comes := nextSupervisor(t, dir("renewed"))
	killSupervisor(t, dir("renewed"))
	comes()
	// Nobody comes in the place of this one.
	if err := unix.Kill(tr.PID(), unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Kill(tr.PID(), unix.SIGCONT) })
	killSupervisor(t, dir("orphan"))
	for _, name := range []string{"orphan", "renewed"} {
		defer func() { _ = unix.Kill(pids[name], unix.SIGKILL) }()
	}

	want := map[string]struct {
		up, starting, observed bool
		text                   string
	}{
		"stopped":  {false, false, true, "found down: signal SIGTERM"},
		"started":  {true, false, true, "found running"},
		"orphan":   {false, true, true, "its supervisor is gone, and process PID, which it had started, runs on"},
		"renewed":  {false, false, true, "found not started: its supervisor is a new one"},
		"crashes":  {true, false, false, ""},
		"finished": {false, false, true, "found down: signal SIGTERM, and its finish gave it up or somebody stopped it"},
		"gives-up": {false, false, true, "found down: exit 3, and its finish gave it up or somebody stopped it"},
	}
	check := func(when string, s *live.State, noted bool) {
		t.Helper()
		for _, sv := range s.Services {
			x := want[sv.Name]
			if sv.Up != x.up || sv.Starting != x.starting || sv.Observed != (x.observed && !noted) {
				t.Errorf("%s: %s is %+v", when, sv.Name, sv)
			}
			text := strings.ReplaceAll(sv.Found+sv.Noted, strconv.Itoa(pids[sv.Name]), "PID")
			if text != x.text {
				t.Errorf("%s: %s: %q, want %q", when, sv.Name, text, x.text)
			}
			if sv.Supervised && sv.Since.IsZero() || time.Until(sv.Since) > time.Minute {
				t.Errorf("%s: %s since %v", when, sv.Name, sv.Since)
			}
		}
	}
	before := state(t, d)
	check("found", before, false)
	check("by the writer", state(t, w), false)
	check("noted", state(t, d), true)
	for i, sv := range state(t, d).Services {
		if old := before.Services[i]; sv.Supervised && !sv.Since.Equal(old.Since) {
			t.Errorf("%s has moved at %v, and when it was noted at %v", sv.Name, old.Since, sv.Since)
		}
	}
	for name, x := range want {
		if j := w.Journal().Services[slots[name]]; j.Up != x.up || j.Permanent || j.Observed == "" == x.observed {
			t.Errorf("the journal has %s as %+v", name, j)
		}
	}
	records, err := journal.Read(d.JournalPath())
	if last := records[len(records)-1]; err != nil || last.Kind() != journal.KindObserved || last.Cause != "observed" {
		t.Errorf("last record %+v, %v", last, err)
	}
}
