package update

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/journal"
)

// updated updates and expects that all of it works.
func (m *machineTest) updated(new specs, o Options, conv ...string) *Patch {
	m.t.Helper()
	if o.Policy == "" {
		o.Policy = Definition
	}
	p, r, err := m.update(new, o, conv...)
	if err != nil || !r.OK() || len(r.Notes) > 0 || r.Outcome != journal.Applied {
		m.t.Fatalf("update: %+v, %v", r, err)
	}
	m.consistent()
	return p
}

// consistent holds what is on disk against the journal: one link for each name,
// one slot for each service, and nothing left over.
func (m *machineTest) consistent() {
	m.t.Helper()
	want := map[string]string{}
	slots := []string{"1", "2", "3"}
	for _, in := range live.Internals() {
		want[in.Name] = m.d.Servicedir(in.Slot)
	}
	for _, e := range m.w.Journal().Table {
		if e.Type == db.Longrun {
			want[e.Name] = m.d.Servicedir(e.Slot)
			slots = append(slots, filepath.Base(m.d.Servicedir(e.Slot)))
		}
	}
	names, scan := map[string]string{}, map[string]string{}
	for _, e := range m.entries(m.d.Real() + "/servicedirs") {
		path, err := filepath.EvalSymlinks(filepath.Join(m.d.Real(), "servicedirs", e))
		if err != nil {
			m.t.Error(err)
		}
		names[e] = path
	}
	for _, e := range m.entries(m.Dir) {
		if name, ours := strings.CutPrefix(e, m.d.Prefix()); ours {
			path, err := os.Readlink(filepath.Join(m.Dir, e))
			if err != nil {
				m.t.Error(err)
			}
			scan[name] = path
		}
	}
	if d := cmp.Diff(want, names); d != "" {
		m.t.Errorf("servicedirs (-want +got):\n%s", d)
	}
	if d := cmp.Diff(want, scan); d != "" {
		m.t.Errorf("scandir (-want +got):\n%s", d)
	}
	slices.Sort(slots)
	if d := cmp.Diff(slots, m.entries(m.d.Real()+"/sv")); d != "" {
		m.t.Errorf("sv (-want +got):\n%s", d)
	}
	if got := m.entries(m.d.Real() + "/db"); len(got) != 1 {
		m.t.Errorf("databases %v, want one", got)
	}
	st := m.state()
	if st.Patch != nil {
		m.t.Errorf("a patch is under way: %+v", st.Patch)
	}
	v, err := m.d.View(st.Content, st.Table)
	if err != nil {
		m.t.Fatal(err)
	}
	defer v.DB.Close()
	for i, e := range st.Table {
		def, err := os.Readlink(m.d.Servicedir(e.Slot) + "/def")
		if e.Type == db.Longrun && (err != nil || filepath.Base(def) != v.Definition(id(i)).String()) {
			m.t.Errorf("%s: definition %s, %v; want %s", e.Name, def, err, v.Definition(id(i)))
		}
	}
}

