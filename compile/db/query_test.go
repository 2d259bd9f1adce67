package db

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func names(db *DB, ids []ServiceID) string { return strings.Join(db.Names(ids, false), " ") }

// funnel is a database with two services that feed a filter, which feeds a log.
func funnel(t *testing.T) *DB {
	m := &Model{Blobs: Blobs{}}
	argv := Program{Form: Argv, Argv: []string{"true"}}
	for _, s := range []Service{
		{Name: "filter", Consumer: 1, Producers: []ServiceID{3, 4}},
		{Name: "log", Consumer: None, Producers: []ServiceID{0}},
		{Name: "setup", Type: Oneshot, Consumer: None, Flags: Essential, Up: argv, TimeoutUp: 100, TimeoutDown: 200},
		{Name: "web", Consumer: 0},
		{Name: "worker", Consumer: 0},
	} {
		if s.Type == 0 {
			s.Type, s.Run = Longrun, argv
		}
		m.Services = append(m.Services, s)
	}
	m.Bundles = []Bundle{
		{Name: "all", Contents: []ServiceID{0, 1, 2, 3, 4}}, {Name: "none"}, {Name: "piped", Contents: []ServiceID{0, 1, 3, 4}, Pipeline: true},
	}
	return mustOpen(t, write(t, complete(t, m, "filter>log web>filter worker>filter log>setup web>setup", "", "")))
}

func TestQueries(t *testing.T) {
	t.Parallel()
	db := funnel(t)
	deps := func(text string, d Direction) string {
		of, err := db.Atomics(strings.Fields(text)...)
		if err != nil {
			t.Fatal(err)
		}
		return names(db, Dependencies(db.Needs(), of, d))
	}
	all := func(text string, d Direction) string {
		of, err := db.Atomics(strings.Fields(text)...)
		if err != nil {
			t.Fatal(err)
		}
		return names(db, AllDependencies(db.Needs(), of, d))
	}
	for _, c := range []struct{ what, got, want string }{
		{"needs of web", deps("web", Up), "filter setup"},
		{"needs of two", deps("web filter", Up), "filter log setup"},
		{"needs of a bundle", deps("all", Up), "filter log setup"},
		{"needs of nothing", deps("none", Up), ""},
		{"what needs setup", deps("setup", Down), "log web"},
		{"all needs of web", all("web", Up), "filter log setup web"},
		{"all that needs log", all("log", Down), "filter log web worker"},
		{"all", strings.Join(db.List(AllNames, true), " "), "all filter log none piped setup web worker"},
		{"services", strings.Join(db.List(AllServices, false), " "), "filter log setup web worker"},
		{"not essential", strings.Join(db.List(AllServices, true), " "), "filter log web worker"},
		{"oneshots", strings.Join(db.List(AllOneshots, false), " "), "setup"},
		{"longruns", strings.Join(db.List(AllLongruns, false), " "), "filter log web worker"},
		{"bundles", strings.Join(db.List(AllBundles, false), " "), "all none piped"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
}

func TestPipeline(t *testing.T) {
	t.Parallel()
	db := funnel(t)
	for _, name := range []string{"filter", "log", "web", "worker"} {
		id, err := db.FindType(name, Longrun)
		if err != nil {
			t.Fatal(err)
		}
		pipes, err := db.Pipeline(id)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range pipes {
			got = append(got, db.Name(p.Producer)+"/"+db.Name(p.Consumer))
		}
		if want := []string{"web/filter", "worker/filter", "filter/log"}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if pipes, err := db.Pipeline(2); err != nil || len(pipes) != 0 {
		t.Errorf("a oneshot is in the pipeline %v, %v", pipes, err)
	}
}

func TestFindErrors(t *testing.T) {
	t.Parallel()
	db := funnel(t)
	second := func(_ any, err error) error { return err }
	atomics := func(names ...string) error { _, err := db.Atomics(names...); return err }
	for _, c := range []struct {
		what      string
		err, want error
	}{
		{"atomic", second(db.FindAtomic("web")), nil},
		{"atomic bundle", second(db.FindAtomic("all")), ErrWrongType},
		{"atomic unknown", second(db.FindAtomic("we")), ErrUnknown},
		{"oneshot", second(db.FindType("setup", Oneshot)), nil},
		{"oneshot longrun", second(db.FindType("web", Oneshot)), ErrWrongType},
		{"bundle", second(db.FindBundle("all")), nil},
		{"bundle atomic", second(db.FindBundle("web")), ErrWrongType},
		{"bundle unknown", second(db.FindBundle("")), ErrUnknown},
		{"atomics", atomics("all", "web"), nil},
		{"atomics unknown", atomics("web", "webb"), ErrUnknown},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, c.err, c.want)
		}
	}
}

// Numbers that are no service or bundle are no reason to panic.
func TestOutOfRange(t *testing.T) {
	t.Parallel()
	db := funnel(t)
	for _, id := range []ServiceID{ServiceID(db.Len()), None} {
		if db.Name(id) != "" || db.Type(id) != 0 || db.Flags(id) != 0 || db.TimeoutUp(id) != 0 || db.Consumer(id) != None ||
			db.Manual(id) || db.HasReadiness(id) || db.HasProducers(id) || !db.Definition(id).IsZero() {
			t.Errorf("service %d has values", id)
		}
		if _, err := db.Service(id); err == nil || errors.Is(err, ErrCorrupt) {
			t.Errorf("service %d: %v", id, err)
		}
	}
	for _, id := range []BundleID{BundleID(db.Bundles()), 1<<32 - 1} {
		if db.BundleName(id) != "" || db.Contents(id) != nil || db.Provided(id) {
			t.Errorf("bundle %d has values", id)
		}
		if _, err := db.Bundle(id); err == nil || errors.Is(err, ErrCorrupt) {
			t.Errorf("bundle %d: %v", id, err)
		}
	}
	if _, err := db.Blob(Digest{}); err == nil || errors.Is(err, ErrCorrupt) {
		t.Errorf("content that is not there: %v", err)
	}
}

func TestAccessors(t *testing.T) {
	t.Parallel()
	m := rich(t)
	db := mustOpen(t, write(t, m))
	for i := range m.Services {
		s, id := &m.Services[i], ServiceID(i)
		if db.Name(id) != s.Name || db.Type(id) != s.Type || db.Flags(id) != s.Flags || db.Manual(id) != s.Manual || db.TimeoutUp(id) != s.TimeoutUp ||
			db.TimeoutDown(id) != s.TimeoutDown || db.HasReadiness(id) != s.NotificationFD.Set || db.Consumer(id) != s.Consumer || db.HasProducers(id) != (len(s.Producers) > 0) {
			t.Errorf("%q: an accessor says something else", s.Name)
		}
		if ref, ok := db.Lookup(s.Name); !ok || ref.Kind != AtomicRef || ref.Service != id {
			t.Errorf("%q: found %+v", s.Name, ref)
		}
	}
	for i := range m.Bundles {
		b, id := &m.Bundles[i], BundleID(i)
		if got, ok := db.Resolve(b.Name); !ok || !slices.Equal(got, b.Contents) || db.BundleName(id) != b.Name || db.Provided(id) != b.Provided {
			t.Errorf("%q: resolved to %v", b.Name, got)
		}
	}
	for _, name := range []string{"", "\xff", "ssh\x00", "sshd ", "a"} {
		if _, ok := db.Lookup(name); ok {
			t.Errorf("%q was found", name)
		}
	}
}
