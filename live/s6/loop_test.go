package s6_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"strata/live/s6"
	"strata/live/s6/s6test"
)

// Waits that share a loop are woken each by what is its own, hold no more
// descriptors than they say, and leave nothing behind.
func TestLoop(t *testing.T) {
	const n = 40
	sc := s6test.New(t)
	var entries []s6.Entry
	var dirs []string
	for i := range n {
		name := fmt.Sprintf("l%03d", i)
		dir := sc.Make(name, s6test.Service{Run: s6test.ReadyForever, NotificationFD: 3, Down: true})
		entries = append(entries, s6.Entry{Name: name, Dir: dir})
		dirs = append(dirs, dir)
	}
	if err := s6.Link(testContext(t), sc.Dir, entries, s6test.Limit); err != nil {
		t.Fatal(err)
	}
	check := sameFDs(t, dirs...)
	goroutines := runtime.NumGoroutine()
	var loop s6.Loop
	for range 5 {
		all(t, &loop, dirs, s6.GoalUpReady(), s6.CmdUp)
		all(t, &loop, dirs, s6.GoalDownReady(), s6.CmdDown)
	}
	check()
	if now := runtime.NumGoroutine(); now > goroutines {
		t.Errorf("%d goroutines before, %d after", goroutines, now)
	}
}

// all waits for the same goal of all services at once.
func all(t *testing.T, loop *s6.Loop, dirs []string, goal s6.Goal, cmd s6.Command) {
	t.Helper()
	var wg sync.WaitGroup
	for _, dir := range dirs {
		wg.Go(func() {
			if _, err := loop.WaitFor(testContext(t), dir, goal, cmd); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// The loop's descriptors are those that it is documented to have.
func TestLoopDescriptors(t *testing.T) {
	sc := s6test.New(t)
	quiet := s6test.Service{Run: s6test.Forever, NotificationFD: 3, Down: true} // never ready
	const n = 10
	var dirs []string
	for i := range n {
		dirs = append(dirs, sc.Add(fmt.Sprintf("q%d", i), quiet))
	}
	check := sameFDs(t, dirs...)
	before := openFDs(t)
	ctx, cancel := context.WithCancelCause(testContext(t))
	why := errors.New("enough")
	var loop s6.Loop
	var wg sync.WaitGroup
	for _, dir := range dirs {
		wg.Go(func() {
			if _, err := loop.WaitFor(ctx, dir, s6.GoalUpReady(), s6.CmdUp); !errors.Is(err, why) {
				t.Errorf("error %v", err)
			}
		})
	}
	for _, dir := range dirs { // each wait is in flight once its service runs
		mustWait(t, dir, s6.GoalUp())
	}
	if held := openFDs(t) - before; held > n*s6.FDsPerWait+1 {
		t.Errorf("%d waits hold %d descriptors", n, held)
	}
	cancel(why)
	wg.Wait()
	check()
}

// A full control FIFO takes the command once it is read from.
func TestFullControl(t *testing.T) {
	dir := t.TempDir()
	if err := s6.Seed(dir, s6.OwnerOnly()); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(dir+"/supervise/control", os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	fill(t, reader)
	done := make(chan error, 1)
	go func() {
		err := s6.SendControl(dir, s6.CmdUp)
		if err != nil {
			reader.Close() // nothing will come
		}
		done <- err
	}()
	runtime.Gosched() // so that it meets the FIFO full, most of the time
	buf := make([]byte, 1<<20)
	for last := byte(0); last != 'u'; {
		n, err := reader.Read(buf)
		if err != nil {
			t.Fatal(err, <-done)
		}
		last = buf[n-1]
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// fill writes to the FIFO until it is full.
func fill(t *testing.T, fifo *os.File) {
	t.Helper()
	rc, err := fifo.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = rc.Write(func(fd uintptr) bool {
		for err == nil {
			_, err = unix.Write(int(fd), make([]byte, 4096))
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}
