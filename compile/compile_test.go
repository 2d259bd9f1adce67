package compile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"strata/compile"
	"strata/compile/db"
	"strata/compile/source"
	"strata/internal/diag"
)

// def makes a definition; edit sets what a case is about.
func def(kind source.Kind, name string, edit ...func(*source.Definition)) *source.Definition {
	d := &source.Definition{
		Name: name, Kind: kind, Pos: diag.Position{File: "src/" + name + ".toml", Line: 1}, TOML: true,
	}
	for _, e := range edit {
		e(d)
	}
	return d
}

func longrun(name string, edit ...func(*source.Definition)) *source.Definition {
	return def(source.Longrun, name, edit...)
}

func bundleOf(name string, members ...string) *source.Definition {
	return def(source.Bundle, name, func(d *source.Definition) { d.Contents = refs(d, members) })
}

// refs gives every name a line of its own, so that messages can be told apart.
func refs(d *source.Definition, names []string) []source.Ref {
	var out []source.Ref
	for i, n := range names {
		out = append(out, source.Ref{Name: n, Pos: diag.Position{File: d.Pos.File, Line: 10 + i, Column: 1}})
	}
	return out
}

func needs(names ...string) func(*source.Definition) {
	return func(d *source.Definition) { d.Needs = refs(d, names) }
}

func wants(names ...string) func(*source.Definition) {
	return func(d *source.Definition) { d.Wants = refs(d, names) }
}

func after(names ...string) func(*source.Definition) {
	return func(d *source.Definition) { d.After = refs(d, names) }
}

func before(names ...string) func(*source.Definition) {
	return func(d *source.Definition) { d.Before = refs(d, names) }
}

func provides(names ...string) func(*source.Definition) {
	return func(d *source.Definition) { d.Provides = refs(d, names) }
}

func producerFor(names ...string) func(*source.Definition) {
	return func(d *source.Definition) { d.ProducerFor = refs(d, names) }
}

func consumerFor(names ...string) func(*source.Definition) {
	return func(d *source.Definition) { d.ConsumerFor = refs(d, names) }
}

func pipelineName(name string) func(*source.Definition) {
	return func(d *source.Definition) { d.PipelineName = refs(d, []string{name}) }
}

func renamedFrom(names ...string) func(*source.Definition) {
	return func(d *source.Definition) { d.RenamedFrom = refs(d, names) }
}

func manual(d *source.Definition) { d.Body.Manual = true }

func from(src int) func(*source.Definition) {
	return func(d *source.Definition) { d.Source = src }
}

func set(defs ...*source.Definition) *source.Set {
	return &source.Set{Dirs: []source.Dir{{Path: "src"}, {Path: "over", Label: "admin"}}, Definitions: defs, Blobs: db.Blobs{}}
}

func mustCompile(t *testing.T, o compile.Options, defs ...*source.Definition) *db.Model {
	t.Helper()
	m, list := compile.Compile(set(defs...), o)
	if m == nil {
		t.Fatalf("cannot compile: %v", list)
	}
	return m
}

// levelNames renders levels as rc-db does: names by space, levels by "/".
func levelNames(m *db.Model) string {
	var levels []string
	for k := range m.Levels.Count() {
		levels = append(levels, strings.Join(idNames(m, m.Levels.At(k)), " "))
	}
	return strings.Join(levels, " / ")
}

func idNames(m *db.Model, ids []db.ServiceID) []string {
	var out []string
	for _, id := range ids {
		out = append(out, m.Services[id].Name)
	}
	return out
}

