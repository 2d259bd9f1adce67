package update

import (
	"fmt"
	"slices"

	"strata/compile/db"
	"strata/graph"
)

// The internal services of s6-rc. They are no services of a database here, but
// under the policy Identity they count as the reference counts them: a oneshot
// depends on the runner, a longrun in a pipeline on the holder.
const (
	runnerName = "s6rc-oneshot-runner"
	holderName = "s6rc-fdholder"
)

// vertices are the services of a view as the transition rules see them. With
// internals, two more stand behind the last service.
type vertices struct {
	*view
	internals bool
	needs     *graph.Graph
}

func newVertices(v *view, internals bool) (*vertices, error) {
	out := &vertices{v, internals, v.needs}
	if !internals {
		return out, nil
	}
	n := id(v.len())
	edges := make([]graph.Edge, 0, v.needs.Edges()+v.len())
	for i := range n {
		for _, to := range v.needs.Out(i) {
			edges = append(edges, graph.Edge{From: i, To: to})
		}
		switch {
		case v.types[i] == db.Oneshot:
			edges = append(edges, graph.Edge{From: i, To: n})
		case v.piped(i):
			edges = append(edges, graph.Edge{From: i, To: n + 1})
		}
	}
	var err error
	out.needs, err = graph.New(int(n)+2, edges)
	if err != nil {
		return nil, fmt.Errorf("cannot plan: %w", err)
	}
	return out, nil
}

func (v *vertices) runner() id { return id(v.view.len()) }
func (v *vertices) holder() id { return id(v.view.len() + 1) }

// count returns the number of vertices, internals included.
func (v *vertices) count() int {
	if v.internals {
		return v.view.len() + 2
	}
	return v.view.len()
}

// service says that i is no internal.
func (v *vertices) isService(i id) bool { return int(i) < v.view.len() }

func (v *vertices) name(i id) string {
	switch {
	case v.isService(i):
		return v.names[i]
	case i == v.runner():
		return runnerName
	}
	return holderName
}

func (v *vertices) typeOf(i id) db.Type {
	if v.isService(i) {
		return v.types[i]
	}
	return db.Longrun
}

// edges are those of a list of names, with the internal services' among the needs.
func (v *vertices) edges(key string) *graph.Graph {
	if key == "needs" {
		return v.needs
	}
	return v.view.edges(key)
}

func (v *vertices) resolve(name string) ([]id, bool) {
	if v.internals {
		switch name {
		case runnerName:
			return []id{v.runner()}, true
		case holderName:
			return []id{v.holder()}, true
		}
	}
	return v.view.resolve(name)
}

// referenceOrder visits the vertices as s6-rc numbers them, from the last to the
// first: oneshots, longruns, internals. It decides which of several mistakes is
// named, and the order of names in a dry run.
func (v *vertices) referenceOrder() []id {
	out := make([]id, 0, v.count())
	for _, t := range []db.Type{db.Oneshot, db.Longrun} {
		for i := v.view.len() - 1; i >= 0; i-- {
			if v.types[i] == t {
				out = append(out, id(i))
			}
		}
	}
	if v.internals {
		out = append(out, v.holder(), v.runner())
	}
	return out
}

// Via says why an old service is taken to be a new one.
type Via uint8

// The reasons. ByName covers a name that stands for a bundle in the new database;
// ByProvides is one that another service, which is new, provides.
const (
	NoMatch Via = iota
	ByName
	ByFile
	ByRenamedFrom
	ByProvides
)

// match says what became of the old services.
type match struct {
	// to are the new services an old one became: none, one, or, if its name is
	// a bundle's now, several. single says that the name stands for exactly
	// one, so that the service itself goes on.
	to     [][]id
	single []bool
	via    []Via
	// from is the inverse: the old service, or None.
	from []id
	// restart says that the conversion file orders a restart, retyped that the
	// one service it became has another type.
	restart, retyped []bool
	line             []int
}

// pair returns the one new service that old i goes on as, with the same type.
func (m *match) pair(i id) (id, bool) {
	if m.single[i] && !m.retyped[i] {
		return m.to[i][0], true
	}
	return db.None, false
}

