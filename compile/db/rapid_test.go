package db

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"strata/graph"
)

// anyModel draws a model with names of any bytes, any edges without a cycle, and
// bundles.
func anyModel(t *rapid.T) *Model {
	name := rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, 12), func(b []byte) string {
		s := strings.NewReplacer("/", "_", "\n", "_", "\x00", "_").Replace(string(b))
		return strings.Replace(s[:1], ".", "_", 1) + s[1:]
	})
	all := rapid.SliceOfNDistinct(name, 1, 30, rapid.ID).Draw(t, "names")
	n := rapid.IntRange(0, len(all)).Draw(t, "services")
	m := &Model{Blobs: Blobs{}, Private: rapid.Bool().Draw(t, "private")}
	slices.Sort(all[:n])
	slices.Sort(all[n:])
	for _, name := range all[:n] {
		s := Service{
			Name: name, Type: Type(rapid.IntRange(1, 2).Draw(t, "type")), Flags: Flags(rapid.Uint32().Draw(t, "flags")),
			TimeoutUp: Millis(rapid.Uint32().Draw(t, "timeout")), Manual: rapid.Bool().Draw(t, "manual"), Consumer: None,
			Description: rapid.String().Draw(t, "description"),
		}
		s.Up = Program{Form: Argv, Argv: rapid.SliceOf(rapid.String()).Draw(t, "argv")}
		if rapid.Bool().Draw(t, "scripted") {
			s.Run = Program{Form: Script, Script: m.Blobs.Add(rapid.SliceOf(rapid.Byte()).Draw(t, "script"))}
		}
		m.Services = append(m.Services, s)
	}
	for _, name := range all[n:] {
		b := Bundle{Name: name, Description: rapid.String().Draw(t, "description")}
		for id := range ServiceID(n) {
			if rapid.Bool().Draw(t, "in bundle") {
				b.Contents = append(b.Contents, id)
			}
		}
		m.Bundles = append(m.Bundles, b)
	}
	m.Needs, m.Wants, m.Soft = anyEdges(t, n), anyEdges(t, n), anyEdges(t, n)
	union, err := graph.Union(m.Needs, m.Soft)
	if err != nil {
		t.Fatal(err)
	}
	if m.Levels, err = union.Levels(); err != nil {
		t.Fatal(err)
	}
	return m
}

func anyEdges(t *rapid.T, n int) *graph.Graph {
	var edges []graph.Edge
	for i := 1; i < n; i++ {
		for _, j := range rapid.SliceOfN(rapid.IntRange(0, i-1), 0, 3).Draw(t, "edges") {
			edges = append(edges, graph.Edge{From: graph.ID(i), To: graph.ID(j)})
		}
	}
	g, err := graph.New(n, edges)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Whatever was written is read, by name and as a whole.
func TestAnyModel(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	i := 0
	var last *DB // no name in it need be in the next
	rapid.Check(t, func(rt *rapid.T) {
		m := anyModel(rt)
		i++
		path := fmt.Sprintf("%s/%d.db", dir, i)
		if _, err := Write(path, m, WriteOptions{}); err != nil {
			rt.Fatal(err)
		}
		db, err := Open(path)
		if err != nil {
			rt.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		if err := db.Check(); err != nil {
			rt.Error(err)
		}
		for _, like := range []*DB{db, last} {
			if err := cmp.Or(db.checkMeaning(like), db.checkNotes(like)); err != nil {
				rt.Errorf("beside another: %v", err)
			}
		}
		last = db
		got, err := db.Load()
		if err != nil {
			rt.Fatal(err)
		}
		if d := diffModels(m, got); d != "" {
			rt.Error(d)
		}
		for i, s := range m.Services {
			if ref, ok := db.Lookup(s.Name); !ok || ref.Kind != AtomicRef || ref.Service != ServiceID(i) {
				rt.Errorf("%q: found %+v", s.Name, ref)
			}
			if _, ok := db.Lookup(s.Name + "\x01"); ok && !slices.Contains(db.List(AllNames, false), s.Name+"\x01") {
				rt.Errorf("something like %q was found", s.Name)
			}
		}
		for _, b := range m.Bundles {
			if ids, ok := db.Resolve(b.Name); !ok || !slices.Equal(ids, b.Contents) {
				rt.Errorf("%q: %v, want %v", b.Name, ids, b.Contents)
			}
		}
	})
}
