package s6_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"strata/live/s6"
	"strata/live/s6/s6test"
)

// tree makes n service directories that are down.
func tree(sc *s6test.Scandir, n int) (entries []s6.Entry) {
	for i := range n {
		name := fmt.Sprintf("t%02d", i)
		entries = append(entries, s6.Entry{Name: name, Dir: sc.Make(name, s6test.Service{Down: true})})
	}
	return entries
}

// wantSupervised checks that each of the entries has, or has not, a supervisor and
// a link.
func wantSupervised(t *testing.T, sc *s6test.Scandir, entries []s6.Entry, want bool) {
	t.Helper()
	for _, e := range entries {
		up, err := s6.Supervised(e.Dir)
		if err != nil || up != want {
			t.Errorf("%s supervised: %v, %v", e.Name, up, err)
		}
		if _, err := os.Lstat(filepath.Join(sc.Dir, e.Name)); (err == nil) != want {
			t.Errorf("link of %s: %v", e.Name, err)
		}
	}
}

func TestLinkAndUnlink(t *testing.T) {
	sc := s6test.New(t)
	entries := tree(sc, 20)
	check := sameFDs(t, entries[0].Dir)
	ctx := testContext(t)
	for range 2 { // the second time there is nothing to do
		if err := s6.Link(ctx, sc.Dir, entries, s6.DefaultStall); err != nil {
			t.Fatal(err)
		}
		wantSupervised(t, sc, entries, true)
	}
	if st := mustStatus(t, entries[3].Dir); !st.NotStarted() {
		t.Errorf("started: %+v", st)
	}
	mustWait(t, entries[3].Dir, s6.GoalUp(), s6.CmdUp)
	before, err := s6.SupervisorPID(entries[19].Dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s6.Unlink(ctx, sc.Dir, entries[:10]); err != nil {
			t.Fatal(err)
		}
		wantSupervised(t, sc, entries[:10], false)
	}
	wantSupervised(t, sc, entries[10:], true)
	if after, err := s6.SupervisorPID(entries[19].Dir); err != nil || after != before {
		t.Errorf("a supervisor that stays: pid %d became %d, %v", before, after, err)
	}
	// Unlink stopped what was running.
	if st := mustStatus(t, entries[3].Dir); !st.DownReady() {
		t.Errorf("status %+v", st)
	}
	check()
}

func TestLinkWithLogger(t *testing.T) {
	sc := s6test.New(t)
	dir := sc.Make("p", s6test.Service{
		Run:            "#!/bin/sh\necho hello\necho >&3\nexec 3>&-\nexec sleep 100000\n",
		NotificationFD: 3,
		Log:            "#!/bin/sh\nexec cat >out\n",
	})
	entries := []s6.Entry{{Name: "p", Dir: dir}}
	if err := s6.Link(testContext(t), sc.Dir, entries, s6.DefaultStall); err != nil {
		t.Fatal(err)
	}
	if up, err := s6.Supervised(dir + "/log"); err != nil || !up {
		t.Errorf("logger supervised: %v, %v", up, err)
	}
	mustWait(t, dir, s6.GoalUpReady())
	mustWait(t, dir+"/log", s6.GoalUp())
	if err := s6.Unlink(testContext(t), sc.Dir, entries); err != nil {
		t.Fatal(err)
	}
	if up, err := s6.Supervised(dir + "/log"); err != nil || up {
		t.Errorf("logger still supervised: %v, %v", up, err)
	}
	if text, err := os.ReadFile(dir + "/log/out"); err != nil || string(text) != "hello\n" {
		t.Errorf("log %q, %v", text, err)
	}
}

