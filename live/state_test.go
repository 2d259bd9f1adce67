package live_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
)

// TestState drives one longrun with s6 alone, beside what the journal knows.
func TestState(t *testing.T) {
	tr := newTree(t)
	ready := definition{name: "r", run: "#!/bin/sh\nread x <data/go\necho >&3\nexec sleep 100000\n", change: func(s *db.Service, _ db.Blobs) {
		s.NotificationFD = db.Uint{Set: true, Value: 3}
		s.Files = []db.Entry{
			{Path: "data", Kind: db.Directory, Mode: 0o755},
			{Path: "data/go", Kind: db.FIFO, Mode: 0o600},
		}
	}}
	once := definition{name: "once", run: "#!/bin/sh\nexit 3\n", change: func(s *db.Service, b db.Blobs) {
		s.Finish = db.Program{Form: db.Script, Script: b.Add([]byte("#!/bin/sh\nexit 125\n"))}
	}}
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"), once, oneshot("o"), ready))
	w := lock(t, d)
	defer w.Close()
	slot := func(name string) live.Slot { return service(t, state(t, d).Services, name).Slot }
	dir := func(name string) string { return d.Servicedir(slot(name)) }
	do := func(name string, goal s6.Goal, cmds ...s6.Command) {
		t.Helper()
		if _, err := s6.WaitFor(t.Context(), dir(name), goal, cmds...); err != nil {
			t.Fatal(err)
		}
	}
	type want struct{ up, starting, observed bool }
	expect := func(when, name string, x want) {
		t.Helper()
		s := service(t, state(t, d).Services, name)
		if got := (want{s.Up, s.Starting, s.Observed}); got != x {
			t.Errorf("%s: %s is %+v, want %+v (%+v)", when, name, got, x, s)
		}
	}
	expect("at first", "a", want{})
	do("a", s6.GoalUp(), s6.CmdUp)
	expect("started by hand", "a", want{true, false, true})
	marked := func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir(name), "down"))
		return err == nil
	}
	noted := state(t, w) // notes it
	if marked("a") {
		t.Error("a runs, and would not be started again after its supervisor's death")
	}
	expect("once noted", "a", want{true, false, false})
	if s := service(t, noted.Services, "a"); s.Def.IsZero() {
		t.Error("a runs without a definition")
	}
	do("a", s6.GoalDownReady(), s6.CmdDown)
	expect("stopped by hand", "a", want{false, false, true})
	state(t, w)
	if !marked("a") {
		t.Error("a is down, and would be started after its supervisor's death")
	}

	do("r", s6.GoalUp(), s6.CmdUp)
	expect("not ready yet", "r", want{false, true, false})
	if err := os.WriteFile(filepath.Join(dir("r"), "data/go"), []byte("\n"), 0); err != nil {
		t.Fatal(err)
	}
	do("r", s6.GoalUpReady())
	expect("ready", "r", want{true, false, true})
	if err := w.Append("", journal.Up{Slot: slot("r")}); err != nil {
		t.Fatal(err)
	}
	do("r", s6.GoalDown(), s6.CmdKill)
	expect("crashed", "r", want{true, false, false})

	if err := w.Append("", journal.Up{Slot: slot("once")}, journal.Up{Slot: slot("o")}); err != nil {
		t.Fatal(err)
	}
	do("once", s6.GoalStatus("given up", func(st s6.Status) bool {
		return !st.WantUp && st.DownReady() && st.Wait.ExitCode() == 3
	}), s6.CmdUp)
	expect("given up", "once", want{false, false, true})
	expect("oneshot", "o", want{true, false, false})
	if err := w.Append("", journal.Failed{Slot: slot("o"), Phase: journal.PhaseDown, Reason: "lost", Unknown: true}); err != nil {
		t.Fatal(err)
	}
	if s := service(t, state(t, d).Services, "o"); !s.Unknown || s.Failure != "lost" {
		t.Errorf("oneshot with lost result: %+v", s)
	}
	// On a full disk a supervisor cannot write it.
	if err := os.Remove(filepath.Join(dir("a"), "supervise/status")); err != nil {
		t.Fatal(err)
	}
	expect("without a status", "a", want{})
}

// TestEvents listens to the event directory.
func TestEvents(t *testing.T) {
	tr := newTree(t)
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "db"), longrun("a")))
	sub, err := s6.Subscribe(d.EventDir())
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	w := lock(t, d)
	defer w.Close()
	if err := w.Append("", journal.Want{Slots: []live.Slot{live.FirstSlot}, Up: true}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if events, err := sub.Next(ctx); err != nil || len(events) != 1 || events[0] != 'j' {
		t.Errorf("events %q, %v", events, err)
	}
}

