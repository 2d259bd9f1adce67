package update

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"strata/compile/db"
	"strata/live/s6/s6test"
)

// TestLongPlanner looks at many more random patches than the ordinary tests.
func TestLongPlanner(t *testing.T) {
	s6test.Long(t)
	t.Parallel()
	for name, property := range map[string]func(*rapid.T){
		"there and back": patchLeadsThereAndBack, "chains": chainsAreShortest, "cheapest": noPatchIsCheaper,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const times = 300 // as often as rapid does each time
			for range times {
				rapid.Check(t, property)
			}
		})
	}
}

// TestL1ClassOfEachChange changes one field of a service that is up: its process goes
// on, is told to reload, or is replaced, as the field's class says.
func TestL1ClassOfEachChange(t *testing.T) {
	t.Parallel()
	set := func(change func(*db.Service)) func(*spec) { return func(s *spec) { s.Edit = change } }
	restart := []string{"stop a", "define a", "switch", "start a"}
	goesOn := []string{"define a", "switch"}
	for _, c := range []struct {
		name    string
		change  func(*spec)
		longrun []string
		oneshot []string
	}{
		{"run or up", runs("# new"), restart, goesOn},
		{"finish", func(s *spec) { s.Finish = "# new" }, goesOn, goesOn},
		{"down", func(s *spec) { s.Down = "# new" }, goesOn, goesOn},
		{"env", set(func(s *db.Service) { s.Exec.Env = []db.EnvVar{{Name: "A", Value: "b"}} }), restart, goesOn},
		{"user", set(func(s *db.Service) { s.Exec.User = "nobody" }), restart, goesOn},
		{"timeout-up", set(func(s *db.Service) { s.TimeoutUp = 1 }), goesOn, goesOn},
		{"timeout-kill", set(func(s *db.Service) { s.TimeoutKill = db.Uint{Set: true, Value: 1} }), goesOn, goesOn},
		{"down-signal", set(func(s *db.Service) { s.DownSignal = []byte("SIGINT\n") }), goesOn, goesOn},
		{"notification-fd", set(func(s *db.Service) { s.NotificationFD = db.Uint{Set: true, Value: 3} }), restart, goesOn},
		{"data", set(func(s *db.Service) { s.Files = []db.Entry{{Path: "data/x", Kind: db.Directory, Mode: 0o755}} }), restart, goesOn},
		{"flags", func(s *spec) { s.Essential = true }, []string{"switch"}, []string{"switch"}},
		{"description", set(func(s *db.Service) { s.Description = "text" }), []string{}, []string{}},
	} {
		for _, kind := range []struct {
			base spec
			want []string
		}{{longrun(), c.longrun}, {oneshot(), c.oneshot}} {
			p, err := planned(t, specs{"a": kind.base}, specs{"a": kind.base.with(c.change)}, up("a"), Options{})
			if d := cmp.Diff(kind.want, brief(p)); err != nil || d != "" {
				t.Errorf("%s of a %s: %v (-want +got):\n%s", c.name, kind.base.Type, err, d)
			}
		}
	}
}

// TestL6Identity: the same databases, chains and swaps of names, names taken over by
// others, and every change of type.
func TestL6Identity(t *testing.T) {
	t.Parallel()
	a, b, c := longrun().with(runs("# a")), longrun().with(runs("# b")), longrun().with(runs("# c"))
	bundle := func(contents ...string) spec { return spec{Type: "bundle", Contents: contents} }
	from := func(names ...string) func(*spec) { return func(s *spec) { s.From = names } }
	for _, k := range []struct {
		name     string
		old, new specs
		conv     []string
		want     []string
	}{
		{"nothing", specs{"a": a, "b": b}, specs{"a": a, "b": b}, nil, []string{}},
		{"a file that says the same", specs{"a": a, "b": b}, specs{"a": a, "b": b}, []string{"a -> a"}, []string{}},
		{"a chain", specs{"a": a, "b": b, "c": c}, specs{"b": a, "c": b, "d": c}, []string{"a -> b", "b -> c", "c -> d"}, []string{"rename a", "rename b", "rename c", "switch"}},
		{"a swap", specs{"a": a, "b": b}, specs{"a": b, "b": a}, []string{"a -> b", "b -> a"}, []string{"rename b", "rename a", "switch"}},
		{"a circle of three", specs{"a": a, "b": b, "c": c}, specs{"a": c, "b": a, "c": b}, []string{"a -> b", "b -> c", "c -> a"}, []string{"rename c", "rename a", "rename b", "switch"}},
		{"renamed, and a new owner of the name", specs{"a": a}, specs{"b": a, "a": c}, []string{"a -> b"}, []string{"make a", "rename a", "switch"}},
		{"renamed to the name of one that is gone", specs{"a": a, "b": b}, specs{"b": a}, []string{"a -> b", "b -> b"}, nil},
		{"renamed and changed", specs{"a": a}, specs{"b": b}, []string{"a -> b"}, []string{"stop a", "rename a", "define a", "switch", "start b"}},
		{"renamed, another type", specs{"a": a}, specs{"b": oneshot()}, []string{"a -> b"}, []string{"stop a", "make b", "switch", "remove a", "start b"}},
		{"renamed more than once since", specs{"a": a}, specs{"c": a.with(from("b", "a"))}, nil, []string{"rename a", "switch"}},
		{"the file comes before renamed-from", specs{"a": a}, specs{"b": a.with(from("a")), "c": a}, []string{"a -> c"}, []string{"make b", "rename a", "switch"}},
		{"longrun to oneshot", specs{"a": a}, specs{"a": oneshot()}, nil, []string{"stop a", "make a", "switch", "remove a", "start a"}},
		{"oneshot to longrun", specs{"a": oneshot()}, specs{"a": a}, nil, []string{"stop a", "make a", "switch", "remove a", "start a"}},
		{"longrun to bundle", specs{"a": a}, specs{"a": bundle("x", "y"), "x": b, "y": oneshot()}, nil, []string{"stop a", "make x", "make y", "switch", "remove a", "start x", "start y"}},
		{"longrun to bundle of one", specs{"a": a}, specs{"a": bundle("x"), "x": a}, nil, []string{"rename a", "switch"}},
		{"longrun to bundle of none", specs{"a": a}, specs{"a": bundle(), "x": b}, nil, []string{"stop a", "make x", "switch", "remove a"}},
		{"bundle to longrun", specs{"a": bundle("x"), "x": b}, specs{"a": a}, nil, []string{"stop x", "make a", "switch", "remove x"}},
		{"bundle to longrun, by the file", specs{"a": bundle("x"), "x": b}, specs{"a": b}, []string{"a -> a"}, []string{"rename x", "switch"}},
	} {
		everything := func(v *view) State { return upState(v, v.names...) }
		v := k.old.view(t)
		changes, err := diffViews(v, k.new.view(t), conversions(k.conv...), false)
		if (err != nil) != (k.want == nil) {
			t.Errorf("%s: %v", k.name, err)
		}
		if err != nil {
			continue
		}
		p, err := Plan(changes, everything(v), Options{Policy: Definition})
		if d := cmp.Diff(k.want, brief(p)); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", k.name, err, d)
		}
	}
}

