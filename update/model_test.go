package update

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/compile/db"
	"strata/compile/source/execline"
	"strata/graph"
)

// spec is a service or bundle as the tests write it; its JSON is that of the
// conformance cases.
type spec struct {
	Type      string   `json:"type"`
	Deps      []string `json:"deps"`
	Contents  []string `json:"contents"`
	Essential bool     `json:"essential"`

	Wants    []string `json:"-"`
	Provides []string `json:"-"`
	Feeds    string   `json:"feeds"` // producer-for
	From     []string `json:"-"`     // renamed-from
	OnChange db.OnChange
	Run      string            `json:"-"` // content of run or up
	Finish   string            `json:"-"`
	Down     string            `json:"-"`
	Edit     func(*db.Service) `json:"-"` // what else is different
	Ready    bool              `json:"-"` // run says on descriptor 3 when it is ready
}

// failer is what a test and a property have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
}

type specs map[string]spec

// flatten returns the services that a name stands for.
func (s specs) flatten(name string) []string {
	if _, defined := s[name]; !defined {
		return []string{s.provider(name)}
	}
	if s[name].Type != "bundle" {
		return []string{name}
	}
	var out []string
	for _, c := range s[name].Contents {
		out = append(out, s.flatten(c)...)
	}
	return out
}

// provider returns who provides a name.
func (s specs) provider(name string) string {
	for by, sp := range s {
		if slices.Contains(sp.Provides, name) {
			return by
		}
	}
	return ""
}

// origin places a service in a file of its name, and each name that it lists on a
// line of its own.
func (sp spec) origin(name string) db.Origin {
	o := db.Origin{Label: "0", Path: name + ".toml"}
	line := 1
	for _, list := range []struct {
		key   string
		names []string
	}{{"needs", sp.Deps}, {"provides", []string{""}}, {"wants", sp.Wants}} {
		for _, n := range slices.Sorted(slices.Values(list.names)) {
			line++
			o.Fields = append(o.Fields, db.FieldOrigin{Field: strings.TrimSuffix(list.key+"/"+n, "/"), Path: o.Path, Line: line})
		}
	}
	return o
}

// model compiles specs the short way: they are known to be right.
func (s specs) model(t failer) *db.Model {
	t.Helper()
	m := &db.Model{Blobs: db.Blobs{}}
	essential := map[string]bool{}
	ids := map[string]id{}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if s[name].Type != "bundle" {
			ids[name] = id(len(ids))
		}
		if s[name].Essential {
			for _, c := range s.flatten(name) {
				essential[c] = true
			}
		}
	}
	var needs, wants, soft []graph.Edge
	producers := map[id][]id{}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		sp := s[name]
		if sp.Type == "bundle" {
			b := db.Bundle{Name: name}
			for _, c := range s.flatten(name) {
				b.Contents = append(b.Contents, ids[c])
			}
			slices.Sort(b.Contents)
			b.Contents = slices.Compact(b.Contents)
			m.Bundles = append(m.Bundles, b)
			continue
		}
		svc := db.Service{
			Name: name, Type: db.Longrun, Consumer: db.None, RenamedFrom: sp.From, OnChange: sp.OnChange,
			Provides: slices.Sorted(slices.Values(sp.Provides)), Origin: sp.origin(name),
		}
		for _, n := range svc.Provides {
			m.Bundles = append(m.Bundles, db.Bundle{Name: n, Contents: []id{ids[name]}, Provided: true})
		}
		script := func(text string) db.Program {
			return db.Program{Form: db.Script, Script: m.Blobs.Add([]byte("#!/bin/sh\n" + text + "\n"))}
		}
		if sp.Type == "oneshot" {
			svc.Type, svc.Up = db.Oneshot, script(sp.Run)
		} else {
			svc.Run = script(sp.Run + "\nexec sleep 1000000")
		}
		if sp.Ready {
			svc.NotificationFD = db.Uint{Set: true, Value: 3}
		}
		if sp.Down != "" {
			svc.Down = script(sp.Down)
		}
		if sp.Finish != "" {
			svc.Finish = script(sp.Finish)
		}
		if sp.Edit != nil {
			sp.Edit(&svc)
		}
		if essential[name] {
			svc.Flags = db.Essential
		}
		from := ids[name]
		for _, d := range sp.Deps {
			for _, to := range s.flatten(d) {
				needs = append(needs, graph.Edge{From: from, To: ids[to]})
			}
		}
		for _, d := range sp.Wants {
			for _, to := range s.flatten(d) {
				wants = append(wants, graph.Edge{From: from, To: ids[to]})
				soft = append(soft, graph.Edge{From: from, To: ids[to]})
			}
		}
		if sp.Feeds != "" {
			svc.Consumer = ids[sp.Feeds]
			producers[svc.Consumer] = append(producers[svc.Consumer], from)
			needs = append(needs, graph.Edge{From: from, To: svc.Consumer})
		}
		m.Services = append(m.Services, svc)
	}
	slices.SortFunc(m.Bundles, func(a, b db.Bundle) int { return strings.Compare(a.Name, b.Name) })
	for c, ps := range producers {
		m.Services[c].Producers = ps
	}
	m.Needs, m.Wants, m.Soft = mustGraph(t, len(ids), needs), mustGraph(t, len(ids), wants), mustGraph(t, len(ids), soft)
	all, err := graph.Union(m.Needs, m.Soft)
	if err != nil {
		t.Fatal(err)
	}
	if m.Levels, err = all.Levels(); err != nil {
		t.Fatal(err)
	}
	return m
}

