package tree_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"strata/live"
	"strata/live/change"
	"strata/live/change/rescue"
	"strata/live/change/tree"
	"strata/live/journal"
)

// rescue stops everything by the stop order.
func (tr *testTree) rescue(ctx context.Context, o tree.Options) change.Result {
	tr.t.Helper()
	sup := tree.New(tr.dir)
	sup.Warn = func(err error) { tr.t.Log("warning:", err) }
	defer sup.Close()
	s, err := rescue.Open(ctx, tr.dir, sup, false)
	if err != nil {
		tr.t.Fatal(err)
	}
	defer s.Close()
	tr.t.Log(s.Gaps)
	r, err := s.Stop(ctx, true, o)
	if err != nil {
		tr.t.Error(err)
	}
	return r
}

// loseDatabases removes all databases.
func (tr *testTree) loseDatabases() {
	tr.t.Helper()
	dir := filepath.Join(tr.dir.Real(), "db")
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o755)); err != nil {
		tr.t.Fatal(err)
	}
}

// A down program that is run without the runner does not see a difference.
func TestDirectIsAsTheRunner(t *testing.T) {
	down := "{ env; pwd; umask; cut -d' ' -f6 /proc/$$/stat | grep -qx $$ && echo leader; ulimit -c; } >>$LOG"
	with := func(d definition) definition { d.down = down; return d }
	tr := newTree(t, with(oneshot("a", "true")))
	log := filepath.Join(tr.Root, "log")
	tr.must(change.Start, "a")
	tr.must(change.Stop, "a")
	want := read(t, log)
	if !strings.Contains(want, "\nRC_NAME=a\n") || !strings.Contains(want, "\nleader\n") {
		t.Fatalf("%q", want)
	}
	for _, damage := range []struct {
		name string
		do   func()
	}{
		{"no database", tr.loseDatabases},
		{"no runner either", func() { tr.idle() }},
	} {
		if damage.name == "no database" {
			tr.must(change.Start, "a")
		} else {
			tr.pretendUp("a")
		}
		if err := os.Remove(log); err != nil {
			t.Fatal(err)
		}
		damage.do()
		if r := tr.rescue(t.Context(), tree.Options{}); !r.OK() || len(r.Done) != 1 {
			t.Errorf("%s: %+v", damage.name, r)
		}
		if got := read(t, log); got != want {
			t.Errorf("%s: the program saw\n%s\ninstead of\n%s", damage.name, got, want)
		}
	}
}

// idle stops the internal services.
func (tr *testTree) idle() {
	tr.t.Helper()
	sup := tree.New(tr.dir)
	defer sup.Close()
	if err := sup.Idle(tr.t.Context()); err != nil {
		tr.t.Fatal(err)
	}
}

// pretendUp has the journal say that a service is up.
func (tr *testTree) pretendUp(name string) {
	tr.t.Helper()
	w := tr.lock()
	defer w.Close()
	if err := w.Append("test", journal.Up{Slot: w.Journal().Table[0].Slot}); err != nil {
		tr.t.Fatal(err)
	}
}

