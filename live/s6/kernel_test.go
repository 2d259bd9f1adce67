package s6_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"strata/live/s6"
	"strata/live/s6/s6test"
)

// fullDisk is a tree on a small tmpfs.
func fullDisk(t *testing.T) (*s6test.Disk, *s6test.Scandir) {
	disk := s6test.NewDisk(t, 512<<10, 400)
	return disk, s6test.Start(t, disk.Dir, filepath.Join(disk.Dir, "scan"))
}

// programs are what runs in the tree beside s6 itself.
func programs(sc *s6test.Scandir) []s6test.Process {
	return slices.DeleteFunc(sc.Processes(), func(p s6test.Process) bool {
		return p.Name == "s6-svscan" || p.Name == "s6-supervise"
	})
}

// stopUnseen tells a service to stop and waits for an event.
func stopUnseen(t *testing.T, dir string, want s6.Event) {
	t.Helper()
	sub, err := s6.Subscribe(filepath.Join(dir, "event"))
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if err := s6.SendControl(dir, s6.CmdDown); err != nil {
		t.Fatal(err)
	}
	for {
		events, err := sub.Next(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(events, want) {
			return
		}
	}
}

func mkfifo(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// withFinish has a finish that takes as long as the test lets it.
func withFinish() s6test.Service {
	return s6test.Service{Down: true, Finish: "#!/bin/sh\nread x < data/go\n", Files: map[string]string{"data/x": ""}}
}

// On a full disk a status stays what it was. Whatever it says, a stop ends when
// nothing runs, and not before.
func TestFullDisk(t *testing.T) {
	if !s6test.Mounts(t) {
		return
	}
	disk, sc := fullDisk(t)
	plain := sc.Add("plain", s6test.Service{Down: true})
	loop := sc.Add("loop", s6test.Service{Down: true, Run: "#!/bin/sh\nexit 1\n"})
	slow := sc.Add("slow", withFinish())
	mkfifo(t, filepath.Join(slow, "data/go"))
	dirs := []string{plain, loop, slow}
	check := sameFDs(t, dirs...)
	stop := func(dir string) {
		t.Helper()
		if st := mustWait(t, dir, s6.GoalDownReady(), s6.CmdDown); !st.DownReady() || st.WantUp {
			t.Errorf("%s: %+v", dir, st)
		}
	}
	// stopSlow lets finish end, and sees to it that this is waited for.
	stopSlow := func() {
		t.Helper()
		var finishing atomic.Bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			gate, err := os.OpenFile(filepath.Join(slow, "data/go"), os.O_WRONLY, 0) // waits for finish
			finishing.Store(true)
			if err == nil {
				gate.Close()
			}
		}()
		stop(slow)
		if !finishing.Load() {
			t.Error("finish was not waited for")
		}
		<-done
	}

	// The file says down, and they are up.
	disk.Fill("fill")
	for _, dir := range dirs {
		mustWait(t, dir, s6.GoalUp(), s6.CmdUp)
		if st := mustStatus(t, dir); st.Up() || st.WantUp {
			t.Fatalf("%s could be written: %+v", dir, st)
		}
	}
	for _, dir := range []string{plain, slow} {
		if st := s6.Verify(dir, mustStatus(t, dir)); !st.Up() || !st.WantUp || st.Ready {
			t.Errorf("%s: %+v", dir, st)
		}
	}
	stop(plain)
	stop(loop)
	stopSlow()
	if left := programs(sc); len(left) > 0 {
		t.Errorf("after the stops there are %v", left)
	}

	// The file says up, and they are down, or about to be started again.
	disk.Free("fill")
	for _, dir := range []string{plain, slow} {
		mustWait(t, dir, s6.GoalUp(), s6.CmdUp)
	}
	disk.Fill("fill")
	for dir, end := range map[string]s6.Event{plain: s6.EventDown, slow: s6.EventDied} {
		stopUnseen(t, dir, end)
		if st := mustStatus(t, dir); !st.Up() || !st.Outdated() {
			t.Fatalf("%s could be written: %+v", dir, st)
		}
	}
	stop(plain)
	stopSlow()
	if left := programs(sc); len(left) > 0 {
		t.Errorf("after the stops there are %v", left)
	}
	if st := s6.Verify(plain, mustStatus(t, plain)); !st.DownReady() {
		t.Errorf("%+v", st)
	}
	check()
}

// On a full disk the status says ready of a service that was so before. A start waits
// until it is so again.
func TestFullDiskReadiness(t *testing.T) {
	if !s6test.Mounts(t) {
		return
	}
	disk, sc := fullDisk(t)
	dir := sc.Add("ready", s6test.Service{
		Down: true, NotificationFD: 3, Files: map[string]string{"data/x": ""},
		Run: "#!/bin/sh\nread x <data/go\necho >&3\nexec 3>&-\nexec sleep 100000\n",
	})
	gate := filepath.Join(dir, "data/go")
	mkfifo(t, gate)
	start := func() {
		t.Helper()
		var said atomic.Bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			f, err := os.OpenFile(gate, os.O_WRONLY, 0) // waits for run
			said.Store(true)
			if err == nil {
				f.Close()
			}
		}()
		mustWait(t, dir, s6.GoalUpReady(), s6.CmdUp)
		if !said.Load() {
			t.Error("it was not ready")
		}
		<-done
	}
	start()
	disk.Fill("fill")
	for range 3 {
		stopUnseen(t, dir, s6.EventDown)
		if st := mustStatus(t, dir); !st.UpReady() || !st.Outdated() {
			t.Fatalf("the status could be written: %+v", st)
		}
		start()
	}
}

