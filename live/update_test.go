package live_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
)

// start brings a longrun up without the engine, as the journal has it then.
func start(t *testing.T, w *live.Writer, slot live.Slot, def db.Digest) int {
	t.Helper()
	if err := s6.SendControl(w.Servicedir(slot), s6.CmdUp); err != nil {
		t.Fatal(err)
	}
	st, err := s6.WaitFor(t.Context(), w.Servicedir(slot), s6.GoalUp())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append("test", journal.Up{Slot: slot, Def: def}); err != nil {
		t.Fatal(err)
	}
	return st.PID
}

// service finds a service by name.
func service(t *testing.T, list []live.ServiceState, name string) live.ServiceState {
	t.Helper()
	i := slices.IndexFunc(list, func(s live.ServiceState) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no service %s", name)
	}
	return list[i]
}

func lock(t *testing.T, d *live.Dir) *live.Writer {
	t.Helper()
	w, err := d.Lock(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func view(t *testing.T, d *live.Dir, s *live.State) live.View {
	t.Helper()
	v, err := d.View(s.Content, s.Table)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.DB.Close() })
	return v
}

func state(t *testing.T, d interface{ State() (*live.State, error) }) *live.State {
	t.Helper()
	s, err := d.State()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestOwnDatabase: the file that the current database was copied from is not copied
// again, and what has become of its contents does not matter. Another file with the same
// content is: its notes are newer.
func TestOwnDatabase(t *testing.T) {
	tr := newTree(t)
	path := writeDB(t, filepath.Join(tr.Root, "old"), longrun("a"), oneshot("o"))
	d := tr.init(path)
	w := lock(t, d)
	defer w.Close()
	copied := d.DatabasePath(state(t, w).Content)
	add := func(path string) (same bool) {
		t.Helper()
		before, err := os.Stat(copied)
		if err != nil {
			t.Fatal(err)
		}
		added, err := w.AddDB(path)
		if err != nil {
			t.Fatal(err)
		}
		seen, err := d.PreviewDB(path, added.Content())
		if err != nil || seen.File() != added.File() {
			t.Errorf("previewed: %v", err)
		}
		after, err := os.Stat(copied)
		if err := errors.Join(err, added.Close(), seen.Close()); err != nil {
			t.Fatal(err)
		}
		return os.SameFile(before, after)
	}
	if !add(path) {
		t.Error("copied again")
	}
	moved := longrun("a")
	moved.change = func(s *db.Service, _ db.Blobs) { s.Description = "described since" }
	if add(writeDB(t, filepath.Join(tr.Root, "moved"), moved, oneshot("o"))) {
		t.Error("not copied, though its notes differ")
	}
}

// TestStatesSince: what was touched is asked again, and nothing else.
func TestStatesSince(t *testing.T) {
	tr := newTree(t)
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "old"), longrun("a"), longrun("b"), oneshot("o")))
	w := lock(t, d)
	defer w.Close()
	st := state(t, w)
	v := view(t, d, st)
	for i, s := range st.Services[:2] {
		start(t, w, s.Slot, v.Definition(db.ServiceID(i)))
	}
	before := state(t, w).Services
	var slots []live.Slot
	for _, s := range before {
		slots = append(slots, s.Slot)
		if s.Type == db.Longrun {
			if _, err := s6.WaitFor(t.Context(), d.Servicedir(s.Slot), s6.GoalDownReady(), s6.CmdDown); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Append("test", journal.Down{Slot: slots[0]}, journal.Up{Slot: slots[2]}); err != nil {
		t.Fatal(err)
	}
	// Nobody has told that b is down: it is found and noted.
	if got, err := w.StatesSince(slices.Clone(before), st.Table, slots[1:2]); err != nil || got[1].Up || !got[1].Observed {
		t.Errorf("%+v, %v", got, err)
	}
	now := state(t, w).Services
	if now[1].Up || now[1].Observed || now[1].Noted == "" {
		t.Errorf("not noted: %+v", now[1])
	}
	for _, touched := range [][]live.Slot{nil, slots[:1], slots[2:], slots} {
		got, err := w.StatesSince(slices.Clone(before), st.Table, touched)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range got {
			want := before[i]
			if slices.Contains(touched, s.Slot) {
				want = now[i]
			}
			if !reflect.DeepEqual(s, want) {
				t.Errorf("touched %v: %s is\n%+v, want\n%+v", touched, s.Name, s, want)
			}
		}
	}
	// Who was not there before is asked.
	if got, err := w.StatesSince(before[1:2], st.Table, nil); err != nil || !reflect.DeepEqual(got, []live.ServiceState{now[0], before[1], now[2]}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestUpdateBlocks goes from one database to another with the building blocks:
// a is changed, b is renamed to c, p and q swap their names, gone goes and new
// comes. No daemon but gone's is touched.
func TestUpdateBlocks(t *testing.T) {
	tr := newTree(t)
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "old"),
		longrun("a"), longrun("b"), longrun("gone"), longrun("p"), longrun("q"), oneshot("o")))
	w := lock(t, d)
	defer w.Close()
	old := state(t, w)
	v := view(t, d, old)
	pids := make(map[live.Slot]int)
	for i, s := range old.Services {
		if s.Type == db.Longrun {
			pids[s.Slot] = start(t, w, s.Slot, v.Definition(db.ServiceID(i)))
		}
	}
	changed := longrun("a")
	changed.run += "# changed\n"
	renames := map[string]string{"a": "a", "c": "b", "p": "q", "q": "p", "o": "o"}
	ndb, err := w.AddDB(writeDB(t, filepath.Join(tr.Root, "new"),
		changed, longrun("c"), longrun("new"), longrun("p"), longrun("q"), oneshot("o")))
	if err != nil {
		t.Fatal(err)
	}
	defer ndb.Close()
	table, next := w.NewTable(ndb, func(id db.ServiceID) (live.Slot, bool) {
		from, ok := renames[ndb.Name(id)]
		if !ok {
			return 0, false
		}
		return service(t, old.Services, from).Slot, true
	})
	nv := live.View{DB: ndb, Table: table}
	begin := journal.PatchBegin{Old: old.Content, New: ndb.Content(), Table: table, NextSlot: next}
	if err := w.Append("update", begin); err != nil {
		t.Fatal(err)
	}
	slot := func(name string) live.Slot {
		return table[slices.IndexFunc(table, func(e journal.Entry) bool { return e.Name == name })].Slot
	}
	named := func(name string) live.Named { return live.Named{Name: name, Slot: slot(name)} }
	gone := live.Named{Name: "gone", Slot: service(t, old.Services, "gone").Slot}

	// Everything is done twice: each block can be repeated.
	for round := range 2 {
		for i := range table {
			id := db.ServiceID(i)
			if err := w.MakeServicedir(nv, id); err != nil {
				t.Fatal(err)
			}
			def, err := w.SwitchDef(nv, id)
			if want := table[i].Name == "a" && round == 0; err != nil || def != want {
				t.Errorf("%s: definition changed %v, %v", table[i].Name, def, err)
			}
		}
		if err := errors.Join(
			w.LinkName(named("new")),
			w.Supervise(t.Context(), []live.Named{named("new")}),
			w.Rename([]live.Renaming{{Slot: slot("c"), To: "c"}, {Slot: slot("p"), To: "p"}, {Slot: slot("q"), To: "q"}}),
			w.Unsupervise(t.Context(), []live.Named{gone}),
			w.UnlinkName("gone"),
			w.RemoveSlot(gone.Slot),
			w.SwitchCompiled(ndb.Content()),
		); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Append("update", journal.Switch{Content: ndb.Content(), Table: table, NextSlot: next}); err != nil {
		t.Fatal(err)
	}
	s := state(t, w)
	if s.Patch == nil || !s.Patch.Switched || len(s.Other) != 6 {
		t.Errorf("after the switch: %+v", s)
	}
	if err := w.Append("update", journal.PatchEnd{Outcome: journal.Applied}); err != nil {
		t.Fatal(err)
	}
	if err := w.Sweep(); err != nil {
		t.Error(err)
	}
	s = state(t, w)
	for _, sv := range s.Services {
		want := sv.Type == db.Longrun && sv.Name != "new"
		if sv.Up != want || sv.Observed || want && sv.Status.PID != pids[sv.Slot] {
			t.Errorf("service %+v, want up %v with pid %d", sv, want, pids[sv.Slot])
		}
	}
	for name, from := range renames {
		if s.Services[slices.IndexFunc(s.Services, func(v live.ServiceState) bool { return v.Name == name })].Slot != service(t, old.Services, from).Slot {
			t.Errorf("%s has not the slot of %s", name, from)
		}
	}
	for _, e := range longrunsOf(table) {
		for _, path := range []string{d.NamePath(e.Name), filepath.Join(tr.Dir, e.Name)} {
			at, err1 := os.Stat(path)
			dir, err2 := os.Stat(d.Servicedir(e.Slot))
			if err1 != nil || err2 != nil || !os.SameFile(at, dir) {
				t.Errorf("%s is not slot %d: %v, %v", path, e.Slot, err1, err2)
			}
		}
	}
	if left := listing(t, filepath.Join(d.Real(), "db")); len(left) != 1 {
		t.Errorf("databases %q", left)
	}
	if left := listing(t, tr.Dir); len(left) != 5+len(live.Internals()) {
		t.Errorf("scandir %q", left)
	}
	// What a runs with is the old definition, which is kept; b's did not change.
	a := service(t, s.Services, "a")
	if _, err := os.Stat(d.DefinitionDir(a.Slot, a.Def)); err != nil || a.Def == nv.Definition(0) {
		t.Errorf("definition of a: %v", err)
	}
}

func longrunsOf(t journal.Table) []journal.Entry {
	return slices.DeleteFunc(slices.Clone(t), func(e journal.Entry) bool { return e.Type != db.Longrun })
}

// TestSwitchDef switches a definition under a running daemon: the next start has
// the new one.
func TestSwitchDef(t *testing.T) {
	tr := newTree(t)
	withTemplate := func(text string) definition {
		return definition{name: "a", run: sleeper + "# " + text, change: func(s *db.Service, b db.Blobs) {
			s.Files = []db.Entry{
				{Path: "data", Kind: db.Directory, Mode: 0o755},
				{Path: "data/x", Kind: db.File, Mode: 0o644, Blob: b.Add([]byte(text))},
				{Path: "template", Kind: db.Directory, Mode: 0o755},
				{Path: "template/" + text, Kind: db.File, Mode: 0o644, Blob: b.Add([]byte(text))},
			}
		}}
	}
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "old"), withTemplate("old")))
	w := lock(t, d)
	defer w.Close()
	s := state(t, w)
	v := view(t, d, s)
	pid := start(t, w, live.FirstSlot, v.Definition(0))
	dir := d.Servicedir(live.FirstSlot)
	// Something is changed in data by hand.
	if err := os.WriteFile(filepath.Join(dir, "data/x"), []byte("hand"), 0o644); err != nil {
		t.Fatal(err)
	}
	ndb, err := w.AddDB(writeDB(t, filepath.Join(tr.Root, "new"), withTemplate("new")))
	if err != nil {
		t.Fatal(err)
	}
	defer ndb.Close()
	nv := live.View{DB: ndb, Table: s.Table}
	if changed, err := w.SwitchDef(nv, 0); err != nil || !changed {
		t.Fatalf("switch: %v, %v", changed, err)
	}
	if changed, err := w.SwitchDef(nv, 0); err != nil || changed {
		t.Errorf("switch again: %v, %v", changed, err)
	}
	if err := w.Append("", journal.Redefined{Slot: live.FirstSlot, Def: nv.Definition(0)}); err != nil {
		t.Fatal(err)
	}
	if x, err := os.ReadFile(filepath.Join(dir, "data/x")); err != nil || string(x) != "new" {
		t.Errorf("data/x is %q, %v", x, err)
	}
	kept := filepath.Join(d.DefinitionDir(live.FirstSlot, v.Definition(0)), "data/x")
	if x, err := os.ReadFile(kept); err != nil || string(x) != "hand" {
		t.Errorf("kept data/x is %q, %v", x, err)
	}
	if got := listing(t, filepath.Join(dir, "template")); !slices.Equal(got, []string{"new"}) {
		t.Errorf("template holds %q", got)
	}
	got := state(t, w).Services[0]
	if !got.Up || got.Status.PID != pid || got.Def != v.Definition(0) {
		t.Errorf("after the switch: %+v", got)
	}
}