// The rules are those of the ordinary way, but what cannot be stopped, or not in
// time, holds nothing up.
func TestRescueLimits(t *testing.T) {
	slow := oneshot("slow", "true", "base")
	slow.down, slow.timeoutDown = "exec sleep 1000", 100
	stuck := with(longrun("stuck"), func(d *definition) {
		d.run, d.notify = "#!/bin/sh\ntrap '' TERM\necho >&3\nexec 3>&-\nwhile :; do sleep 1000; done\n", 3
	})
	tr := newTree(t, slow, stuck, longrun("base"), longrun("top", "slow"))
	tr.must(change.Start, "top stuck")
	t.Cleanup(func() { syscall.Kill(-tr.status("stuck").PID, syscall.SIGKILL) })
	tr.loseDatabases()
	if r := tr.rescue(t.Context(), tree.Options{Dry: true}); len(r.Done) != 4 {
		t.Errorf("%+v", r)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	var events []string
	r := tr.rescue(ctx, tree.Options{Observe: func(e change.Event) {
		if e.Kind == change.Done || e.Kind == change.Failed {
			events = append(events, e.Target.Name)
		}
		if e.Kind == change.Done && e.Target.Name == "base" {
			cancel(change.ErrInterrupted)
		}
	}})
	if !errors.Is(r.Quit, change.ErrInterrupted) || len(r.Failed) != 2 || len(r.Done) != 2 {
		t.Errorf("%+v", r)
	}
	if got := strings.Join(events, " "); got != "top slow base stuck" {
		t.Errorf("the order was %s", got)
	}
	if tr.status("stuck").PID == 0 {
		t.Error("stuck has ended")
	}
}

// In the middle of a patch the services of both databases are stopped.
func TestRescueHalfApplied(t *testing.T) {
	tr := newTree(t, longrun("a"), longrun("b", "a"))
	tr.must(change.Start, "b")
	w := tr.lock()
	next := filepath.Join(tr.Root, "next")
	writeDB(t, next, []definition{longrun("a"), longrun("b", "a"), longrun("c", "b")})
	newer, err := w.AddDB(next)
	if err != nil {
		t.Fatal(err)
	}
	defer newer.Close()
	st := w.Journal()
	table, slot := w.NewTable(newer, func(id change.ID) (live.Slot, bool) {
		if int(id) < len(st.Table) {
			return st.Table[id].Slot, true
		}
		return 0, false
	})
	old, err := tr.dir.View(st.Content, st.Table)
	if err != nil {
		t.Fatal(err)
	}
	defer old.DB.Close()
	v := live.View{DB: newer, Table: table}
	if err := w.WriteStopOrder(old, v); err != nil {
		t.Fatal(err)
	}
	if err := w.Append("test", journal.PatchBegin{Old: st.Content, New: newer.Content(), Table: table, NextSlot: slot, Actions: 1}); err != nil {
		t.Fatal(err)
	}
	if err := w.MakeServicedir(v, 2); err != nil {
		t.Fatal(err)
	}
	if err := w.Supervise(t.Context(), []live.Named{{Name: "c", Slot: table[2].Slot}}); err != nil {
		t.Fatal(err)
	}
	sup := tree.New(tr.dir)
	if err := sup.Up(t.Context(), change.Target{Name: "c", Slot: table[2].Slot}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	tr.loseDatabases()
	var order []string
	r := tr.rescue(t.Context(), tree.Options{Observe: func(e change.Event) {
		if e.Kind == change.Done {
			order = append(order, e.Target.Name)
		}
	}})
	if got := strings.Join(order, " "); !r.OK() || got != "c b a" {
		t.Errorf("%s, %+v", got, r)
	}
}

// A program that an earlier command has left running ends before the down program
// begins.
func TestRescueWaitsForJobs(t *testing.T) {
	const work = "i=0; while test $i -lt 30000; do i=$((i+1)); done"
	slow := oneshot("slow", "echo >$FIFO2; read x <$FIFO; "+work+"; echo up >>$LOG")
	slow.down = "echo down >>$LOG"
	tr := newTree(t, slow)
	begun, let := tr.fifo("fifo2"), tr.fifo("fifo")
	abandon := make(chan struct{})
	tr.options.Abandon = abandon
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		readLine(t, begun)
		cancel(change.ErrInterrupted)
		close(abandon)
	}()
	if r := tr.runIn(ctx, change.Request{Op: change.Start}, "slow"); len(r.Failed) != 1 || !errors.Is(r.Failed[0], change.ErrAbandoned) {
		t.Fatalf("%+v", r)
	}
	tr.loseDatabases()
	r := tr.rescue(t.Context(), tree.Options{Observe: func(e change.Event) {
		if e.Kind == change.Began {
			writeLine(t, let)
		}
	}})
	if !r.OK() {
		t.Errorf("%+v", r)
	}
	if got := read(t, filepath.Join(tr.Root, "log")); got != "up\ndown\n" {
		t.Errorf("the programs wrote %q", got)
	}
}