func TestLevels(t *testing.T) {
	for _, c := range []struct {
		name string
		defs []*source.Definition
		want string
	}{
		{"two pairs", []*source.Definition{longrun("1"), longrun("2", needs("1")), longrun("3"), longrun("4", needs("3"))}, "1 3 / 2 4"},
		{"soft edges count", []*source.Definition{longrun("a"), longrun("b", after("a")), longrun("c", wants("b")), longrun("d", before("a"))}, "d / a / b / c"},
		{"a producer follows its consumer", []*source.Definition{longrun("p", producerFor("log")), longrun("log", consumerFor("p"))}, "log / p"},
		{"a bundle stands for its contents", []*source.Definition{bundleOf("all", "a", "b"), longrun("a"), longrun("b"), longrun("z", needs("all"))}, "a b / z"},
		{"soft edges to nowhere", []*source.Definition{longrun("a", after("nothing"), wants("none"), before("no"))}, "a"},
		{"soft edge through a bundle to itself", []*source.Definition{bundleOf("all", "a", "b"), longrun("a", after("all")), longrun("b")}, "b / a"},
		{"provided name", []*source.Definition{longrun("gdm", provides("dm")), longrun("x", needs("dm"))}, "gdm / x"},
	} {
		if got := levelNames(mustCompile(t, compile.Options{}, c.defs...)); got != c.want {
			t.Errorf("%s: levels %q, want %q", c.name, got, c.want)
		}
	}
}

func TestBundles(t *testing.T) {
	m := mustCompile(t, compile.Options{},
		bundleOf("outer", "inner", "c", "inner"), bundleOf("inner", "a", "b", "m"), bundleOf("empty"),
		longrun("a"), longrun("b"), longrun("c"), longrun("m", manual))
	got := map[string]string{}
	for _, b := range m.Bundles {
		got[b.Name] = strings.Join(idNames(m, b.Contents), " ")
	}
	for name, want := range map[string]string{"outer": "a b c", "inner": "a b", "empty": ""} {
		if got[name] != want {
			t.Errorf("bundle %s is %q, want %q", name, got[name], want)
		}
	}
}

func TestDeepBundlesDoNotRecurse(t *testing.T) {
	const depth = 100_000
	defs := []*source.Definition{longrun("a")}
	for i := range depth {
		inner := fmt.Sprintf("b%06d", i+1)
		if i == depth-1 {
			inner = "a"
		}
		defs = append(defs, bundleOf(fmt.Sprintf("b%06d", i), inner))
	}
	m := mustCompile(t, compile.Options{}, defs...)
	if len(m.Bundles) != depth || len(m.Bundles[0].Contents) != 1 {
		t.Errorf("%d bundles, the first with %d services", len(m.Bundles), len(m.Bundles[0].Contents))
	}
}

func TestFlagsReachThroughNestedBundles(t *testing.T) {
	outer := bundleOf("outer", "inner")
	outer.Flags = db.Essential
	inner := bundleOf("inner", "a")
	inner.Flags = db.Recommended
	m := mustCompile(t, compile.Options{}, outer, inner, longrun("a", needs("dep")), longrun("dep"))
	if m.Services[0].Flags != db.Essential|db.Recommended || m.Services[1].Flags != 0 {
		t.Errorf("flags of a %x, of dep %x; want 3 and 0", m.Services[0].Flags, m.Services[1].Flags)
	}
}

func TestPipelines(t *testing.T) {
	m := mustCompile(t, compile.Options{},
		longrun("p1", producerFor("mid")), longrun("p2", producerFor("mid")),
		longrun("mid", consumerFor("p1", "p2"), producerFor("last")),
		longrun("last", consumerFor("mid"), pipelineName("pipe")))
	if got := strings.Join(idNames(m, m.Bundles[0].Contents), " "); m.Bundles[0].Name != "pipe" || !m.Bundles[0].Pipeline || got != "last mid p1 p2" {
		t.Errorf("bundle %s holds %s", m.Bundles[0].Name, got)
	}
	mid := m.Services[1]
	if m.Services[mid.Consumer].Name != "last" || strings.Join(idNames(m, mid.Producers), " ") != "p1 p2" {
		t.Errorf("mid feeds %s and is fed by %v", m.Services[mid.Consumer].Name, idNames(m, mid.Producers))
	}
	if last := m.Services[0]; last.Consumer != db.None {
		t.Errorf("last feeds %d, want none", last.Consumer)
	}
}

