package tree_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"strata/compile/db"
	"strata/internal/lines"
	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/journal"
	"strata/live/runner"
	"strata/live/s6"
)

// TestMain lets the test binary be the oneshot runner, the fd-holder and the
// programs of pipelines.
func TestMain(m *testing.M) {
	if lines.Main(os.Args[1:]) {
		return
	}
	if len(os.Args) > 1 && os.Args[1] == live.HolderCommand {
		os.Exit(runHolder(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == live.RunnerCommand {
		if err := runner.Main(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestUpAndDown(t *testing.T) {
	tr := newTree(t,
		longrun("web", "db", "net"), ready("db", "net"), oneshot("net", "echo up net >>$LOG"), longrun("log"))
	out := filepath.Join(tr.Root, "log")
	tr.must(change.Start, "web log")
	if got := tr.ups(); got != "db log net web" {
		t.Errorf("up: %s", got)
	}
	if got := read(t, out); got != "up net\n" {
		t.Errorf("oneshots wrote %q", got)
	}
	// Again it is nothing.
	if r := tr.must(change.Start, "web"); len(r.Done) != 0 {
		t.Errorf("%d services were moved", len(r.Done))
	}
	pid := tr.status("log").PID
	tr.must(change.Stop, "net")
	if got := tr.ups(); got != "log" {
		t.Errorf("up: %s", got)
	}
	if tr.status("log").PID != pid {
		t.Error("log was moved")
	}
	for name, want := range map[string]bool{"web": true, "db": true, "log": false} {
		_, err := os.Stat(filepath.Join(tr.dir.Servicedir(tr.slot(name)), "down"))
		if (err == nil) != want {
			t.Errorf("file down of %s: %v", name, err)
		}
	}
	// The end of everything is the end of the internal services.
	tr.must(change.Stop, "log")
	for _, in := range live.Internals() {
		if st, err := s6.ReadStatus(tr.dir.Servicedir(in.Slot)); err != nil || !st.DownReady() {
			t.Errorf("%s: %+v, %v", in.Name, st, err)
		}
	}
}

func TestFailures(t *testing.T) {
	tr := newTree(t,
		oneshot("bad", "exit 3"), longrun("needsbad", "bad"), longrun("good"),
		with(longrun("slow"), func(d *definition) { d.notify, d.timeoutUp = 3, 200 }),
		with(longrun("broken"), func(d *definition) { d.run = "#!/nowhere/sh\n" }),
		with(oneshot("long", "exec sleep 1000"), func(d *definition) { d.timeoutUp = 200 }),
		with(longrun("gaveup"), func(d *definition) { d.run, d.finish, d.notify = "#!/bin/sh\nexit 1\n", "#!/bin/sh\nexit 125\n", 3 }),
	)
	r := tr.run(change.Request{Op: change.Start, Live: false}, "needsbad good slow broken long gaveup")
	got := map[string]string{}
	for _, f := range r.Failed {
		got[f.Target.Name] = f.Err.Error()
	}
	for name, want := range map[string]string{
		"bad": "exit 3", "slow": "timeout-up of 200ms", "broken": "/nowhere/sh", "long": "timeout-up of 200ms", "gaveup": "permanent failure",
	} {
		if !strings.Contains(got[name], want) {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if len(r.Failed) != 5 || len(r.Skipped) != 1 || r.Skipped[0].Target.Name != "needsbad" {
		t.Errorf("%+v", r)
	}
	if got := tr.ups(); got != "good" {
		t.Errorf("up: %s", got)
	}
	if _, err := s6.WaitFor(t.Context(), tr.dir.Servicedir(tr.slot("slow")), s6.GoalDownReady()); err != nil {
		t.Errorf("slow was not told to stop: %v", err)
	}
}

// A oneshot that an earlier command did not wait for is found again.
func TestRecover(t *testing.T) {
	tr := newTree(t, oneshot("wait", "echo begun >>$LOG; read x <$FIFO"), oneshot("lost", "true"))
	fifo := filepath.Join(tr.Root, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	abandon := make(chan struct{})
	tr.options.Abandon = abandon
	go func() {
		// Opening waits until the program has opened it too.
		f, err := os.OpenFile(fifo, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
		}
		close(abandon)
		t.Cleanup(func() { f.Close() })
		tr.held <- f
	}()
	r := tr.run(change.Request{Op: change.Start}, "wait")
	if len(r.Failed) != 1 || !errors.Is(r.Failed[0], change.ErrAbandoned) {
		t.Fatalf("%+v", r)
	}
	tr.options.Abandon = nil
	tr.pastRunner()
	w := tr.lock()
	if err := w.Append("test", journal.Begin{Slot: tr.slot("lost"), Phase: journal.PhaseUp}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	f := <-tr.held
	f.WriteString("\n")
	tr.must(change.Start, "wait")
	if got := tr.ups(); got != "wait" {
		t.Errorf("up: %s", got)
	}
	if got := read(t, filepath.Join(tr.Root, "log")); got != "begun\n" {
		t.Errorf("it was run again: %q", got)
	}
	if st := tr.state("lost"); st.Unknown || st.Up || st.Pending != "" {
		t.Errorf("a job that the runner was not asked for: %+v", st)
	}
}

func TestPipeline(t *testing.T) {
	tr := newTree(t,
		with(longrun("source"), func(d *definition) {
			d.run, d.feeds = "#!/bin/sh\nwhile :; do echo word; read x <$FIFO; done\n", "sink"
		}),
		with(longrun("sink"), func(d *definition) {
			d.run = "#!/bin/sh\nwhile read x; do echo \"got $x\" >>$LOG; echo >$FIFO2; done\n"
		}),
	)
	for _, name := range []string{"fifo", "fifo2"} {
		if err := syscall.Mkfifo(filepath.Join(tr.Root, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tr.must(change.Start, "source")
	b, err := os.ReadFile(filepath.Join(tr.Root, "fifo2")) // ends when the sink has got a word
	if err != nil || string(b) != "\n" {
		t.Fatalf("%q, %v", b, err)
	}
	if got := read(t, filepath.Join(tr.Root, "log")); got != "got word\n" {
		t.Errorf("%q", got)
	}
	for _, name := range []string{"source", "sink"} {
		if deaths, err := s6.ReadDeaths(tr.dir.Servicedir(tr.slot(name))); err != nil || len(deaths) > 0 {
			t.Errorf("%s has died: %v, %v", name, deaths, err)
		}
	}
	tr.must(change.Stop, "source sink")
}

// A supervisor that is killed comes again, and is waited for.
func TestSupervisorKilled(t *testing.T) {
	tr := newTree(t, longrun("a"))
	tr.must(change.Start, "a")
	dir := tr.dir.Servicedir(tr.slot("a"))
	sup, err := s6.OpenSupervisor(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer sup.Close()
	tr.must(change.Stop, "a")
	if err := syscall.Kill(sup.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := sup.Dead(t.Context()); err != nil {
		t.Fatal(err)
	}
	tr.must(change.Start, "a")
}

func TestWholeLimit(t *testing.T) {
	tr := newTree(t, with(longrun("slow"), func(d *definition) { d.notify = 3 }), oneshot("long", "exec sleep 1000"))
	tr.options.Limit = 300 * time.Millisecond
	r := tr.run(change.Request{Op: change.Start}, "slow long")
	if !errors.Is(r.Quit, change.ErrTimedOut) || len(r.Failed) != 2 {
		t.Errorf("%+v", r)
	}
}

func TestNames(t *testing.T) {
	tr := newTree(t, longrun("a"))
	v, err := tr.dir.View(tr.content(), tr.table())
	if err != nil {
		t.Fatal(err)
	}
	defer v.DB.Close()
	var bad *tree.NameError
	if _, err := tree.Resolve(v.DB, []string{"a", "x", "y"}); !errors.As(err, &bad) || fmt.Sprint(bad.Names) != "[x y]" {
		t.Errorf("%v", err)
	}
}

// In the middle of a patch only everything can be stopped, and is.
func TestHalfApplied(t *testing.T) {
	tr := newTree(t, longrun("a"), longrun("b", "a"))
	tr.must(change.Start, "b")
	w := tr.lock()
	st := tr.snapshot()
	err := w.Append("test", journal.PatchBegin{Old: st.Content, New: st.Content, Table: st.Table, NextSlot: st.NextSlot, Actions: 1})
	if err != nil {
		t.Fatal(err)
	}
	sup := tree.New(tr.dir)
	s, err := tree.Open(t.Context(), w, sup)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Plan(change.Request{Op: change.Stop, Names: []change.ID{0}}); !errors.Is(err, live.ErrHalfApplied) {
		t.Errorf("a stop in the middle of a patch: %v", err)
	}
	s.Close()
	w.Close()
	if r := tr.run(change.Request{Op: change.Stop, Live: true, Essentials: true}, ""); !r.OK() {
		t.Errorf("%+v", r)
	}
	if got := tr.ups(); got != "" {
		t.Errorf("up: %s", got)
	}
}

// A oneshot that is more than an argv runs from its definition, with the process
// set-up that its definition asks for.
func TestDefinition(t *testing.T) {
	tr := newTree(t, with(oneshot("setup", ""), func(d *definition) {
		d.change = func(s *db.Service, blobs db.Blobs) {
			s.Up = db.Program{Form: db.Script, Script: blobs.Add([]byte("#!/bin/sh\n{ cat data/word; echo $COLOUR; umask; echo $RC_NAME; } >>$LOG\n"))}
			s.Exec.Env = []db.EnvVar{{Name: "COLOUR", Value: "blue"}}
			s.Exec.Umask = db.Uint{Set: true, Value: 0o027}
			s.Files = []db.Entry{
				{Path: "data", Kind: db.Directory, Mode: 0o755},
				{Path: "data/word", Kind: db.File, Mode: 0o644, Blob: blobs.Add([]byte("hello\n"))},
			}
		}
	}))
	tr.must(change.Start, "setup")
	if got := read(t, filepath.Join(tr.Root, "log")); got != "hello\nblue\n0027\nsetup\n" {
		t.Errorf("%q", got)
	}
	tr.must(change.Stop, "setup") // there is no down: it succeeds
	if got := tr.ups(); got != "" {
		t.Errorf("up: %s", got)
	}
}

// The streams of oneshots in the foreground are ours.
func TestStreams(t *testing.T) {
	tr := newTree(t, oneshot("say", "read x; echo got $x"))
	var ends [4]*os.File
	for i := 0; i < len(ends); i += 2 {
		var err error
		if ends[i], ends[i+1], err = os.Pipe(); err != nil {
			t.Fatal(err)
		}
		defer ends[i].Close()
		defer ends[i+1].Close()
	}
	ends[1].WriteString("word\n")
	tr.streams = []*os.File{ends[0], ends[3], ends[3]}
	tr.must(change.Start, "say")
	ends[3].Close()
	if b, err := io.ReadAll(ends[2]); err != nil || string(b) != "got word\n" {
		t.Errorf("%q, %v", b, err)
	}
}

// The runner runs oneshots of the databases in the live directory, and nothing
// else.
func TestRunnerRefuses(t *testing.T) {
	tr := newTree(t, oneshot("one", "exit 0"), longrun("long"))
	tr.must(change.Start, "one")
	c, err := runner.Dial(t.Context(), tr.dir.RunnerSocket())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	good := runner.Request{ID: "x", Content: tr.content(), Service: "one", Slot: uint32(tr.slot("one")), Phase: journal.PhaseDown}
	if r, err := c.Run(t.Context(), good, nil); err != nil || !r.OK() {
		t.Errorf("%+v, %v", r, err)
	}
	for _, wrong := range []func(*runner.Request){
		func(r *runner.Request) { r.Content[0] ^= 1 },
		func(r *runner.Request) { r.Service = "long" },
		func(r *runner.Request) { r.Service = "../one" },
		func(r *runner.Request) { r.Phase = "run" },
		func(r *runner.Request) { r.LimitMS = -1 },
		func(r *runner.Request) { r.ID = "" },
	} {
		r := good
		wrong(&r)
		var refused *runner.RefusedError
		if _, err := c.Run(t.Context(), r, nil); !errors.As(err, &refused) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}
