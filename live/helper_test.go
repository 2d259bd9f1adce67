package live_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/s6/s6test"
)

// sleeper is a run program that needs nothing.
const sleeper = "#!/bin/sh\nexec sleep 100000\n"

// definition is a service for a test database.
type definition struct {
	name   string
	run    string   // a script; "" makes a oneshot
	up     []string // of a oneshot
	needs  []string
	feeds  string
	change func(*db.Service, db.Blobs)
	// private makes the database one that not everyone may read.
	private bool
}

// longrun and oneshot are the usual definitions.
func longrun(name string, needs ...string) definition {
	return definition{name: name, run: sleeper, needs: needs}
}

func oneshot(name string, needs ...string) definition {
	return definition{name: name, up: []string{"true"}, needs: needs}
}

// writeDB writes a database with these services to path.
func writeDB(t testing.TB, path string, defs ...definition) string {
	t.Helper()
	slices.SortFunc(defs, func(a, b definition) int { return strings.Compare(a.name, b.name) })
	id := func(name string) db.ServiceID {
		i := slices.IndexFunc(defs, func(d definition) bool { return d.name == name })
		if i < 0 {
			t.Fatalf("no service %s", name)
		}
		return db.ServiceID(i)
	}
	m := db.Model{Blobs: db.Blobs{}}
	var edges []graph.Edge
	for i, d := range defs {
		s := db.Service{Name: d.name, Type: db.Longrun, Consumer: db.None}
		if d.run == "" {
			s.Type, s.Up = db.Oneshot, db.Program{Form: db.Argv, Argv: d.up}
		} else {
			s.Run = db.Program{Form: db.Script, Script: m.Blobs.Add([]byte(d.run))}
		}
		if d.feeds != "" {
			s.Consumer = id(d.feeds)
			edges = append(edges, graph.Edge{From: db.ServiceID(i), To: s.Consumer})
		}
		for j, other := range defs {
			if other.feeds == d.name {
				s.Producers = append(s.Producers, db.ServiceID(j))
			}
		}
		for _, n := range d.needs {
			edges = append(edges, graph.Edge{From: db.ServiceID(i), To: id(n)})
		}
		if d.change != nil {
			d.change(&s, m.Blobs)
		}
		m.Private = m.Private || d.private
		m.Services = append(m.Services, s)
	}
	empty, err := graph.New(len(defs), nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.Needs, err = graph.New(len(defs), edges); err != nil {
		t.Fatal(err)
	}
	m.Wants, m.Soft = empty, empty
	if m.Levels, err = m.Needs.Levels(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Write(path, &m, db.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return path
}

// tree is a private s6-svscan with a place for a live directory beside it.
type tree struct {
	*s6test.Scandir
	t testing.TB
}

func newTree(t testing.TB, options ...s6test.Option) tree {
	t.Helper()
	return tree{s6test.New(t, options...), t}
}

// options are what Init takes in the tree.
func (tr tree) options(database string) live.InitOptions {
	return live.InitOptions{
		DB: database, Live: filepath.Join(tr.Root, "live"), Scandir: tr.Dir, Program: "/bin/false",
		Warn: func(s string) { tr.t.Log("warning:", s) },
	}
}

// init makes a live directory.
func (tr tree) init(database string) *live.Dir {
	tr.t.Helper()
	o := tr.options(database)
	if _, err := live.Init(tr.t.Context(), o); err != nil {
		tr.t.Fatal(err)
	}
	d, err := live.Open(o.Live)
	if err != nil {
		tr.t.Fatal(err)
	}
	return d
}

// listing gives the names in a directory, except those that begin with a dot.
func listing(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name()[0] != '.' {
			names = append(names, e.Name())
		}
	}
	return names
}