// TestL8OthersStarts: what an operator, or another program, started or stopped stays
// so, whatever bundles say before and after.
func TestL8OthersStarts(t *testing.T) {
	t.Parallel()
	bundle := func(contents ...string) spec { return spec{Type: "bundle", Contents: contents} }
	old := specs{"default": bundle("web"), "web": longrun(), "hotplug": longrun(), "debug": longrun(), "idle": longrun()}
	new := specs{"default": bundle("web", "idle", "fresh"), "web": longrun().with(wants("debug")), "hotplug": longrun(), "debug": longrun(), "idle": longrun(), "fresh": longrun()}
	state := func(v *view) State {
		st := upState(v, "web", "hotplug")
		i, _ := v.find("debug")
		st.Stopped[i] = true
		return st
	}
	for _, policy := range []Policy{Identity, Definition} {
		p, err := planned(t, old, new, state, Options{Policy: policy})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"hotplug", "web"}, p.After.Up); d != "" {
			t.Errorf("%s: up afterwards (-want +got):\n%s", policy, d)
		}
		for _, a := range p.Actions {
			if a.Phase != SwitchPhase {
				t.Errorf("%s: %s %s", policy, a.Op, a.Service)
			}
		}
	}
}

// TestL12OneshotPolicy: a oneshot that has run is not run again for a change, but if
// its definition or somebody says so; its new definition is there at once.
func TestL12OneshotPolicy(t *testing.T) {
	t.Parallel()
	old := specs{"a": oneshot(), "b": longrun("a")}
	again := []string{"stop b", "stop a", "define a", "switch", "start a", "start b"}
	once := []string{"define a", "switch"}
	for _, c := range []struct {
		name    string
		change  func(*spec)
		options Options
		conv    []string
		want    []string
	}{
		{"up", func(*spec) {}, Options{}, nil, once},
		{"up, and on-change is restart", onChange(db.Restart), Options{}, nil, again},
		{"up, and on-change is keep", onChange(db.Keep), Options{}, nil, once},
		{"up, and told to", func(*spec) {}, Options{Restart: []string{"a"}}, nil, again},
		{"up, and the conversion file says so", func(*spec) {}, Options{}, []string{"a restart"}, again},
		{"up, under s6-rc's rules", onChange(db.Restart), Options{Policy: Identity}, nil, once},
	} {
		new := specs{"a": oneshot().with(runs("# new")).with(c.change), "b": longrun("a")}
		p, err := planned(t, old, new, up("a", "b"), c.options, c.conv...)
		if d := cmp.Diff(c.want, brief(p)); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, d)
		}
		if slices.ContainsFunc(p.Actions, func(a Action) bool { return a.Stale }) {
			t.Errorf("%s: a oneshot is said to be stale", c.name)
		}
	}
	p, err := planned(t, specs{"a": oneshot()}, specs{"a": oneshot().with(runs("# new")).with(onChange(db.Restart))}, up(), Options{})
	if d := cmp.Diff(once, brief(p)); err != nil || d != "" {
		t.Errorf("a oneshot that has not run: %v (-want +got):\n%s", err, d)
	}
}
