package tree_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"strata/live/change"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// A file down that somebody left in a service directory keeps nothing from coming
// up that is needed.
func TestL14MarkedDown(t *testing.T) {
	tr := newTree(t, ready("web", "db"), ready("db"))
	if err := s6.MarkDown(tr.dir.Servicedir(tr.slot("db"))); err != nil {
		t.Fatal(err)
	}
	tr.must(change.Start, "web")
	if got := tr.ups(); got != "db web" {
		t.Errorf("up: %s", got)
	}
	if _, err := os.Stat(filepath.Join(tr.dir.Servicedir(tr.slot("db")), "down")); err == nil {
		t.Error("db is still marked")
	}
}

// A supervisor that comes late is waited for: its s6-svscan does nothing until the
// engine listens.
func TestL21SlowSvscan(t *testing.T) {
	tr := newTree(t, ready("web", "db"), ready("db"))
	dir := tr.dir.Servicedir(tr.slot("db"))
	if err := syscall.Kill(tr.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(tr.PID(), syscall.SIGCONT) })
	tr.killSupervisor(dir)
	listened := watchDir(t, filepath.Join(dir, "event"))
	go func() {
		if err := <-listened; err != nil {
			t.Error(err)
		}
		syscall.Kill(tr.PID(), syscall.SIGCONT)
	}()
	tr.must(change.Start, "web")
	if got := tr.ups(); got != "db web" {
		t.Errorf("up: %s", got)
	}
}

// A daemon that was ready has come up, though it dies then; its supervisor starts
// it again. It can be stopped all the same, in whatever moment of that.
func TestL29ReadyButDies(t *testing.T) {
	tr := newTree(t, with(ready("web"), func(d *definition) { d.run = "#!/bin/sh\necho >&3\nexit 1\n" }))
	for range 5 {
		tr.must(change.Start, "web")
		if got := tr.ups(); got != "web" {
			t.Errorf("up: %s", got)
		}
		tr.must(change.Stop, "web")
		if st := tr.status("web"); !st.DownReady() || st.WantUp {
			t.Errorf("after the stop: %+v", st)
		}
	}
}

// A daemon that says twice that it is ready is up, and is not disturbed.
func TestL29ReadyTwice(t *testing.T) {
	tr := newTree(t, with(ready("web"), func(d *definition) {
		d.run = "#!/bin/sh\ntrap '' PIPE\necho >&3\necho >$FIFO\nread _ <$FIFO2\necho >&3\necho >$FIFO\nexec sleep 100000\n"
	}))
	said, go2 := tr.fifo("fifo"), tr.fifo("fifo2")
	tr.must(change.Start, "web")
	readLine(t, said)
	pid := tr.status("web").PID
	writeLine(t, go2)
	readLine(t, said) // it has said it again
	tr.must(change.Start, "web")
	if st := tr.status("web"); !st.UpReady() || st.PID != pid {
		t.Errorf("pid %d before, now %+v", pid, st)
	}
}

// A daemon that dies again and again, and never says whether it is ready, looks down
// most of the time. A stop of it is a stop all the same.
func TestL30CrashLoop(t *testing.T) {
	tr := newTree(t, with(longrun("crash"), func(d *definition) { d.run = "#!/bin/sh\necho >$FIFO\nexit 1\n" }))
	started := tr.fifo("fifo")
	tr.must(change.Start, "crash")
	readLine(t, started)
	readLine(t, started) // it was started again
	r := tr.must(change.Stop, "crash")
	if len(r.Done) != 1 {
		t.Errorf("%d were stopped", len(r.Done))
	}
	if st := tr.status("crash"); !st.DownReady() || st.WantUp {
		t.Errorf("after the stop: %+v", st)
	}
	if got := tr.ups(); got != "" {
		t.Errorf("up: %s", got)
	}
}