func (m *machineTest) entries(dir string) []string {
	m.t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		m.t.Fatal(err)
	}
	out := []string{}
	for _, e := range list {
		if e.Name()[0] != '.' {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out
}

// samePIDs expects that these services, by their new and old names, are the same
// processes.
func (m *machineTest) samePIDs(before map[string]int, pairs map[string]string) {
	m.t.Helper()
	now := m.pids()
	for new, old := range pairs {
		if now[new] == 0 || now[new] != before[old] {
			m.t.Errorf("%s has pid %d, want that of %s, %d", new, now[new], old, before[old])
		}
	}
}

func TestApplyLeastAction(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := specs{"db": longrun(), "web": longrun("db"), "other": longrun(), "keep": longrun().with(func(s *spec) { s.Finish = "# 1" }), "setup": oneshot(), "down": longrun()}
	m := b.init(old, "web", "other", "keep", "setup")
	defer m.end()
	before := m.pids()
	m.updated(specs{
		"db": longrun(), "web": longrun("db").with(runs("# new")), "other": longrun(),
		"keep": longrun().with(func(s *spec) { s.Finish = "# 2" }), "setup": oneshot().with(runs("exit 1")), "down": longrun().with(runs("# new")),
	}, Options{})
	m.samePIDs(before, map[string]string{"db": "db", "other": "other", "keep": "keep"})
	if pid := m.pids()["web"]; pid == before["web"] || pid == 0 {
		t.Errorf("web has pid %d, and had %d", pid, before["web"])
	}
	if got := m.up(); !slices.Equal(got, []string{"db", "keep", "other", "setup", "web"}) {
		t.Errorf("up: %v", got)
	}
	v, err := m.d.View(m.state().Content, m.state().Table)
	if err != nil {
		t.Fatal(err)
	}
	defer v.DB.Close()
	if got := Deviations(v, m.state()); !slices.Equal(got, []Deviation{{"keep", IsStale}}) {
		t.Errorf("deviations %v", got)
	}
}

func TestApplyRenames(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	body := func(i string) func(*spec) { return runs("# " + i) }
	old := specs{"a": longrun().with(body("a")), "b": longrun().with(body("b")), "c": longrun().with(body("c")), "d": longrun().with(body("d")), "o": oneshot()}
	m := b.init(old, "a", "b", "c", "d", "o")
	defer m.end()
	before := m.pids()
	// A swap, and a chain whose end is a new name.
	m.updated(specs{"b": longrun().with(body("a")), "a": longrun().with(body("b")), "d": longrun().with(body("c")), "e": longrun().with(body("d")), "o2": oneshot()},
		Options{}, "a -> b", "b -> a", "c -> d", "d -> e", "o -> o2")
	m.samePIDs(before, map[string]string{"a": "b", "b": "a", "d": "c", "e": "d"})
	if got := m.up(); !slices.Equal(got, []string{"a", "b", "d", "e", "o2"}) {
		t.Errorf("up: %v", got)
	}
	// A cycle of three, and an old name with a new owner.
	before = m.pids()
	m.updated(specs{"b": longrun().with(body("b")), "d": longrun().with(body("a")), "a": longrun().with(body("c")), "f": longrun().with(body("d")), "e": longrun().with(body("new"))},
		Options{}, "a -> b", "b -> d", "d -> a", "e -> f")
	m.samePIDs(before, map[string]string{"b": "a", "d": "b", "a": "d", "f": "e"})
	if got := m.up(); !slices.Equal(got, []string{"a", "b", "d", "f"}) {
		t.Errorf("up: %v", got)
	}
}

func TestApplyTypes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.init(specs{"a": longrun(), "b": oneshot("a"), "c": longrun(), "x": longrun("c")}, "b", "x")
	defer m.end()
	m.updated(specs{"a": oneshot(), "b": longrun("a"), "c": {Type: "bundle", Contents: []string{"c1", "c2"}}, "c1": longrun(), "c2": oneshot(), "x": longrun("c")}, Options{})
	if got := m.up(); !slices.Equal(got, []string{"a", "b", "c1", "c2", "x"}) {
		t.Errorf("up: %v", got)
	}
	for _, s := range m.state().Services {
		if want := s.Name == "b" || s.Name == "x"; s.Wanted != want {
			t.Errorf("%s: wanted %t, want %t", s.Name, s.Wanted, want)
		}
	}
	// A longrun goes, and another one takes its name.
	m.updated(specs{"b": longrun("c2"), "c2": oneshot(), "group": {Type: "bundle", Contents: []string{"g1", "g2"}}, "g1": longrun(), "g2": oneshot()},
		Options{}, "b -> group", "x -> b")
	if got := m.up(); !slices.Equal(got, []string{"b", "c2", "g1", "g2"}) {
		t.Errorf("up: %v", got)
	}
}

func TestApplyPipelines(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	feeds := func(name string) func(*spec) { return func(s *spec) { s.Feeds = name } }
	m := b.init(specs{"p": longrun(), "log": longrun(), "q": longrun()}, "p", "log", "q")
	defer m.end()
	m.updated(specs{"p": longrun().with(feeds("log")), "log": longrun(), "q": longrun()}, Options{})
	before := m.pids()
	m.holds(live.PipeReader(m.slot("log")), live.PipeWriter(m.slot("log")))
	// One more consumer, while the holder runs.
	m.updated(specs{"p": longrun().with(feeds("log")), "log": longrun(), "q": longrun().with(feeds("r")), "r": longrun()}, Options{})
	m.holds(live.PipeReader(m.slot("log")), live.PipeReader(m.slot("r")), live.PipeWriter(m.slot("log")), live.PipeWriter(m.slot("r")))
	m.samePIDs(before, map[string]string{"p": "p", "log": "log"})
	before = m.pids()
	m.updated(specs{"p": longrun().with(feeds("log2")), "log2": longrun(), "q": longrun().with(feeds("log2"))}, Options{}, "log -> log2")
	m.samePIDs(before, map[string]string{"p": "p", "log2": "log"})
	m.holds(live.PipeReader(m.slot("log2")), live.PipeWriter(m.slot("log2")))
	before = m.pids()
	m.updated(specs{"p": longrun(), "log2": longrun(), "q": longrun()}, Options{})
	m.holds()
	for name, pid := range m.pids() {
		if pid == before[name] {
			t.Errorf("%s was not restarted when its pipe went", name)
		}
	}
}