// TestRenameKilled ends renames after each step, and goes on or takes them back.
func TestRenameKilled(t *testing.T) {
	tr := newTree(t)
	defs := []definition{longrun("p"), longrun("q"), longrun("r"), longrun("s")}
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "db"), defs...))
	w := lock(t, d)
	defer w.Close()
	killed := errors.New("killed")
	slot := func(i int) live.Slot { return live.FirstSlot + live.Slot(i) }
	// A swap, and a chain into a free name.
	old := []live.Renaming{{slot(0), "p"}, {slot(1), "q"}, {slot(2), "r"}, {slot(3), "s"}}
	renamed := []live.Renaming{{slot(0), "q"}, {slot(1), "p"}, {slot(2), "s"}, {slot(3), "t"}}
	at := func(list []live.Renaming, when string) {
		t.Helper()
		for _, r := range list {
			for _, path := range []string{d.NamePath(r.To), filepath.Join(tr.Dir, r.To)} {
				at, err1 := os.Stat(path)
				dir, err2 := os.Stat(d.Servicedir(r.Slot))
				if err1 != nil || err2 != nil || !os.SameFile(at, dir) {
					t.Errorf("%s: %s is not slot %d: %v", when, path, r.Slot, errors.Join(err1, err2))
				}
			}
		}
	}
	for _, target := range [][]live.Renaming{renamed, old} {
		for n := 1; ; n++ {
			left := n
			w.Hooks = func(string) error {
				if left--; left == 0 {
					return killed
				}
				return nil
			}
			err := w.Rename(renamed)
			w.Hooks = nil
			if err == nil {
				if n != 7 {
					t.Errorf("there were %d steps", n-1)
				}
				break
			}
			if !errors.Is(err, killed) {
				t.Fatal(err)
			}
			for range 2 {
				if err := w.Rename(target); err != nil {
					t.Fatal(err)
				}
			}
			at(target, fmt.Sprintf("step %d", n))
			if err := w.Rename(old); err != nil {
				t.Fatal(err)
			}
			at(old, "taken back")
		}
		at(renamed, "in the end")
		if err := w.Rename(old); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Rename([]live.Renaming{{slot(0), "r"}}); err == nil {
		t.Error("a name that another service has was given")
	}
	if got := listing(t, filepath.Join(d.Real(), "servicedirs")); !slices.Equal(got, []string{"p", "q", "r", "s", live.Applier.Name, live.Holder.Name, live.Runner.Name}) {
		t.Errorf("servicedirs %q", got)
	}
}