// TestLogger reads TOML, where a producer alone declares a pipeline.
func TestLogger(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"web.toml": "type = \"longrun\"\nrun = [\"web\"]\nlogger = \"log\"\n",
		"app.toml": "type = \"longrun\"\nrun = [\"app\"]\nlogger = \"log\"\n",
		"log.toml": "type = \"longrun\"\nrun = [\"s6-log\", \"t\"]\npipeline-name = \"logging\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m, list := compile.Run(t.Context(), []source.Dir{{Path: dir}}, compile.Options{})
	if m == nil || len(list) != 0 {
		t.Fatalf("diagnostics: %v", list)
	}
	log := m.Services[1]
	if got := strings.Join(idNames(m, log.Producers), " "); got != "app web" || m.Services[2].Consumer != 1 {
		t.Errorf("log is fed by %q", got)
	}
	if len(m.Bundles) != 1 || m.Bundles[0].Name != "logging" || len(m.Bundles[0].Contents) != 3 {
		t.Errorf("bundles: %v", m.Bundles)
	}
}

func TestOverride(t *testing.T) {
	old, over := longrun("a", needs("b")), longrun("a", from(1))
	m := mustCompile(t, compile.Options{}, old, longrun("b"), over)
	if m.Needs.Edges() != 0 || m.Services[0].Origin.Label != "admin" || m.Services[1].Origin.Label != "0" {
		t.Errorf("%d edges, origins %q and %q", m.Needs.Edges(), m.Services[0].Origin.Label, m.Services[1].Origin.Label)
	}
	if _, list := compile.Compile(set(old, longrun("b"), over), compile.Options{S6RC: true}); len(list) != 1 || list[0].Code != "duplicate" {
		t.Errorf("s6-rc's rules: %v, want one duplicate", list)
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		name string
		defs []*source.Definition
		code diag.Code
		says []string
	}{
		{"undefined need", []*source.Definition{longrun("web", needs("netwrok")), longrun("network")}, "undefined-dependency", []string{"web needs netwrok", "did you mean network?"}},
		{"undefined in bundle", []*source.Definition{bundleOf("b", "x")}, "undefined-in-bundle", []string{"bundle b contains x"}},
		{"itself", []*source.Definition{longrun("a", needs("a"))}, "dependency-cycle", []string{"a depends on itself"}},
		{"shortest cycle", []*source.Definition{longrun("a", needs("b")), longrun("b", needs("c")), longrun("c", needs("a", "b"))}, "dependency-cycle", []string{"b -> c -> b", "c needs b"}},
		{"cycle through soft edges", []*source.Definition{longrun("a", after("b")), longrun("b", wants("c")), longrun("c", needs("a"))}, "dependency-cycle", []string{"a is ordered after b", "b wants c", "c needs a"}},
		{"cycle through before", []*source.Definition{longrun("a", before("b"), needs("b")), longrun("b")}, "dependency-cycle", []string{"a needs b", "a is ordered before b"}},
		{"cycle through a bundle", []*source.Definition{bundleOf("all", "a"), longrun("a", needs("all"))}, "dependency-cycle", []string{"a (through all)"}},
		{"bundle cycle", []*source.Definition{bundleOf("x", "y"), bundleOf("y", "x")}, "bundle-cycle", []string{"x -> y -> x", "y contains x"}},
		{"bundle of itself", []*source.Definition{bundleOf("x", "x")}, "bundle-cycle", []string{"x -> x"}},
		{"twice", []*source.Definition{longrun("a"), bundleOf("a")}, "duplicate", []string{"a is defined twice"}},
		{"producer only", []*source.Definition{longrun("p", producerFor("c")), longrun("c")}, "pipeline-not-mutual", []string{"c does not name p", "consumer-for of c"}},
		{"consumer only", []*source.Definition{longrun("p"), longrun("c", consumerFor("p"))}, "pipeline-not-mutual", []string{"p does not name c", "producer-for of p"}},
		{"consumer is a bundle", []*source.Definition{longrun("p", producerFor("b")), bundleOf("b")}, "pipeline-wrong-type", []string{"b, which is a bundle"}},
		{"consumer is missing", []*source.Definition{longrun("p", producerFor("lgo")), longrun("log")}, "pipeline-wrong-type", []string{"not defined"}},
		{"pipeline loop", []*source.Definition{longrun("a", producerFor("b"), consumerFor("b")), longrun("b", producerFor("a"), consumerFor("a"))}, "dependency-cycle", []string{"is a producer for"}},
		{"pipeline takes a name", []*source.Definition{longrun("p", producerFor("c")), longrun("c", consumerFor("p"), pipelineName("p"))}, "duplicate", []string{"pipeline that ends in c"}},
		{"provided twice", []*source.Definition{longrun("a", provides("dm")), longrun("b", provides("dm"))}, "provides-twice", []string{"b provides dm, which a provides"}},
		{"provided and defined", []*source.Definition{longrun("a", provides("b")), longrun("b")}, "provides-defined", []string{"a provides b"}},
		{"renamed twice", []*source.Definition{longrun("a", renamedFrom("x")), longrun("b", renamedFrom("x"))}, "renamed-twice", []string{"a and b both"}},
	} {
		m, list := compile.Compile(set(c.defs...), compile.Options{})
		if m != nil || len(list) != 1 || list[0].Code != c.code {
			t.Errorf("%s: model %v, diagnostics %v; want one %s", c.name, m != nil, list, c.code)
			continue
		}
		text := fmt.Sprint(list)
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %s\ndoes not say %q", c.name, text, want)
			}
		}
	}
}

