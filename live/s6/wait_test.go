package s6_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"strata/live/s6"
	"strata/live/s6/s6test"
)

func TestUpAndDown(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Add("a", s6test.Service{Down: true})
	check := sameFDs(t, dir)
	if st := mustStatus(t, dir); !st.DownReady() || !st.NotStarted() || st.WantUp {
		t.Fatalf("never started: %+v", st)
	}
	up := mustWait(t, dir, s6.GoalUp(), s6.CmdUp)
	if !up.Up() || up.UpReady() || !up.WantUp || up.PID == 0 {
		t.Errorf("up: %+v", up)
	}
	if since := time.Since(up.Stamp.Time()); since < -time.Second || since > s6test.Limit {
		t.Errorf("started %v ago: wrong leap seconds?", since)
	}
	if again := mustWait(t, dir, s6.GoalUp(), s6.CmdUp); again.PID != up.PID {
		t.Errorf("second start gave pid %d instead of %d", again.PID, up.PID)
	}
	down := mustWait(t, dir, s6.GoalDownReady(), s6.CmdDown)
	if !down.DownReady() || down.WantUp || down.NotStarted() || down.Wait.Signal() != syscall.SIGTERM {
		t.Errorf("down: %+v", down)
	}
	deaths, err := s6.ReadDeaths(dir)
	if err != nil || len(deaths) != 1 || deaths[0].Signal != syscall.SIGTERM || deaths[0].Code != 128+15 {
		t.Errorf("deaths: %v, %v", deaths, err)
	}
	mustWait(t, dir, s6.GoalDownReady(), s6.CmdDown)
	check()
}

func TestReadiness(t *testing.T) {
	sc := s6test.New(t)
	// Readiness comes when the test lets it: the daemon waits on a FIFO.
	dir := sc.Add("r", s6test.Service{
		Run:            "#!/bin/sh\nread x < data/go\necho almost >&3\nexec 3>&-\nexec sleep 100000\n",
		NotificationFD: 3,
		Down:           true,
		Files:          map[string]string{"data/x": ""},
	})
	gate := filepath.Join(dir, "data/go")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	check := sameFDs(t, dir)
	st := mustWait(t, dir, s6.GoalUp(), s6.CmdUp)
	if st.UpReady() {
		t.Errorf("ready too early: %+v", st)
	}
	var wg sync.WaitGroup
	wg.Go(func() { os.WriteFile(gate, []byte("\n"), 0) })
	st = mustWait(t, dir, s6.GoalUpReady())
	wg.Wait()
	if !st.UpReady() || st.ReadyStamp.Compare(st.Stamp) < 0 {
		t.Errorf("ready: %+v", st)
	}
	check()
}

func TestPermanentFailure(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Add("f", s6test.Service{
		Run: "#!/bin/sh\nexit 3\n", Finish: "#!/bin/sh\nexit 125\n", NotificationFD: 3, Down: true,
	})
	check := sameFDs(t, dir)
	st, err := s6.WaitFor(testContext(t), dir, s6.GoalUpReady(), s6.CmdUp)
	if !errors.Is(err, s6.ErrPermanentFailure) {
		t.Fatalf("error %v", err)
	}
	if st.WantUp || st.Wait.ExitCode() != 3 {
		t.Errorf("status %+v", st)
	}
	// For who only waits for a start, there was one.
	if _, err := s6.WaitFor(testContext(t), dir, s6.GoalUp(), s6.CmdUp); err != nil {
		t.Error(err)
	}
	check()
}

func TestShortLifeCountsAsUp(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Add("s", s6test.Service{Run: "#!/bin/sh\nexit 0\n", Down: true})
	for range 20 {
		mustWait(t, dir, s6.GoalUp(), s6.CmdOnce)
		mustWait(t, dir, s6.GoalDownReady(), s6.CmdDown)
	}
}

func TestCrashLoopWaitsForContext(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Add("c", s6test.Service{Run: "#!/bin/sh\nexit 7\n", NotificationFD: 3, Down: true})
	check := sameFDs(t, dir)
	ctx, cancel := context.WithCancelCause(testContext(t))
	why := errors.New("enough")
	watch, err := s6.Subscribe(dir + "/event")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { // two deaths are a loop
		defer watch.Close()
		for n := 0; n < 2; {
			events, err := watch.Next(testContext(t))
			if err != nil {
				t.Error(err)
				break
			}
			for _, e := range events {
				if e == s6.EventDied {
					n++
				}
			}
		}
		cancel(why)
	})
	_, err = s6.WaitFor(ctx, dir, s6.GoalUpReady(), s6.CmdUp)
	wg.Wait()
	if !errors.Is(err, why) {
		t.Errorf("error %v", err)
	}
	st := mustWait(t, dir, s6.GoalDownReady(), s6.CmdDown)
	if st.Wait.ExitCode() != 7 {
		t.Errorf("status %+v", st)
	}
	check()
}

func TestSupervisorKilled(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Add("k", s6test.Service{NotificationFD: 3, Down: true})
	check := sameFDs(t, dir)
	st := mustWait(t, dir, s6.GoalUp(), s6.CmdUp)
	pid, err := s6.SupervisorPID(dir)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := s6.WaitFor(testContext(t), dir, s6.GoalUpReady())
		done <- err
	}()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, s6.ErrSuperviseGone) && !errors.Is(err, s6.ErrNotSupervised) {
		t.Errorf("error %v", err)
	}
	syscall.Kill(-st.PID, syscall.SIGKILL)
	check()
}

