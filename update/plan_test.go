package update

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"strata/compile/db"
)

// planned runs Diff and Plan under the policy Definition.
func planned(t testing.TB, old, new specs, st func(*view) State, o Options, conv ...string) (*Patch, error) {
	t.Helper()
	v := old.view(t)
	changes, err := diffViews(v, new.view(t), conversions(conv...), false)
	if err != nil {
		t.Fatal(err)
	}
	if o.Policy == "" {
		o.Policy = Definition
	}
	return Plan(changes, st(v), o)
}

func up(names ...string) func(*view) State {
	return func(v *view) State { return upState(v, names...) }
}

// brief lists the actions as "op service".
func brief(p *Patch) []string {
	out := []string{}
	if p == nil {
		return out
	}
	for _, a := range p.Actions {
		line := string(a.Op)
		if a.Service != "" {
			line += " " + a.Service
		}
		if a.Stale {
			line += " stale"
		}
		if a.Forced {
			line += " forced"
		}
		out = append(out, line)
	}
	return out
}

func longrun(needs ...string) spec { return spec{Type: "longrun", Deps: needs} }
func oneshot(needs ...string) spec { return spec{Type: "oneshot", Deps: needs} }

func (s spec) with(change func(*spec)) spec {
	change(&s)
	return s
}

func runs(script string) func(*spec)    { return func(s *spec) { s.Run = script } }
func wants(names ...string) func(*spec) { return func(s *spec) { s.Wants = names } }
func provides(names ...string) func(*spec) {
	return func(s *spec) { s.Provides = names }
}
func essential(s *spec) { s.Essential = true }
func onChange(o db.OnChange) func(*spec) {
	return func(s *spec) { s.OnChange = o }
}