func TestAllMistakesInOneRun(t *testing.T) {
	_, list := compile.Compile(set(
		longrun("a", needs("nothing")), longrun("b", needs("nobody")), bundleOf("x", "x"), longrun("p", producerFor("a")),
	), compile.Options{})
	var codes []string
	for _, d := range list {
		codes = append(codes, string(d.Code))
	}
	slices.Sort(codes)
	if got := strings.Join(codes, " "); got != "bundle-cycle pipeline-not-mutual undefined-dependency undefined-dependency" {
		t.Errorf("diagnostics: %s", got)
	}
}

func TestEveryIndependentCycleIsReported(t *testing.T) {
	_, list := compile.Compile(set(
		longrun("a", needs("b")), longrun("b", needs("a")), longrun("c", needs("d")), longrun("d", needs("c")),
	), compile.Options{})
	if len(list) != 2 || list[0].Message == list[1].Message {
		t.Errorf("diagnostics: %v, want two cycles", list)
	}
}

func TestStrictWarnsOfSoftNames(t *testing.T) {
	s := set(longrun("a", after("nothing")))
	for strict, want := range map[bool]int{false: 0, true: 1} {
		if m, list := compile.Compile(s, compile.Options{Strict: strict}); m == nil || len(list) != want {
			t.Errorf("strict %v: %v, want %d warnings", strict, list, want)
		}
	}
}

func TestPrivate(t *testing.T) {
	s := set(longrun("a"))
	s.Unreadable = "src/a/env/SECRET"
	m, list := compile.Compile(s, compile.Options{})
	if m == nil || !m.Private || len(list) != 1 || list[0].Severity != diag.Warning || list[0].Pos.File != s.Unreadable {
		t.Errorf("private %v, diagnostics %v", m.Private, list)
	}
}

func ExampleCompile() {
	set := &source.Set{
		Dirs: []source.Dir{{Path: "src"}},
		Definitions: []*source.Definition{
			{Name: "network", Kind: source.Oneshot},
			{Name: "sshd", Kind: source.Longrun, Needs: []source.Ref{{Name: "network"}}},
		},
	}
	model, list := compile.Compile(set, compile.Options{})
	if list.HasErrors() {
		return
	}
	for k := range model.Levels.Count() {
		for _, id := range model.Levels.At(k) {
			fmt.Println(k, model.Services[id].Name)
		}
	}
	// Output:
	// 0 network
	// 1 sshd
}