func TestSupervisorTold(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Add("x", s6test.Service{})
	mustWait(t, dir, s6.GoalUp())
	sup, err := s6.OpenSupervisor(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer sup.Close()
	// It ends, and leaves the service down: the goal is reached by its end.
	st := mustWait(t, dir, s6.GoalDownReady(), s6.CmdExit, s6.CmdDown)
	if !st.DownReady() {
		t.Errorf("status %+v", st)
	}
	if err := sup.Dead(testContext(t)); err != nil {
		t.Error(err)
	}
	if err := sup.Dead(testContext(t)); err != nil {
		t.Errorf("second time: %v", err)
	}
}

func TestCannotStart(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Add("n", s6test.Service{Run: "#!/no/such/interpreter\n", Down: true})
	check := sameFDs(t, dir)
	_, err := s6.WaitForWithin(testContext(t), dir, s6.GoalUp(), 100*time.Millisecond, s6.CmdUp)
	if !errors.Is(err, s6.ErrCannotStart) {
		t.Errorf("error %v", err)
	}
	check()
}

func TestNotSupervised(t *testing.T) {
	dir := t.TempDir()
	if err := s6.Seed(dir, s6.OwnerOnly()); err != nil {
		t.Fatal(err)
	}
	if _, err := s6.WaitFor(testContext(t), dir, s6.GoalUp(), s6.CmdUp); !errors.Is(err, s6.ErrNotSupervised) {
		t.Errorf("WaitFor: %v", err)
	}
	for _, d := range []string{dir, filepath.Join(dir, "missing")} {
		if err := s6.SendControl(d, s6.CmdUp); !errors.Is(err, s6.ErrNotSupervised) {
			t.Errorf("SendControl: %v", err)
		}
		if _, err := s6.SupervisorPID(d); !errors.Is(err, s6.ErrNotSupervised) {
			t.Errorf("SupervisorPID: %v", err)
		}
		if up, err := s6.Supervised(d); up || err != nil {
			t.Errorf("Supervised: %v, %v", up, err)
		}
	}
	if err := s6.SendControl(dir, 'Q'); err == nil || errors.Is(err, s6.ErrNotSupervised) {
		t.Errorf("Q was taken: %v", err)
	}
}

// Hundreds of services are started and stopped at once, each by its own wait.
func TestManyAtOnce(t *testing.T) {
	const n = 150
	sc := s6test.New(t)
	var entries []s6.Entry
	var dirs []string
	for i := range n {
		name := fmt.Sprintf("m%03d", i)
		dir := sc.Make(name, s6test.Service{Run: s6test.ReadyForever, NotificationFD: 3, Down: true})
		entries = append(entries, s6.Entry{Name: name, Dir: dir})
		dirs = append(dirs, dir)
	}
	check := sameFDs(t, dirs...)
	if err := s6.Link(testContext(t), sc.Dir, entries, s6test.Limit); err != nil {
		t.Fatal(err)
	}
	all := func(goal s6.Goal, cmd s6.Command) {
		t.Helper()
		var wg sync.WaitGroup
		for _, dir := range dirs {
			wg.Go(func() {
				if _, err := s6.WaitFor(testContext(t), dir, goal, cmd); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	all(s6.GoalUpReady(), s6.CmdUp)
	all(s6.GoalDownReady(), s6.CmdDown)
	if err := s6.Unlink(testContext(t), sc.Dir, entries); err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if up, err := s6.Supervised(dir); up || err != nil {
			t.Errorf("%s supervised: %v, %v", dir, up, err)
		}
	}
	check()
}

// A daemon with a slow finish is down only when finish has ended.
func TestFinishing(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Add("g", s6test.Service{Finish: "#!/bin/sh\nread x < data/go\nexit 0\n", Files: map[string]string{"data/x": ""}})
	gate := filepath.Join(dir, "data/go")
	if err := exec.Command("mkfifo", gate).Run(); err != nil {
		t.Fatal(err)
	}
	mustWait(t, dir, s6.GoalUp())
	st := mustWait(t, dir, s6.GoalDown(), s6.CmdDown)
	if !st.Finishing || !st.Down() || st.DownReady() || st.PID == 0 {
		t.Errorf("finishing: %+v", st)
	}
	var wg sync.WaitGroup
	wg.Go(func() { os.WriteFile(gate, []byte("\n"), 0) })
	st = mustWait(t, dir, s6.GoalDownReady())
	wg.Wait()
	if !st.DownReady() {
		t.Errorf("down: %+v", st)
	}
}

// A service that is down for a second, before its supervisor starts it again, is
// down for good only when the supervisor has taken the command.
func TestDownWhileWaitingToRestart(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Add("w", s6test.Service{Run: "#!/bin/sh\nexit 1\n", Down: true})
	check := sameFDs(t, dir)
	for range 10 {
		mustWait(t, dir, s6.GoalUp(), s6.CmdUp)
		mustWait(t, dir, s6.GoalDownReady())
		st := mustWait(t, dir, s6.GoalDownReady(), s6.CmdDown)
		if st.WantUp || !st.DownReady() {
			t.Fatalf("status %+v", st)
		}
	}
	check()
}