// What is down is only down when its finish has ended too.
func TestL31DownAndFinished(t *testing.T) {
	tr := newTree(t, with(ready("db"), func(d *definition) {
		d.finish = "#!/bin/sh\necho >$FIFO\nread _ <$FIFO2\necho finished >>$LOG\n"
	}))
	finishing, let := tr.fifo("fifo"), tr.fifo("fifo2")
	tr.must(change.Start, "db")
	tr.options.Observe = func(e change.Event) {
		if got, err := os.ReadFile(filepath.Join(tr.Root, "log")); e.Kind == change.Done && string(got) != "finished\n" {
			t.Errorf("it was said to be down when its finish had written %q, %v", got, err)
		}
	}
	go func() {
		readLine(t, finishing)
		writeLine(t, let)
	}()
	tr.must(change.Stop, "db")
}

// A start while the old process is still about to end brings up a new one, once
// the old one and its finish are gone.
func TestL31StartWhileStopping(t *testing.T) {
	tr := newTree(t, with(ready("db"), func(d *definition) {
		d.run = "#!/bin/sh\ntrap 'trap \"\" TERM; echo >$FIFO; read _ <$FIFO2; echo $$ ends >>$LOG; exit 0' TERM\n" +
			"echo $$ runs >>$LOG\necho >&3\nexec 3>&-\nwhile :; do read _ <$NEVER; done\n"
		d.finish = "#!/bin/sh\necho finished >>$LOG\n"
	}))
	ending, let := tr.fifo("fifo"), tr.fifo("fifo2")
	tr.fifo("never")
	tr.must(change.Start, "db")
	old := tr.status("db").PID
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		readLine(t, ending)
		cancel(change.ErrInterrupted)
	}()
	if r := tr.runIn(ctx, change.Request{Op: change.Stop}, "db"); len(r.Failed) != 1 || !errors.Is(r.Failed[0], change.ErrInterrupted) {
		t.Fatalf("%+v", r)
	}
	tr.options.Observe = func(e change.Event) {
		if e.Kind == change.Began {
			writeLine(t, let)
		}
	}
	tr.must(change.Start, "db")
	tr.options.Observe = nil
	st := tr.status("db")
	if !st.UpReady() || st.PID == old {
		t.Errorf("the old process is %d, now %+v", old, st)
	}
	want := fmt.Sprintf("%d runs\n%d ends\nfinished\n%d runs\n", old, old, st.PID)
	if got := read(t, filepath.Join(tr.Root, "log")); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	writeLine(t, let)
	tr.must(change.Stop, "db")
}

// killSupervisor kills the supervisor of a service directory.
func (tr *testTree) killSupervisor(dir string) {
	tr.t.Helper()
	sup, err := s6.OpenSupervisor(dir)
	if err != nil {
		tr.t.Fatal(err)
	}
	defer sup.Close()
	if err := syscall.Kill(sup.PID(), syscall.SIGKILL); err != nil {
		tr.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tr.t.Context(), s6test.Limit)
	defer cancel()
	if err := sup.Dead(ctx); err != nil {
		tr.t.Fatal(err)
	}
}

// fifo makes a FIFO in the root directory, which this process has open, so that
// nobody waits to open it.
func (tr *testTree) fifo(name string) *os.File {
	tr.t.Helper()
	path := filepath.Join(tr.Root, name)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		tr.t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.t.Cleanup(func() { f.Close() })
	return f
}

func readLine(t testing.TB, f *os.File) {
	t.Helper()
	if _, err := f.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
}

func writeLine(t testing.TB, f *os.File) {
	t.Helper()
	if _, err := f.WriteString("\n"); err != nil {
		t.Error(err)
	}
}

// watchDir gives the first change in a directory, once there is one.
func watchDir(t testing.TB, dir string) <-chan error {
	t.Helper()
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	if _, err := syscall.InotifyAddWatch(fd, dir, syscall.IN_MOVED_TO); err != nil {
		t.Fatal(err)
	}
	changed := make(chan error, 1)
	t.Cleanup(func() { f.Close() })
	go func() {
		_, err := f.Read(make([]byte, 4096))
		changed <- err
	}()
	return changed
}