func (m *machineTest) slot(name string) live.Slot {
	m.t.Helper()
	table := m.state().Table
	i := slices.IndexFunc(table, func(e journal.Entry) bool { return e.Name == name })
	if i < 0 {
		m.t.Fatalf("no service %s", name)
	}
	return table[i].Slot
}

// holds expects that the fd-holder has just these pipes.
func (m *machineTest) holds(want ...string) {
	m.t.Helper()
	c := (&applier{w: m.w}).holder(m.t.Context())
	if c == nil {
		m.t.Fatal("the fd-holder does not run")
	}
	defer c.Close()
	got, err := c.List(m.t.Context())
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) {
		m.t.Errorf("the fd-holder has %v, %v; want %v", got, err, want)
	}
}

func TestApplyFailures(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	failing := oneshot("db").with(func(s *spec) { s.Down = "exit 7" })
	old := specs{"db": longrun(), "job": failing, "web": longrun("job"), "other": longrun()}
	m := b.init(old, "web")
	defer m.end()
	before := m.state()
	changed := specs{"db": longrun().with(runs("# new")), "job": failing, "web": longrun("job"), "other": longrun(), "more": longrun()}
	// A stop fails: nothing is switched, and what was stopped is up again.
	_, r, err := m.update(changed, Options{Policy: Definition})
	if err != nil || r.Switched || r.OK() || r.exitCode() != 9 || len(r.Stop.Failed) != 1 || r.Outcome != journal.Aborted {
		t.Errorf("result %+v, %v", r, err)
	}
	m.consistent()
	if st := m.state(); st.Content != before.Content || !slices.Equal(m.up(), []string{"db", "job", "web"}) {
		t.Errorf("up: %v", m.up())
	}
	// As s6-rc does it: what was stopped stays down.
	_, r, err = m.update(changed, Options{Policy: Identity}, "db restart")
	if err != nil || r.Switched || r.exitCode() != 9 || !slices.Equal(m.up(), []string{"db", "job"}) {
		t.Errorf("result %+v, %v; up %v", r, err, m.up())
	}
	m.consistent()
	// A start fails: the switch was made.
	_, r, err = m.update(specs{"db": longrun(), "job": failing, "web": longrun("job"), "other": longrun(), "bad": oneshot().with(runs("exit 3")), "top": longrun("bad")},
		Options{Policy: Definition}, "job -> top")
	if err != nil || r.Switched {
		t.Errorf("result %+v, %v", r, err)
	}
	m.change(change.Start, "other")
	_, r, err = m.update(specs{"db": longrun(), "job": failing, "web": longrun("job"), "other": longrun("bad"), "bad": oneshot().with(runs("exit 3"))}, Options{Policy: Definition})
	if err != nil || !r.Switched || r.exitCode() != 1 || len(r.Start.Failed) != 1 || len(r.Start.Skipped) != 1 || r.Outcome != journal.AppliedWithFailures {
		t.Errorf("result %+v, %v", r, err)
	}
	m.consistent()
}

func TestApplyTimeout(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.init(specs{"a": oneshot().with(func(s *spec) { s.Down = "exec sleep 1000000" })}, "a")
	defer m.end()
	newdb, err := m.w.AddDB(m.write(specs{"b": longrun()}))
	if err != nil {
		t.Fatal(err)
	}
	defer newdb.Close()
	p, err := PlanLive(m.d, m.base(), newdb, Conversions{}, Options{Policy: Identity})
	if err != nil {
		t.Fatal(err)
	}
	env := m.env()
	env.Limit = 100 * time.Millisecond
	r, err := Apply(t.Context(), m.w, m.base(), newdb, p, env)
	if err != nil || r.Switched || !r.TimedOut() {
		t.Errorf("result %+v, %v", r, err)
	}
}

