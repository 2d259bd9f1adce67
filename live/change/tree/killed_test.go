package tree_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/journal"
	"strata/live/s6"
)

// loseSupervisor kills the supervisor of a service, and what it supervised.
// s6-svscan is stopped: until it goes on there is no other.
func (tr *testTree) loseSupervisor(name string) {
	tr.t.Helper()
	svscan := tr.PID()
	if err := syscall.Kill(svscan, syscall.SIGSTOP); err != nil {
		tr.t.Fatal(err)
	}
	tr.t.Cleanup(func() { syscall.Kill(svscan, syscall.SIGCONT) })
	pid := tr.status(name).PID
	tr.killSupervisor(tr.dir.Servicedir(tr.slot(name)))
	if pid != 0 {
		syscall.Kill(-pid, syscall.SIGKILL)
	}
}

// Where no supervisor comes, starts and stops end with an error that says so.
func TestNoSupervisor(t *testing.T) {
	tr := newTree(t, longrun("up"), longrun("down"), longrun("fine"))
	tr.must(change.Start, "up")
	tr.loseSupervisor("up")
	tr.loseSupervisor("down")
	tr.patience = 100 * time.Millisecond
	r := tr.run(change.Request{Op: change.Start}, "down fine")
	if len(r.Failed) != 1 || !errors.Is(r.Failed[0], tree.ErrNoSupervisor) || len(r.Done) != 1 {
		t.Errorf("start: %+v", r)
	}
	// What the next supervisor will start is not down.
	if st := tr.state("up"); st.Up || !st.Starting {
		t.Errorf("up is up: %t, starting: %t", st.Up, st.Starting)
	}
	r = tr.run(change.Request{Op: change.Stop}, "up down")
	if len(r.Failed) != 1 || !errors.Is(r.Failed[0], tree.ErrNoSupervisor) || r.Failed[0].Target.Name != "up" {
		t.Errorf("stop: %+v", r)
	}
	// The supervisor that comes when s6-svscan goes on does not start what was to stop.
	if err := syscall.Kill(tr.PID(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	tr.patience = 0
	dir := tr.dir.Servicedir(tr.slot("up"))
	if err := s6.AwaitSupervised(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if _, err := s6.WaitFor(t.Context(), dir, s6.GoalDownReady()); err != nil {
		t.Error(err)
	}
	if st := tr.state("up"); st.Up || st.Starting || !st.Status.NotStarted() {
		t.Errorf("%+v", st)
	}
	tr.must(change.Stop, "up")
	tr.must(change.Start, "up")
}

// A supervisor that comes just as a stop has given it up is told all the same. Here it
// is not seen until then, since its lock is elsewhere.
func TestSupervisorComesLate(t *testing.T) {
	tr := newTree(t, longrun("a"))
	tr.must(change.Start, "a")
	dir := tr.dir.Servicedir(tr.slot("a"))
	lock := filepath.Join(dir, "supervise/lock")
	if err := os.Rename(lock, lock+".away"); err != nil {
		t.Fatal(err)
	}
	tr.patience = 100 * time.Millisecond
	r := tr.run(change.Request{Op: change.Stop}, "a")
	if len(r.Failed) != 1 || !errors.Is(r.Failed[0], tree.ErrNoSupervisor) {
		t.Errorf("%+v", r)
	}
	if err := os.Rename(lock+".away", lock); err != nil {
		t.Fatal(err)
	}
	if _, err := s6.WaitFor(t.Context(), dir, s6.GoalDownReady()); err != nil {
		t.Error(err)
	}
	if st := tr.state("a"); st.Up || st.Status.WantUp {
		t.Errorf("%+v", st)
	}
}

// A job that was begun in the journal is not under way any more when the next command
// looks. A runner that was there and does not know it was not asked; one that came
// later knows nothing.
func TestBegunAndKilled(t *testing.T) {
	tr := newTree(t, oneshot("up", "true"), oneshot("down", "true"), oneshot("other", "true"))
	tr.must(change.Start, "up")
	begin := func(name string, phase journal.Phase) {
		w := tr.lock()
		if err := w.Append("test", journal.Begin{Slot: tr.slot(name), Phase: phase}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	tr.pastRunner()
	begin("up", journal.PhaseDown)
	begin("down", journal.PhaseUp)
	tr.must(change.Start, "other")
	for name, up := range map[string]bool{"up": true, "down": false, "other": true} {
		if st := tr.state(name); st.Up != up || st.Unknown || st.Pending != "" || st.Failure != "" {
			t.Errorf("the runner was not asked: %+v", st)
		}
	}
	begin("up", journal.PhaseDown)
	dir := tr.dir.Servicedir(live.RunnerSlot)
	if _, err := s6.WaitFor(t.Context(), dir, s6.GoalDownReady(), s6.CmdDown); err != nil {
		t.Fatal(err)
	}
	if _, err := s6.WaitFor(t.Context(), dir, s6.GoalUpReady(), s6.CmdUp); err != nil {
		t.Fatal(err)
	}
	tr.must(change.Start, "other")
	if st := tr.state("up"); !st.Unknown || st.Pending != "" {
		t.Errorf("another runner: %+v", st)
	}
}

// A stop that cannot be heard of is not begun: the service stays as it is, and is
// started again if it dies.
func TestStopUnheard(t *testing.T) {
	tr := newTree(t, longrun("a"))
	tr.must(change.Start, "a")
	events := filepath.Join(tr.dir.Servicedir(tr.slot("a")), "event")
	if err := errors.Join(os.Rename(events, events+".away"), os.WriteFile(events, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	r := tr.run(change.Request{Op: change.Stop}, "a")
	if len(r.Failed) != 1 || !errors.Is(r.Failed[0], syscall.ENOTDIR) {
		t.Errorf("%+v", r)
	}
	if st := tr.state("a"); !st.Up || st.Stopping() {
		t.Errorf("%+v", st)
	}
	if err := os.Rename(events, events+".file"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(events+".away", events); err != nil {
		t.Fatal(err)
	}
	tr.must(change.Stop, "a")
}