// matchServices decides the identity of services: a line of the conversion file,
// else renamed-from, else the name. A name that another service provides now counts
// if that service would else be new.
func matchServices(old, new *vertices, conv Conversions) (*match, error) {
	orders, err := conv.orders(old)
	if err != nil {
		return nil, err
	}
	same, known := sameNames(old.names, new.names)
	renames, err := renamedFrom(old.view, new.view, orders, known)
	if err != nil {
		return nil, err
	}
	m := newMatch(old.count(), new.count())
	self := make([]id, new.count()) // a list of one for each new service
	for j := range self {
		self[j] = id(j)
	}
	var provided []id
	for _, i := range old.referenceOrder() {
		o, ordered := orders[i]
		name, via := old.name(i), ByName
		if to, ok := renames[i]; ok {
			name, via = to, ByRenamedFrom
		}
		if o.renamed {
			name, via = o.to, ByFile
		}
		m.restart[i] = ordered && o.restart
		m.line[i] = o.line
		var to []id
		ok := false
		if j := same.of(i); via == ByName && j != db.None {
			to, ok = self[j:j+1:j+1], true
		} else {
			to, ok = new.resolve(name)
		}
		switch {
		case !ok && o.renamed:
			return nil, conv.errorf(ConversionLine{Number: o.line}, ErrNoTarget, "%s is not in the new database", name)
		case !ok:
			continue
		case via == ByName && new.isProvided(name):
			provided = append(provided, i)
			continue
		}
		for _, j := range to {
			if other := m.from[j]; other != db.None {
				return nil, &ConversionError{
					File: conv.File, Kind: ErrDuplicate,
					Message: fmt.Sprintf("new service %s is what both %s and %s became", new.name(j), old.name(other), old.name(i)),
				}
			}
		}
		m.set(old, new, i, to, via)
	}
	for _, i := range provided {
		if to, _ := new.resolve(old.name(i)); m.from[to[0]] == db.None {
			m.set(old, new, i, to, ByProvides)
		}
	}
	return m, nil
}

// numbering gives services of one database their numbers in the other, or None.
type numbering []id

// of is the number of i; internal services have none here.
func (n numbering) of(i id) id {
	if int(i) < len(n) {
		return n[i]
	}
	return db.None
}

// sameNames finds, in two sorted lists of names, those that are in both.
func sameNames(old, new []string) (to, from numbering) {
	to, from = make(numbering, len(old)), make(numbering, len(new))
	for j := range from {
		from[j] = db.None
	}
	j := 0
	for i, name := range old {
		for j < len(new) && new[j] < name {
			j++
		}
		to[i] = db.None
		if j < len(new) && new[j] == name {
			to[i], from[j] = id(j), id(i)
		}
	}
	return to, from
}

// set notes what an old service became.
func (m *match) set(old, new *vertices, i id, to []id, via Via) {
	m.to[i], m.single[i], m.via[i] = to, len(to) == 1, via
	for _, j := range to {
		m.from[j] = i
	}
	m.retyped[i] = m.single[i] && old.typeOf(i) != new.typeOf(to[0])
}

func newMatch(oldCount, newCount int) *match {
	m := &match{
		to: make([][]id, oldCount), single: make([]bool, oldCount), via: make([]Via, oldCount), from: make([]id, newCount),
		restart: make([]bool, oldCount), retyped: make([]bool, oldCount), line: make([]int, oldCount),
	}
	for j := range m.from {
		m.from[j] = db.None
	}
	return m
}

// renamedFrom reads the renamed-from of services whose name is new. An entry
// counts only if the old database has that name and the new one does not; a line
// of the conversion file about either name comes first.
func renamedFrom(old, new *view, orders map[id]order, known numbering) (map[id]string, error) {
	taken := map[string]bool{}
	for _, o := range orders {
		taken[o.to] = o.renamed
	}
	out := map[id]string{}
	for j := range id(new.len()) {
		if known[j] != db.None {
			continue
		}
		name := new.names[j]
		if _, isBundle := old.bundle(name); isBundle || taken[name] {
			continue
		}
		svc, err := new.service(j)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(svc.RenamedFrom, func(from string) bool {
			i, had := old.find(from)
			_, has := new.resolve(from)
			return had && !has && !orders[i].renamed && out[i] == ""
		})
		if at >= 0 {
			i, _ := old.find(svc.RenamedFrom[at])
			out[i] = name
		}
	}
	return out, nil
}
