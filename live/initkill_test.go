package live_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// killedInit runs Init until the n-th step and ends it there, without any of what
// it does when it fails. It reports whether there was such a step.
func killedInit(t *testing.T, o live.InitOptions, n int) (step string, killed bool) {
	t.Helper()
	steps := 0
	return killedWhen(t, o, func(string) bool {
		steps++
		return steps == n
	})
}

// killedWhen is killedInit for the first step that is one of those meant.
func killedWhen(t *testing.T, o live.InitOptions, meant func(step string) bool) (step string, killed bool) {
	t.Helper()
	o.Hooks = func(name string) error {
		if !killed && meant(name) {
			step, killed = name, true
			runtime.Goexit()
		}
		return nil
	}
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() { done <- err }()
		_, err = live.Init(t.Context(), o)
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return step, killed
}

// TestInitKilled ends an init at each of its steps and runs it again.
func TestInitKilled(t *testing.T) {
	tr := newTree(t)
	database := writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"), longrun("b"), oneshot("o"))
	for n := 1; ; n++ {
		o := tr.options(database)
		o.Live = filepath.Join(tr.Root, fmt.Sprintf("live%d", n))
		o.Prefix = fmt.Sprintf("%d-", n)
		step, killed := killedInit(t, o, n)
		if !killed && n < 7 {
			t.Errorf("only %d steps", n-1)
		}
		if _, err := live.Init(t.Context(), o); err != nil {
			t.Errorf("after kill at %s (%d): %v", step, n, err)
			continue
		}
		d := wholeDir(t, tr, o.Live, "a", "b")
		w, err := d.Lock(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		list := []live.Named{{Name: "a", Slot: live.FirstSlot}, {Name: "b", Slot: live.FirstSlot + 1}}
		for _, in := range live.Internals() {
			list = append(list, live.Named(in))
		}
		if err := errors.Join(w.Unsupervise(t.Context(), list), w.Close()); err != nil {
			t.Fatal(err)
		}
		if !killed {
			break
		}
	}
	if left := listing(t, tr.Dir); len(left) != 0 {
		t.Errorf("scandir holds %q", left)
	}
}

// TestInitFails makes each step of an init fail: it leaves nothing.
func TestInitFails(t *testing.T) {
	tr := newTree(t)
	database := writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"), oneshot("o"))
	before := listing(t, tr.Root)
	for n := 1; ; n++ {
		o := tr.options(database)
		o.Live = filepath.Join(tr.Root, "new", "sub", "live")
		steps := 0
		failed := errors.New("no more")
		o.Hooks = func(string) error {
			if steps++; steps == n {
				return failed
			}
			return nil
		}
		_, err := live.Init(t.Context(), o)
		if err == nil {
			break
		}
		if !errors.Is(err, failed) {
			t.Fatalf("step %d: %v", n, err)
		}
		if after := listing(t, tr.Root); !slices.Equal(after, before) {
			t.Errorf("step %d left %q", n, after)
		}
		if left := listing(t, tr.Dir); len(left) != 0 {
			t.Errorf("step %d left %q in the scandir", n, left)
		}
	}
}

// TestInitStale runs init again after s6-svscan was killed and another one was
// started on the same scandir, while supervisors and a daemon go on.
func TestInitStale(t *testing.T) {
	root := s6test.TempDir(t)
	var first *live.Dir
	var pids []int
	t.Run("first life", func(t *testing.T) {
		sc := s6test.Start(t, root, filepath.Join(root, "scan"))
		tr := tree{sc, t}
		first = tr.init(writeDB(t, filepath.Join(root, "db"), longrun("a"), longrun("gone")))
		dir := first.Servicedir(live.FirstSlot)
		if err := s6.SendControl(dir, s6.CmdUp); err != nil {
			t.Fatal(err)
		}
		st, err := s6.WaitFor(t.Context(), dir, s6.GoalUp())
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(sc.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-sc.Exited()
		pids = append(pids, st.PID)

		sc2 := s6test.Start(t, root, filepath.Join(root, "scan"))
		tr = tree{sc2, t}
		state, err := first.State()
		if err != nil {
			t.Fatal(err)
		}
		if err := first.CheckEpoch(state.Epoch); !errors.Is(err, live.ErrStale) {
			t.Errorf("epoch: %v", err)
		}
		o := tr.options(writeDB(t, filepath.Join(root, "db2"), longrun("a"), longrun("b")))
		r, err := live.Init(t.Context(), o)
		if err != nil || r.Existing {
			t.Fatalf("init: %+v, %v", r, err)
		}
		d := wholeDir(t, tr, o.Live, "a", "b")
		if d.Real() == first.Real() {
			t.Error("the stale directory is still in use")
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("process %d of the earlier life: %v", pid, err)
			}
		}
	})
}

// TestInitMoved runs init for another scandir once the first one's s6-svscan has
// been started anew: no link is left there.
func TestInitMoved(t *testing.T) {
	root := s6test.TempDir(t)
	scan := filepath.Join(root, "scan")
	first := s6test.Start(t, root, scan)
	database := writeDB(t, filepath.Join(root, "db"), longrun("a"))
	tree{first, t}.init(database)
	if err := syscall.Kill(first.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.Exited()
	s6test.Start(t, root, scan)
	tr := tree{s6test.Start(t, root, filepath.Join(root, "scan2")), t}
	o := tr.options(database)
	if _, err := live.Init(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	wholeDir(t, tr, o.Live, "a")
	if left := listing(t, scan); len(left) != 0 {
		t.Errorf("the other scandir holds %q", left)
	}
}

// TestInitOverGarbage runs init over what must not be believed.
func TestInitOverGarbage(t *testing.T) {
	tr := newTree(t)
	database := writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"))
	o := tr.options(database)
	real := o.Live + ":strata:old"
	for _, dir := range []string{real, filepath.Join(real, "sv"), filepath.Join(real, "sv/16"), o.Live + ":strata:empty"} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"format": live.Format, "prefix": "", "journal": journal.Header + "garbage\n"} {
		if err := os.WriteFile(filepath.Join(real, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	links := map[string]string{
		o.Live:                         filepath.Base(real),
		filepath.Join(tr.Dir, "a"):     filepath.Join(real, "sv/16"),
		filepath.Join(tr.Dir, "gone"):  o.Live + ":strata:gone/sv/17",
		filepath.Join(real, "scandir"): tr.Dir,
	}
	for path, target := range links {
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := live.Init(t.Context(), o); err != nil || r.Existing {
		t.Fatalf("init: %+v, %v", r, err)
	}
	d := wholeDir(t, tr, o.Live, "a")
	// With supervisors running on it, a directory is not thrown away, whatever is
	// wrong with it.
	if err := os.WriteFile(d.JournalPath(), []byte("garbage\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := live.Init(t.Context(), o); !errors.Is(err, live.ErrCorrupt) || !strings.Contains(err.Error(), d.Real()) {
		t.Errorf("init over a damaged journal: %v", err)
	}
}

// TestInitForeign leaves another program's live directory alone.
func TestInitForeign(t *testing.T) {
	tr := newTree(t)
	database := writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"))
	o := tr.options(database)
	foreign := o.Live + ":s6-rc-init:abcdef"
	if err := os.MkdirAll(filepath.Join(foreign, "servicedirs/x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(foreign, "servicedirs/x"), filepath.Join(tr.Dir, "x")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Base(foreign), o.Live); err != nil {
		t.Fatal(err)
	}
	if _, err := live.Init(t.Context(), o); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("init: %v", err)
	}
	for _, path := range []string{foreign, filepath.Join(tr.Dir, "x"), o.Live} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// TestInitLimit starts s6-svscan with too low a limit.
func TestInitLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the 10 s of the stall limit")
	}
	t.Parallel()
	tr := newTree(t, s6test.MaxServices(4))
	var defs []definition
	for i := range 6 {
		defs = append(defs, longrun(fmt.Sprintf("s%d", i)))
	}
	o := tr.options(writeDB(t, filepath.Join(tr.Root, "db"), defs...))
	before := listing(t, tr.Root)
	_, err := live.Init(t.Context(), o)
	if !errors.Is(err, s6.ErrStalled) || !strings.Contains(err.Error(), "-c") {
		t.Errorf("init: %v", err)
	}
	if after := listing(t, tr.Root); !slices.Equal(after, before) {
		t.Errorf("left %q", after)
	}
	if left := listing(t, tr.Dir); len(left) != 0 {
		t.Errorf("left %q in the scandir", left)
	}
}