// TestSweepNames: a service that is in no table, but whose names an update could not
// remove, goes with its names, its supervisor and its process; nothing else does.
func TestSweepNames(t *testing.T) {
	tr := newTree(t)
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "old"), longrun("a")))
	w := lock(t, d)
	defer w.Close()
	ndb, err := w.AddDB(writeDB(t, filepath.Join(tr.Root, "new"), longrun("a"), longrun("stray")))
	if err != nil {
		t.Fatal(err)
	}
	defer ndb.Close()
	old := state(t, w)
	table, _ := w.NewTable(ndb, func(id db.ServiceID) (live.Slot, bool) {
		return service(t, old.Services, "a").Slot, ndb.Name(id) == "a"
	})
	stray := live.Named{Name: "stray", Slot: table[1].Slot}
	v := live.View{DB: ndb, Table: table}
	if err := errors.Join(w.MakeServicedir(v, 1), w.LinkName(stray), w.Supervise(t.Context(), []live.Named{stray})); err != nil {
		t.Fatal(err)
	}
	start(t, w, stray.Slot, v.Definition(1))
	if err := w.Sweep(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(tr.Dir, d.Prefix()+"stray"), d.NamePath("stray"), d.Servicedir(stray.Slot)} {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
	a := service(t, state(t, w).Services, "a")
	for _, path := range []string{filepath.Join(tr.Dir, d.Prefix()+"a"), d.NamePath("a"), d.Servicedir(a.Slot)} {
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
}