// Without an inode for a FIFO nobody can listen, and services can be stopped all
// the same.
func TestFullInodes(t *testing.T) {
	if !s6test.Mounts(t) {
		return
	}
	disk, sc := fullDisk(t)
	plain := sc.Add("plain", s6test.Service{Down: true})
	slow := sc.Add("slow", withFinish())
	gate := filepath.Join(slow, "data/go")
	mkfifo(t, gate)
	check := sameFDs(t, plain, slow)
	for _, dir := range []string{plain, slow} {
		mustWait(t, dir, s6.GoalUp(), s6.CmdUp)
	}
	// What others are about to close gives an inode back.
	for i := 0; ; i++ {
		disk.FillInodes(fmt.Sprintf("fill%d", i))
		if _, err := s6.WaitFor(testContext(t), plain, s6.GoalUp()); errors.Is(err, syscall.ENOSPC) {
			break
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		os.WriteFile(gate, []byte("\n"), 0)
	}()
	for _, dir := range []string{plain, slow, plain} {
		mustWait(t, dir, s6.GoalDownReady(), s6.CmdDown)
	}
	<-done
	if left := programs(sc); len(left) > 0 {
		t.Errorf("after the stops there are %v", left)
	}
	check()
}

// However soon run dies, the end of finish is waited for.
func TestFinishIsWaitedFor(t *testing.T) {
	sc := s6test.New(t)
	var wg sync.WaitGroup
	for i := range 16 {
		dir := sc.Add(fmt.Sprint(i), s6test.Service{
			Down: true, Finish: "#!/bin/sh\nread x <data/x; echo ended >>data/x\n", Files: map[string]string{"data/x": "begin\n"},
		})
		wg.Go(func() {
			size := int64(len("begin\n"))
			for range 20 {
				for _, goal := range []struct {
					s6.Goal
					cmd s6.Command
				}{{s6.GoalUp(), s6.CmdUp}, {s6.GoalDownReady(), s6.CmdDown}} {
					if _, err := s6.WaitFor(testContext(t), dir, goal.Goal, goal.cmd); err != nil {
						t.Error(err)
						return
					}
				}
				size += int64(len("ended\n"))
				if info, err := os.Stat(filepath.Join(dir, "data/x")); err != nil || info.Size() != size {
					t.Errorf("finish has not ended: %d bytes instead of %d, %v", info.Size(), size, err)
					return
				}
			}
		})
	}
	wg.Wait()
}