func TestDefinitionPolicy(t *testing.T) {
	t.Parallel()
	web := specs{"db": longrun(), "web": longrun("db"), "other": longrun()}
	for _, c := range []struct {
		name     string
		old, new specs
		up       []string
		options  Options
		conv     []string
		want     []string
	}{
		{"nothing", web, web, []string{"db", "web"}, Options{}, nil, []string{}},
		{
			"run of a service that is up", web,
			specs{"db": longrun(), "web": longrun("db").with(runs("# new")), "other": longrun()},
			[]string{"db", "web", "other"},
			Options{},
			nil,
			[]string{"stop web", "define web", "switch", "start web"},
		},
		{
			"run of a service that is down", web,
			specs{"db": longrun(), "web": longrun("db").with(runs("# new")), "other": longrun()},
			[]string{"db", "other"},
			Options{},
			nil,
			[]string{"define web", "switch"},
		},
		{
			"run of what is needed", web,
			specs{"db": longrun().with(runs("# new")), "web": longrun("db"), "other": longrun()},
			[]string{"db", "web", "other"},
			Options{},
			nil,
			[]string{"stop web", "stop db", "define db", "switch", "start db", "start web"},
		},
		{
			"finish is live", web,
			specs{"db": longrun(), "web": longrun("db").with(func(s *spec) { s.Finish = "# x" }), "other": longrun()},
			[]string{"db", "web"},
			Options{},
			nil,
			[]string{"define web", "switch"},
		},
		{
			"finish, but on-change is restart", web,
			specs{"db": longrun(), "web": longrun("db").with(func(s *spec) { s.Finish = "# x"; s.OnChange = db.Restart }), "other": longrun()},
			[]string{"db", "web"},
			Options{},
			nil,
			[]string{"stop web", "define web", "switch", "start web"},
		},
		{
			"on-change is reload", web,
			specs{"db": longrun().with(runs("# new")).with(onChange(db.Reload)), "web": longrun("db"), "other": longrun()},
			[]string{"db", "web"},
			Options{},
			nil,
			[]string{"define db", "switch", "reload db"},
		},
		{
			"on-change is keep", web,
			specs{"db": longrun().with(runs("# new")).with(onChange(db.Keep)), "web": longrun("db"), "other": longrun()},
			[]string{"db", "web"},
			Options{},
			nil,
			[]string{"define db stale", "switch"},
		},
		{"an edge gone", web, specs{"db": longrun(), "web": longrun(), "other": longrun()}, []string{"db", "web"}, Options{}, nil, []string{"switch"}},
		{"an edge to what is up", web, specs{"db": longrun(), "web": longrun("db", "other"), "other": longrun()}, []string{"db", "web", "other"}, Options{}, nil, []string{"switch"}},
		{
			"an edge to what is down", web,
			specs{"db": longrun(), "web": longrun("db", "other"), "other": longrun()},
			[]string{"db", "web"},
			Options{},
			nil,
			[]string{"stop web", "switch", "start other", "start web"},
		},
		{"a oneshot is not run again", specs{"a": oneshot()}, specs{"a": oneshot().with(runs("# new"))}, []string{"a"}, Options{}, nil, []string{"define a", "switch"}},
		{
			"a oneshot that says so is",
			specs{"a": oneshot()},
			specs{"a": oneshot().with(runs("# new")).with(onChange(db.Restart))},
			[]string{"a"},
			Options{},
			nil,
			[]string{"stop a", "define a", "switch", "start a"},
		},
		{
			"a type change",
			specs{"a": oneshot(), "b": longrun("a")},
			specs{"a": longrun(), "b": longrun("a")},
			[]string{"a", "b"},
			Options{},
			nil,
			[]string{"stop b", "stop a", "make a", "switch", "remove a", "start a", "start b"},
		},
		{"gone", web, specs{"web": longrun(), "other": longrun()}, []string{"db", "web"}, Options{}, nil, []string{"stop web", "stop db", "switch", "remove db", "start web"}},
		{"new and not wanted", web, specs{"db": longrun(), "web": longrun("db"), "other": longrun(), "more": longrun("web")}, []string{"db", "web"}, Options{}, nil, []string{"make more", "switch"}},
		{"renamed in the conversion file", web, specs{"sql": longrun(), "web": longrun("sql"), "other": longrun()}, []string{"db", "web"}, Options{}, []string{"db -> sql"}, []string{"rename db", "switch"}},
		{
			"renamed-from", web,
			specs{"sql": longrun().with(func(s *spec) { s.From = []string{"db"} }), "web": longrun("sql"), "other": longrun()},
			[]string{"db", "web"},
			Options{},
			nil,
			[]string{"rename db", "switch"},
		},
		{
			"renamed-from does not count while the old name is there", web,
			specs{"db": longrun(), "sql": longrun().with(func(s *spec) { s.From = []string{"db"} }), "web": longrun("db"), "other": longrun()},
			[]string{"db", "web"},
			Options{},
			nil,
			[]string{"make sql", "switch"},
		},
		{
			"swap",
			specs{"a": longrun(), "b": longrun().with(runs("# b"))},
			specs{"b": longrun(), "a": longrun().with(runs("# b"))},
			[]string{"a", "b"},
			Options{},
			[]string{"a -> b", "b -> a"},
			[]string{"rename b", "rename a", "switch"},
		},
		{"told to restart", web, web, []string{"db", "web"}, Options{}, []string{"web restart"}, []string{"stop web", "start web"}},
		{"a new want", web, specs{"db": longrun(), "web": longrun("db").with(wants("other")), "other": longrun()}, []string{"db", "web"}, Options{}, nil, []string{"switch", "start other"}},
		{
			"a want that was there already",
			specs{"a": longrun().with(wants("b")), "b": longrun()},
			specs{"a": longrun().with(wants("b")).with(runs("# new")), "b": longrun()},
			[]string{"a"},
			Options{},
			nil,
			[]string{"stop a", "define a", "switch", "start a"},
		},
		{
			"an essential service goes stale",
			specs{"ssh": longrun("net").with(essential), "net": longrun()},
			specs{"ssh": longrun("net").with(essential).with(runs("# new")), "net": longrun().with(runs("# new"))},
			[]string{"ssh", "net"},
			Options{},
			nil,
			[]string{"define net stale", "define ssh stale", "switch"},
		},
		{
			"an essential service, forced",
			specs{"ssh": longrun().with(essential)},
			specs{"ssh": longrun().with(essential).with(runs("# new"))},
			[]string{"ssh"},
			Options{ForceEssentials: true},
			nil,
			[]string{"stop ssh", "define ssh", "switch", "start ssh"},
		},
		{
			"what an essential service needs from now on is not stopped either",
			specs{"ssh": longrun().with(essential), "net": longrun("lib"), "lib": longrun()},
			specs{"ssh": longrun("net").with(essential), "net": longrun("lib").with(runs("# new")), "lib": longrun().with(runs("# new"))},
			[]string{"ssh", "net", "lib"},
			Options{},
			nil,
			[]string{"define lib stale", "define net stale", "switch"},
		},
		{
			"an essential service with a new need",
			specs{"ssh": longrun().with(essential), "net": longrun()},
			specs{"ssh": longrun("net").with(essential), "net": longrun()},
			[]string{"ssh"},
			Options{},
			nil,
			[]string{"switch", "start net"},
		},
		{
			"a pipeline is made",
			specs{"web": longrun(), "log": longrun()},
			specs{"web": longrun().with(func(s *spec) { s.Feeds = "log" }), "log": longrun()},
			[]string{"web", "log"},
			Options{},
			nil,
			[]string{"stop log", "stop web", "pipe log", "define log", "define web", "switch", "start log", "start web"},
		},
		{
			"one more producer",
			specs{"web": longrun().with(func(s *spec) { s.Feeds = "log" }), "log": longrun(), "x": longrun()},
			specs{"web": longrun().with(func(s *spec) { s.Feeds = "log" }), "log": longrun(), "x": longrun().with(func(s *spec) { s.Feeds = "log" })},
			[]string{"web", "log", "x"},
			Options{},
			nil,
			[]string{"stop x", "define x", "switch", "start x"},
		},
		{
			"the consumer is gone",
			specs{"web": longrun().with(func(s *spec) { s.Feeds = "log" }), "log": longrun()},
			specs{"web": longrun()},
			[]string{"web", "log"},
			Options{},
			nil,
			[]string{"stop web", "stop log", "define web", "switch", "unpipe log", "remove log", "start web"},
		},
		{
			"the consumer is renamed",
			specs{"web": longrun().with(func(s *spec) { s.Feeds = "log" }), "log": longrun()},
			specs{"web": longrun().with(func(s *spec) { s.Feeds = "log2" }), "log2": longrun()},
			[]string{"web", "log"},
			Options{},
			[]string{"log -> log2"},
			[]string{"rename log", "switch"},
		},
	} {
		p, err := planned(t, c.old, c.new, up(c.up...), c.options, c.conv...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(c.want, brief(p)); d != "" {
			t.Errorf("%s: actions (-want +got):\n%s", c.name, d)
		}
	}
}

// TestIdentitySpares: what s6-rc lists and does not stop, and what that needs, is in
// the patch and stays as it is.
func TestIdentitySpares(t *testing.T) {
	t.Parallel()
	old := specs{"net": longrun(), "ssh": longrun("net").with(essential), "web": longrun("net")}
	for _, c := range []struct {
		name  string
		new   specs
		conv  []string
		force bool
		want  []string
	}{
		{"restart", old, []string{"net restart"}, false, []string{"spare ssh", "stop web", "spare net", "start web"}},
		{"restart, forced", old, []string{"net restart"}, true, []string{"stop ssh", "stop web", "stop net", "start net", "start ssh", "start web"}},
		{"gone", specs{"net": longrun(), "web": longrun("net")}, nil, false, []string{"spare ssh", "switch", "remove ssh"}},
		{
			"retyped",
			specs{"net": longrun(), "ssh": oneshot("net").with(essential), "web": longrun("net")},
			nil, false,
			[]string{"spare ssh", "make ssh", "switch", "remove ssh", "start ssh"},
		},
	} {
		p, err := planned(t, old, c.new, up("net", "ssh", "web"), Options{Policy: Identity, ForceEssentials: c.force}, c.conv...)
		if d := cmp.Diff(c.want, brief(p)); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, d)
		}
		if spares := slices.ContainsFunc(c.want, func(s string) bool { return strings.HasPrefix(s, "spare") }); spares != (len(p.Warnings) > 0) {
			t.Errorf("%s: warnings %v", c.name, p.Warnings)
		}
	}
}

