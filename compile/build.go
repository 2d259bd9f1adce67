package compile

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"strata/compile/db"
	"strata/compile/source"
	"strata/graph"
	"strata/internal/diag"
)

// build makes the graphs and, if they have no cycle, the model.
func (c *compiler) build() *db.Model {
	needs, wants, soft := c.graph(c.needs), c.graph(c.wants), c.graph(c.soft)
	levels, ok := c.levels(needs, soft)
	if !ok {
		return nil
	}
	m := &db.Model{Needs: needs, Wants: wants, Soft: soft, Levels: levels, Blobs: c.set.Blobs}
	m.Services = make([]db.Service, len(c.atoms))
	for i, d := range c.atoms {
		m.Services[i] = c.service(d)
	}
	m.Bundles = c.modelBundles()
	if c.set.Unreadable != "" {
		m.Private = true
		c.list.Warnf(codePrivate, diag.Position{File: c.set.Unreadable}, "not everybody may read this file, so the database will be readable by its owner only")
	}
	return m
}

// graph makes a graph of edges between known services, which cannot fail.
func (c *compiler) graph(edges edgeList) *graph.Graph {
	g, err := graph.New(len(c.atoms), edges)
	if err != nil {
		c.list.Errorf("internal", diag.Position{}, "cannot build the graph: %v", err)
		g, _ = graph.New(len(c.atoms), nil)
	}
	return g
}

// levels orders hard and soft edges together, or reports a shortest cycle of each
// knot of services that depend on each other.
func (c *compiler) levels(needs, soft *graph.Graph) (graph.Levels, bool) {
	all, err := graph.Union(needs, soft)
	if err != nil {
		c.list.Errorf("internal", diag.Position{}, "cannot build the graph: %v", err)
		return graph.Levels{}, false
	}
	levels, err := all.Levels()
	var cycles *graph.CycleError
	if errors.As(err, &cycles) {
		c.cycle(cycles.Cycle)
		for _, other := range cycles.Others {
			c.cycle(other)
		}
		return graph.Levels{}, false
	}
	return levels, true
}

func (c *compiler) cycle(ids []db.ServiceID) {
	names := make([]string, 0, len(ids)+1)
	related := make([]diag.Related, len(ids))
	for i, id := range ids {
		names = append(names, c.atoms[id].Name)
		related[i] = c.edgeReason(id, ids[(i+1)%len(ids)])
	}
	names = append(names, names[0])
	d := c.list.Errorf("dependency-cycle", related[0].Pos, "services depend on each other in a cycle: %s", strings.Join(names, " -> "))
	d.Hint = "remove one of these dependencies"
	if len(ids) == 1 {
		d.Message = names[0] + " depends on itself"
		d.Hint = "remove this dependency"
		if !strings.Contains(related[0].Message, "through") {
			return // it says no more
		}
	}
	d.Related = related
}

// service completes what the reader knew of a service.
func (c *compiler) service(d *source.Definition) db.Service {
	s := d.Body
	s.Name = d.Name
	s.Type = db.Oneshot
	s.Consumer = db.None
	if d.Kind == source.Longrun {
		s.Type = db.Longrun
		if consumer := c.feeds[d]; consumer != nil {
			s.Consumer = c.ids[consumer.Name]
		}
		for _, p := range c.fedBy[d] {
			s.Producers = append(s.Producers, c.ids[p.Name])
		}
		slices.Sort(s.Producers)
	}
	s.Provides = refNames(d.Provides)
	s.RenamedFrom = refNames(d.RenamedFrom)
	s.Origin = c.origin(d)
	return s
}

func refNames(refs []source.Ref) []string {
	var out []string
	for _, r := range refs {
		out = append(out, r.Name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *compiler) origin(d *source.Definition) db.Origin {
	o := db.Origin{Label: c.set.Dirs[d.Source].Label, Path: c.within(d, d.Pos.File), Line: d.Pos.Line}
	if o.Label == "" {
		o.Label = strconv.Itoa(d.Source)
	}
	for field, pos := range d.FieldPos.All() {
		o.Fields = append(o.Fields, db.FieldOrigin{Field: field, Path: c.within(d, pos.File), Line: pos.Line})
	}
	for _, edges := range []struct {
		field string
		refs  []source.Ref
	}{{"needs/", d.Needs}, {"wants/", d.Wants}, {"after/", d.After}, {"before/", d.Before}} {
		for _, r := range edges.refs {
			o.Fields = append(o.Fields, db.FieldOrigin{Field: edges.field + r.Name, Path: c.within(d, r.Pos.File), Line: r.Pos.Line})
		}
	}
	slices.SortFunc(o.Fields, func(a, b db.FieldOrigin) int { return cmp.Compare(a.Field, b.Field) })
	return o
}

// within returns a path relative to the source, so that the database does not
// depend on where it was compiled.
func (c *compiler) within(d *source.Definition, path string) string {
	dir := strings.TrimRight(c.set.Dirs[d.Source].Path, "/")
	return strings.TrimLeft(strings.TrimPrefix(path, dir), "/")
}

// modelBundles are the bundles and the provided names, sorted by name.
func (c *compiler) modelBundles() []db.Bundle {
	var out []db.Bundle
	for _, name := range c.bundleNames() {
		b := c.bundles[name]
		out = append(out, db.Bundle{Name: name, Description: b.def.Description, Contents: b.contents, Pipeline: b.pipeline, Origin: c.origin(b.def)})
	}
	for name, id := range c.provided {
		out = append(out, db.Bundle{Name: name, Contents: []db.ServiceID{id}, Provided: true, Origin: c.origin(c.atoms[id])})
	}
	slices.SortFunc(out, func(a, b db.Bundle) int { return strings.Compare(a.Name, b.Name) })
	return out
}