func mustGraph(t failer, n int, edges []graph.Edge) *graph.Graph {
	t.Helper()
	g, err := graph.New(n, edges)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// viewOfModel is a view without a file.
func viewOfModel(m *db.Model) *view {
	v := &view{
		needs: m.Needs, wants: m.Wants, soft: m.Soft, levels: m.Levels, bundles: m.Bundles,
		service: func(i id) (*db.Service, error) { return &m.Services[i], nil },
		blob:    func(d db.Digest) ([]byte, error) { return m.Blobs[d], nil },
	}
	defs := make([]db.Digest, len(m.Services))
	v.def = func(i id) db.Digest { return defs[i] }
	h := sha256.New()
	for i := range m.Services {
		s := &m.Services[i]
		body := *s
		body.Name, body.Flags, body.Origin, body.Description, body.Consumer, body.Producers = "", 0, db.Origin{}, "", 0, nil
		body.Provides, body.RenamedFrom, body.OnChange = nil, nil, 0
		v.names = append(v.names, s.Name)
		v.types = append(v.types, s.Type)
		v.flags = append(v.flags, s.Flags)
		v.manual = append(v.manual, s.Manual)
		defs[i] = sha256.Sum256(fmt.Appendf(nil, "%+v", body))
		v.consumer = append(v.consumer, s.Consumer)
		v.fed = append(v.fed, len(s.Producers) > 0)
		whole := *s
		whole.Origin, whole.Description = db.Origin{}, ""
		fmt.Fprintf(h, "%+v %v %v %v\n", whole, m.Needs.Out(id(i)), m.Wants.Out(id(i)), m.Soft.Out(id(i)))
	}
	for _, b := range m.Bundles {
		fmt.Fprintf(h, "%s %v\n", b.Name, b.Contents)
	}
	v.content = db.Digest(h.Sum(nil))
	return v
}

func (s specs) view(t failer) *view { return viewOfModel(s.model(t)) }

// words is the lexer of the tools.
func words(b []byte) ([]string, error) { return execline.Parse(b) }

func conversions(lines ...string) Conversions {
	return ParseConversions("conv", []byte(strings.Join(lines, "\n")), words)
}

// upState is the state in which these services are up.
func upState(v *view, up ...string) State {
	s := State{Up: make([]bool, v.len()), Stopped: make([]bool, v.len())}
	for _, name := range up {
		if i, ok := v.find(name); ok {
			s.Up[i] = true
		}
	}
	return s
}