func TestEssentialRefused(t *testing.T) {
	t.Parallel()
	old := specs{"ssh": longrun("net").with(essential), "net": longrun()}
	for name, new := range map[string]specs{
		"gone":            {"net": longrun()},
		"retyped":         {"net": longrun(), "ssh": oneshot("net").with(essential)},
		"what it needs":   {"ssh": longrun().with(essential)},
		"is a bundle now": {"net": longrun(), "ssh": {Type: "bundle", Contents: []string{"s1", "s2"}}, "s1": longrun(), "s2": longrun()},
	} {
		_, err := planned(t, old, new, up("ssh", "net"), Options{})
		var refused *RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "needed by") && !strings.Contains(err.Error(), "ssh") {
			t.Errorf("%s: error %v, want a refusal that names the service", name, err)
		}
		if _, err := planned(t, old, new, up("ssh", "net"), Options{ForceEssentials: true}); err != nil {
			t.Errorf("%s: with -e: %v", name, err)
		}
		if _, err := planned(t, old, new, up("net"), Options{}); err != nil {
			t.Errorf("%s: while it is down: %v", name, err)
		}
	}
}

func TestOperatorStops(t *testing.T) {
	t.Parallel()
	stopped := func(v *view) State {
		s := upState(v, "web")
		i, _ := v.find("db")
		s.Stopped[i] = true
		return s
	}
	old := specs{"web": longrun(), "db": longrun()}
	wanted := specs{"web": longrun().with(wants("db")), "db": longrun()}
	p, err := planned(t, old, wanted, stopped, Options{})
	if err != nil || !slices.Equal(brief(p), []string{"switch"}) {
		t.Errorf("a want started what an operator stopped: %v, %v", brief(p), err)
	}
	needed := specs{"web": longrun("db"), "db": longrun()}
	p, err = planned(t, old, needed, stopped, Options{})
	if err != nil || !slices.Equal(brief(p), []string{"stop web", "switch", "start db forced", "start web"}) {
		t.Errorf("a need did not start what an operator stopped: %v, %v", brief(p), err)
	}
	var refused *RefusedError
	if _, err = planned(t, old, needed, stopped, Options{RespectStops: true}); !errors.As(err, &refused) || !slices.Equal(refused.Services, []string{"db"}) {
		t.Errorf("with --respect-stops: %v, want a refusal that names db", err)
	}
}
