package live_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
)

// halfApply leaves the directory in the middle of a patch: b is called x, and c,
// which only the patch's database has, has its supervisor.
func (tr tree) halfApply(path, newdb string) {
	tr.t.Helper()
	d, err := live.Open(path)
	if err != nil {
		tr.t.Fatal(err)
	}
	w, err := d.Lock(tr.t.Context(), false)
	if err != nil {
		tr.t.Fatal(err)
	}
	next, err := w.AddDB(newdb)
	if err != nil {
		tr.t.Fatal(err)
	}
	defer next.Close()
	j := w.Journal()
	v := live.View{DB: next}
	var free live.Slot
	v.Table, free = w.NewTable(next, func(id db.ServiceID) (live.Slot, bool) {
		i := slices.IndexFunc(j.Table, func(e journal.Entry) bool { return e.Name == next.Name(id) || e.Name == "b" && next.Name(id) == "x" })
		if i < 0 {
			return 0, false
		}
		return j.Table[i].Slot, true
	})
	c := slices.IndexFunc(v.Table, func(e journal.Entry) bool { return e.Name == "c" })
	x := slices.IndexFunc(v.Table, func(e journal.Entry) bool { return e.Name == "x" })
	made := live.Named{Name: "c", Slot: v.Table[c].Slot}
	err = errors.Join(
		w.Append("test", journal.PatchBegin{Old: j.Content, New: next.Content(), Table: v.Table, NextSlot: free, Actions: 3}),
		w.MakeServicedir(v, db.ServiceID(c)), w.LinkName(made), w.Rename([]live.Renaming{{Slot: v.Table[x].Slot, To: "x"}}), w.Supervise(tr.t.Context(), []live.Named{made}), w.Close(),
	)
	if err != nil {
		tr.t.Fatal(err)
	}
}

// TestInitHalfKilled ends an init over a half-applied directory at each of its
// steps, and runs it again.
func TestInitHalfKilled(t *testing.T) {
	tr := newTree(t)
	old := writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"), longrun("b"))
	next := writeDB(t, filepath.Join(tr.Root, "db2"), longrun("a"), longrun("x"), longrun("c"))
	steps := map[string]bool{}
	// Until both have no more steps, and then, since how many there are depends on
	// how fast s6-svscan is, at the last one by its name.
	for n, left := 1, 4; left > 0; n++ {
		o := tr.options(old)
		o.Live, o.Prefix = filepath.Join(tr.Root, fmt.Sprintf("live%d", n)), fmt.Sprintf("%d-", n)
		if _, err := live.Init(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		tr.halfApply(o.Live, next)
		names := []string{"a", "b"}
		if n%2 == 0 {
			o.DB, names = next, []string{"a", "c", "x"}
		}
		var step string
		killed := false
		if left > 2 {
			step, killed = killedInit(t, o, (n+1)/2)
		} else {
			step, _ = killedWhen(t, o, func(name string) bool { return name == "supervise" })
		}
		steps[step] = true
		if left--; killed {
			left = 4
		}
		if _, err := live.Init(t.Context(), o); err != nil {
			t.Fatalf("after kill at %s (%d): %v", step, n, err)
		}
		d := wholeDir(t, tr, o.Live, names...)
		w, err := d.Lock(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		var list []live.Named
		for _, in := range live.Internals() {
			list = append(list, live.Named(in))
		}
		for _, e := range w.Journal().Table {
			list = append(list, live.Named{Name: e.Name, Slot: e.Slot})
		}
		if err := errors.Join(w.Unsupervise(t.Context(), list), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if !steps["end-half"] || !steps["remove-old"] || !steps["supervise"] {
		t.Errorf("only steps %v", steps)
	}
}

// TestInitHalf leaves a half-applied directory alone while something is up, or
// somebody works on it.
func TestInitHalf(t *testing.T) {
	tr := newTree(t)
	old := writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"), longrun("b"))
	next := writeDB(t, filepath.Join(tr.Root, "db2"), longrun("a"), longrun("x"), longrun("c"))
	d := tr.init(old)
	tr.halfApply(d.Path(), next)
	st, err := d.State()
	if err != nil {
		t.Fatal(err)
	}
	// What only the patch's database knows counts too.
	c := slices.IndexFunc(st.Other, func(s live.ServiceState) bool { return s.Name == "c" })
	dir := d.Servicedir(st.Other[c].Slot)
	for _, o := range []live.InitOptions{tr.options(old), tr.options(next)} {
		if err := s6.SendControl(dir, s6.CmdUp); err != nil {
			t.Fatal(err)
		}
		if _, err := s6.WaitFor(t.Context(), dir, s6.GoalUp()); err != nil {
			t.Fatal(err)
		}
		if r, err := live.Init(t.Context(), o); (err != nil || !r.Patched) && !errors.Is(err, live.ErrHalfApplied) {
			t.Errorf("init while c is up: %+v, %v", r, err)
		}
		if err := s6.SendControl(dir, s6.CmdDown); err != nil {
			t.Fatal(err)
		}
		if _, err := s6.WaitFor(t.Context(), dir, s6.GoalDown()); err != nil {
			t.Fatal(err)
		}
		w, err := d.Lock(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		var busy *live.BusyError
		if r, err := live.Init(t.Context(), o); !errors.As(err, &busy) {
			t.Errorf("init while somebody works: %+v, %v", r, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	o := tr.options(next)
	o.Prefix = "x-"
	if _, err := live.Init(t.Context(), o); !errors.Is(err, live.ErrMismatch) {
		t.Errorf("init with another prefix: %v", err)
	}
	if now, err := live.Open(d.Path()); err != nil || now.Real() != d.Real() {
		t.Errorf("the directory was replaced: %v", err)
	}
}