func TestApplyUndo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	feeds := func(s *spec) { s.Feeds = "c" }
	old := specs{"a": longrun(), "b": longrun().with(runs("# b")), "c": longrun(), "d": longrun().with(feeds), "e": oneshot(), "gone": longrun()}
	new := specs{
		"b": longrun(), "a": longrun().with(runs("# b")), "c": longrun().with(runs("# new")), "d": longrun().with(feeds), "e": longrun(), "f": longrun("e"), "h": longrun().with(func(s *spec) { s.Feeds = "f" }),
		"gone": longrun(), "group": {Type: "bundle", Contents: []string{"g1", "g2"}}, "g1": longrun(), "g2": oneshot(),
	}
	conv := []string{"a -> b", "b -> a", "gone -> group"}
	steps := map[string]bool{}
	// Every step that is reached before the switch fails once.
	for fail := 1; ; fail++ {
		m := b.init(old, "a", "b", "d", "e", "gone")
		before, count := m.pids(), 0
		boom := errors.New("boom")
		m.w.Hooks = func(step string) error {
			if count++; count == fail {
				steps[step] = true
				return boom
			}
			return nil
		}
		_, r, err := m.update(new, Options{Policy: Definition, ForceEssentials: true}, conv...)
		m.w.Hooks = nil
		if err == nil {
			m.end()
			break
		}
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if r.Switched {
			m.end()
			continue
		}
		m.consistent()
		if got := m.up(); r.Outcome != journal.Aborted && r.Outcome != "" || !slices.Equal(got, []string{"a", "b", "c", "d", "e", "gone"}) {
			t.Errorf("step %d: %+v, %v; up %v", fail, r, err, got)
		}
		m.samePIDs(before, map[string]string{"a": "a", "b": "b"})
		m.holds(live.PipeReader(m.slot("c")), live.PipeWriter(m.slot("c")))
		m.end()
	}
	for _, step := range []string{"keep-patch", "update-make", "rename", "switch-def", "update-supervise", "update-database"} {
		if !steps[step] {
			t.Errorf("step %s was never tried: %v", step, slices.Sorted(maps.Keys(steps)))
		}
	}
}

func TestApplyFits(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.init(specs{"a": longrun(), "b": longrun()}, "a")
	defer m.end()
	newdb, err := m.w.AddDB(m.write(specs{"a": longrun().with(runs("# new")), "b": longrun()}))
	if err != nil {
		t.Fatal(err)
	}
	defer newdb.Close()
	p, err := PlanLive(m.d, m.base(), newdb, Conversions{}, Options{Policy: Definition})
	if err != nil {
		t.Fatal(err)
	}
	m.change(change.Start, "b")
	if _, err := Apply(t.Context(), m.w, m.base(), newdb, p, m.env()); !errors.Is(err, ErrFit) {
		t.Errorf("after another start: %v, want %v", err, ErrFit)
	}
	m.change(change.Stop, "b")
	if _, err := Apply(t.Context(), m.w, m.base(), newdb, p, m.env()); err != nil {
		t.Errorf("in the same state again: %v", err)
	}
	if _, err := Apply(t.Context(), m.w, m.base(), newdb, p, m.env()); !errors.Is(err, ErrFit) {
		t.Errorf("a second time: %v, want %v", err, ErrFit)
	}
}

func TestApplyReload(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	fifo := filepath.Join(b.Root, "heard")
	mkfifo(t, fifo)
	// The shell hears the signal while it waits for its child.
	script := "trap 'echo heard > " + fifo + "' HUP\necho >&3\nsleep 1000000 & while :; do wait $!; done"
	a := longrun().with(func(s *spec) { s.Run, s.OnChange, s.Ready = script, db.Reload, true })
	m := b.init(specs{"a": a}, "a")
	defer m.end()
	before := m.pids()
	heard := make(chan string)
	go func() {
		text, _ := os.ReadFile(fifo)
		heard <- string(text)
	}()
	m.updated(specs{"a": a.with(func(s *spec) { s.Run += "\n# new" })}, Options{})
	if got := <-heard; got != "heard\n" {
		t.Errorf("heard %q", got)
	}
	m.samePIDs(before, map[string]string{"a": "a"})
}
