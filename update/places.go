package update

import (
	"slices"
	"strings"

	"strata/compile/db"
)

// places finds where things stand in the sources. It reads a record once.
type places struct {
	records map[placeKey]*placed
	err     error // the first failure to read one
}

type placeKey struct {
	of *view
	id id
}

// placed is the origin of a service.
type placed struct {
	db.Origin
	// bundles are, by key, the bundles through which the service has edges.
	bundles map[string][]*db.Bundle
}

func newPlaces() *places { return &places{records: map[placeKey]*placed{}} }

func (p *places) record(v *view, i id) *placed {
	key := placeKey{v, i}
	if r, ok := p.records[key]; ok {
		return r
	}
	r := new(placed)
	switch s, err := v.service(i); {
	case err == nil:
		r.Origin = s.Origin
	case p.err == nil:
		p.err = err
	}
	p.records[key] = r
	return r
}

// of is the place of a field of a service, or with no field of the service. An
// internal service has none.
func (p *places) of(v *view, i id, field string) string {
	if int(i) >= v.len() {
		return ""
	}
	return p.record(v, i).Place(field)
}

// ofEdge is where an edge was declared: by the name of what it leads to, by that of a
// bundle which holds it, or by a pipeline.
func (p *places) ofEdge(v *vertices, from id, key string, to id) string {
	if !v.isService(from) || !v.isService(to) {
		return ""
	}
	r := p.record(v.view, from)
	if name := key + "/" + v.names[to]; r.has(name) {
		return r.Place(name)
	}
	for _, b := range r.through(v.view, key) {
		if _, found := slices.BinarySearch(b.Contents, to); found {
			return r.Place(key + "/" + b.Name)
		}
	}
	if v.consumer[from] == to && r.has("producer-for") {
		return r.Place("producer-for")
	}
	return r.Place(key)
}

// has says that a field has a place of its own. Fields are sorted.
func (r *placed) has(field string) bool {
	_, found := slices.BinarySearchFunc(r.Fields, field, func(f db.FieldOrigin, name string) int { return strings.Compare(f.Field, name) })
	return found
}

// through are the bundles that a list names, among them what services provide.
func (r *placed) through(v *view, key string) []*db.Bundle {
	if out, ok := r.bundles[key]; ok {
		return out
	}
	out := []*db.Bundle{}
	for _, f := range r.Fields {
		if name, ok := strings.CutPrefix(f.Field, key+"/"); ok {
			if b, ok := v.bundle(name); ok {
				out = append(out, b)
			}
		}
	}
	if r.bundles == nil {
		r.bundles = map[string][]*db.Bundle{}
	}
	r.bundles[key] = out
	return out
}