// A service whose supervisor was killed may still have its daemon; a new
// supervisor comes, and Unlink ends that one.
func TestUnlinkAfterKill(t *testing.T) {
	sc := s6test.New(t)
	entries := tree(sc, 2)
	if err := s6.Link(testContext(t), sc.Dir, entries, 0); err != nil {
		t.Fatal(err)
	}
	sup, err := s6.OpenSupervisor(entries[0].Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer sup.Close()
	p, err := os.FindProcess(sup.PID())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := sup.Dead(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if err := s6.Unlink(testContext(t), sc.Dir, entries); err != nil {
		t.Fatal(err)
	}
	wantSupervised(t, sc, entries, false)
}

func TestLinkRefuses(t *testing.T) {
	sc := s6test.New(t)
	good := tree(sc, 2)
	file := filepath.Join(sc.Root, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	bare := filepath.Join(sc.Root, "bare")
	if err := os.Mkdir(bare, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(good[1].Dir, filepath.Join(sc.Dir, "taken")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		bad  s6.Entry
		want string
	}{
		{s6.Entry{Name: "", Dir: good[1].Dir}, "cannot be the name"},
		{s6.Entry{Name: ".x", Dir: good[1].Dir}, "cannot be the name"},
		{s6.Entry{Name: "a/b", Dir: good[1].Dir}, "contains a slash"},
		{s6.Entry{Name: strings.Repeat("n", 252), Dir: good[1].Dir}, "longer than 251"},
		{s6.Entry{Name: "x", Dir: "sv/x"}, "not an absolute path"},
		{s6.Entry{Name: "x", Dir: sc.Root + "/none"}, "not a directory"},
		{s6.Entry{Name: "x", Dir: file}, "not a directory"},
		{s6.Entry{Name: "x", Dir: bare}, "event"},
		{s6.Entry{Name: "taken", Dir: good[0].Dir}, "exists and is not"},
	} {
		err := s6.Link(testContext(t), sc.Dir, []s6.Entry{good[0], test.bad}, s6.DefaultStall)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.bad, err, test.want)
		}
		wantSupervised(t, sc, good[:1], false)
	}
	if err := s6.Unlink(testContext(t), sc.Dir, []s6.Entry{{Name: "taken", Dir: good[0].Dir}}); err == nil {
		t.Error("unlinked what is someone else's")
	}
}

func TestNoSvscan(t *testing.T) {
	dir := t.TempDir()
	sv := t.TempDir()
	entries := []s6.Entry{{Name: "a", Dir: sv}}
	if err := s6.Link(testContext(t), dir, entries, s6.DefaultStall); !errors.Is(err, s6.ErrNotRunning) {
		t.Errorf("Link: %v", err)
	}
	if err := os.Symlink(sv, filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if err := s6.Unlink(testContext(t), dir, entries); err != nil {
		t.Errorf("Unlink: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "a")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("link is left: %v", err)
	}
	sc := s6.Svscan{Dir: dir}
	if running, err := sc.Running(); running || err != nil {
		t.Errorf("Running: %v, %v", running, err)
	}
	if err := sc.RescanPrune(); !errors.Is(err, s6.ErrNotRunning) {
		t.Errorf("RescanPrune: %v", err)
	}
	if _, err := sc.PID(); !errors.Is(err, s6.ErrNotRunning) {
		t.Errorf("PID: %v", err)
	}
}

func TestSvscan(t *testing.T) {
	s := s6test.New(t)
	sc := s6.Svscan{Dir: s.Dir}
	if running, err := sc.Running(); !running || err != nil {
		t.Errorf("Running: %v, %v", running, err)
	}
	if pid, err := sc.PID(); pid != s.PID() || err != nil {
		t.Errorf("PID: %d, %v, want %d", pid, err, s.PID())
	}
	if err := sc.Send('Z'); err == nil {
		t.Error("Z was taken")
	}
	if err := sc.Send(s6.ScanStop); err != nil {
		t.Error(err)
	}
	<-s.Exited()
	if running, err := sc.Running(); running || err != nil {
		t.Errorf("Running after stop: %v, %v", running, err)
	}
}

// More services than s6-svscan takes: an error that says so, and all is as before.
func TestLinkOverLimit(t *testing.T) {
	sc := s6test.New(t, s6test.MaxServices(5))
	entries := tree(sc, 8)
	if err := s6.Link(testContext(t), sc.Dir, entries[:3], s6test.Limit); err != nil {
		t.Fatal(err)
	}
	check := sameFDs(t, entries[7].Dir)
	err := s6.Link(testContext(t), sc.Dir, entries, 300*time.Millisecond)
	if !errors.Is(err, s6.ErrStalled) || !strings.Contains(err.Error(), "higher -c") {
		t.Fatalf("error %v\n%s", err, sc.Log())
	}
	wantSupervised(t, sc, entries[:3], true)
	wantSupervised(t, sc, entries[3:], false)
	check()
}

// The end of the context ends the wait, and takes back what was made.
func TestLinkCancelled(t *testing.T) {
	sc := s6test.New(t)
	entries := tree(sc, 4)
	// A supervisor that finds a file for its FIFO gives up, again and again.
	control := filepath.Join(entries[1].Dir, "supervise/control")
	if err := errors.Join(os.Remove(control), os.WriteFile(control, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(testContext(t))
	defer cancel(nil)
	why := errors.New("enough")
	// The first supervisor that comes ends it.
	var wg sync.WaitGroup
	for _, e := range entries {
		watch, err := s6.Subscribe(e.Dir + "/event")
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer watch.Close()
			if _, err := watch.Next(ctx); err == nil {
				cancel(why)
			}
		})
	}
	err := s6.Link(ctx, sc.Dir, entries, 0)
	wg.Wait()
	if !errors.Is(err, why) {
		t.Fatalf("error %v", err)
	}
	wantSupervised(t, sc, entries, false)
}

// A dangling link is named before anything is done, and nothing is left behind that
// would be in the way once it is gone.
func TestLinkBesideDangling(t *testing.T) {
	sc := s6test.New(t)
	entries := tree(sc, 3)
	dangling := filepath.Join(sc.Dir, "gone")
	if err := os.Symlink(sc.Root+"/none", dangling); err != nil {
		t.Fatal(err)
	}
	err := s6.Link(testContext(t), sc.Dir, entries, s6test.Limit)
	if !errors.Is(err, s6.ErrDangling) || !strings.Contains(err.Error(), dangling) {
		t.Errorf("error %v", err)
	}
	wantSupervised(t, sc, entries, false)
	if err := os.Remove(dangling); err != nil {
		t.Fatal(err)
	}
	if err := s6.Link(testContext(t), sc.Dir, entries, s6test.Limit); err != nil {
		t.Error(err)
	}
	wantSupervised(t, sc, entries, true)
}