func TestLock(t *testing.T) {
	tr := newTree(t)
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "db"), longrun("a")))
	w := lock(t, d)
	var busy *live.BusyError
	if _, err := d.Lock(t.Context(), false); !errors.As(err, &busy) || !strings.Contains(busy.Who, "live.test") {
		t.Errorf("second lock: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Lock(ctx, true); !errors.As(err, &busy) || !errors.Is(err, context.Canceled) {
		t.Errorf("lock with a limit: %v", err)
	}
	got := make(chan error, 1)
	go func() {
		w2, err := d.Lock(t.Context(), true)
		if err == nil {
			err = w2.Close()
		}
		got <- err
	}()
	// No child process has it.
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("lock that was waited for: %v", err)
	}
	if err := errors.Join(in.Close(), child.Wait()); err != nil {
		t.Error(err)
	}
}

// TestLockNested calls from a oneshot's program: that must not wait.
func TestLockNested(t *testing.T) {
	tr := newTree(t)
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "db"), longrun("a")))
	defer lock(t, d).Close()
	t.Setenv("RC_NAME", "mounts")
	var busy *live.BusyError
	if _, err := d.Lock(t.Context(), true); !errors.As(err, &busy) || !strings.Contains(err.Error(), "oneshot mounts") {
		t.Errorf("nested lock: %v", err)
	}
}

// TestFullDisk fills the file system: services can still be stopped and the
// journal goes on in what it has reserved, and an init that does not fit leaves
// nothing.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount a small tmpfs")
	}
	tr := newTree(t)
	mount := filepath.Join(tr.Root, "small")
	if err := os.Mkdir(mount, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", mount, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		t.Skipf("needs root to mount a small tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(mount, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	o := tr.options(writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"), longrun("b")))
	o.Live = filepath.Join(mount, "live")
	if _, err := live.Init(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	d, err := live.Open(o.Live)
	if err != nil {
		t.Fatal(err)
	}
	w := lock(t, d)
	defer w.Close()
	start(t, w, live.FirstSlot, db.Digest{})
	fill(t, filepath.Join(mount, "fill"))
	// More than what is left of a page.
	if err := w.Append(strings.Repeat("x", 20000), journal.Down{Slot: live.FirstSlot}); err != nil {
		t.Errorf("append on a full disk: %v", err)
	}
	second := tr.options(o.DB)
	second.Live, second.Prefix = filepath.Join(mount, "second"), "x-"
	if _, err := live.Init(t.Context(), second); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("init on a full disk: %v", err)
	}
	if err := os.Truncate(filepath.Join(mount, "fill"), 100<<10); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(mount, "fill2"))
	if err := os.Truncate(filepath.Join(mount, "fill2"), 0); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(mount, "fill"))
	left := listing(t, mount)
	if len(left) != 4 { // live and its directory, fill and fill2
		t.Errorf("left %q", left)
	}
	// Appends end at some time, and the journal stays whole.
	for err == nil {
		err = w.Append(strings.Repeat("x", 4000), journal.Up{Slot: live.FirstSlot})
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("append: %v", err)
	}
	if _, err := d.State(); err != nil {
		t.Errorf("state on a full disk: %v", err)
	}
	if _, err := s6.WaitFor(t.Context(), d.Servicedir(live.FirstSlot), s6.GoalDown(), s6.CmdDown); err != nil {
		t.Errorf("stop on a full disk: %v", err)
	}
	if err := os.Remove(filepath.Join(mount, "fill")); err != nil {
		t.Fatal(err)
	}
	// What was left of the append that failed is not in the way of the next.
	if err := w.Append("", journal.Down{Slot: live.FirstSlot}); err != nil {
		t.Error(err)
	}
	// s6's own status may be old: s6-supervise could not write it.
	records, err := journal.Read(d.JournalPath())
	if err != nil || journal.Fold(records).Services[live.FirstSlot].Up {
		t.Errorf("the last record is lost: %v", err)
	}
	if err := w.Unsupervise(t.Context(), []live.Named{{Name: "a", Slot: live.FirstSlot}, {Name: "b", Slot: live.FirstSlot + 1}, live.Named(live.Runner), live.Named(live.Holder)}); err != nil {
		t.Fatal(err)
	}
}

// fill writes until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// TestInitNoexec refuses a file system on which nothing can be executed.
func TestInitNoexec(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount a tmpfs")
	}
	tr := newTree(t)
	mount := filepath.Join(tr.Root, "m")
	if err := os.Mkdir(mount, 0o700); err != nil {
		t.Fatal(err)
	}
	database := writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"))
	for says, flags := range map[string]uintptr{"noexec": unix.MS_NOEXEC, "read-only": unix.MS_RDONLY, "writable by everyone": 0} {
		if err := unix.Mount("tmpfs", mount, "tmpfs", flags, "mode=0777"); err != nil {
			t.Skipf("needs root to mount a tmpfs: %v", err)
		}
		o := tr.options(database)
		o.Live = filepath.Join(mount, "live")
		if _, err := live.Init(t.Context(), o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
		if err := unix.Unmount(mount, 0); err != nil {
			t.Error(err)
		}
	}
}
