package update

import (
	"slices"
	"strings"

	"strata/compile/db"
	"strata/graph"
)

// id is the number of a service in one of the two databases.
type id = db.ServiceID

// view is what the planner looks at in a database: flat facts about each service,
// by number, and functions for what is only looked at where something differs.
type view struct {
	path          string
	content, file db.Digest
	private       bool

	names  []string // in byte order
	types  []db.Type
	flags  []db.Flags
	manual []bool
	// consumer is what a longrun feeds, fed says that something feeds it.
	consumer []id
	fed      []bool

	needs, wants, soft *graph.Graph
	levels             graph.Levels

	bundles []db.Bundle        // sorted by name, without description and origin
	def     func(id) db.Digest // of its definition
	service func(id) (*db.Service, error)
	blob    func(db.Digest) ([]byte, error)
}

func viewOf(d *db.DB) *view {
	n := d.Len()
	v := &view{
		path: d.Path(), content: d.Content(), file: d.File(), private: d.Private(),
		names: make([]string, n), types: make([]db.Type, n), flags: make([]db.Flags, n), manual: make([]bool, n),
		consumer: make([]id, n), fed: make([]bool, n),
		needs: d.Needs(), wants: d.Wants(), soft: d.Soft(), levels: d.Levels(),
		bundles: make([]db.Bundle, d.Bundles()), def: d.Definition, service: d.Service, blob: d.Blob,
	}
	for i := range id(n) {
		v.names[i], v.types[i], v.flags[i], v.manual[i] = d.Name(i), d.Type(i), d.Flags(i), d.Manual(i)
		v.consumer[i], v.fed[i] = d.Consumer(i), d.HasProducers(i)
	}
	for k := range v.bundles {
		b := db.BundleID(k)
		v.bundles[k] = db.Bundle{Name: d.BundleName(b), Contents: d.Contents(b), Provided: d.Provided(b)}
	}
	return v
}

func (v *view) len() int { return len(v.names) }

// find returns the atomic service of that name.
func (v *view) find(name string) (id, bool) {
	i, ok := slices.BinarySearch(v.names, name)
	return id(i), ok
}

// bundle returns the bundle, or the provided name, of that name.
func (v *view) bundle(name string) (*db.Bundle, bool) {
	i, ok := slices.BinarySearchFunc(v.bundles, name, func(b db.Bundle, n string) int { return strings.Compare(b.Name, n) })
	if !ok {
		return nil, false
	}
	return &v.bundles[i], true
}

// resolve returns the services a name stands for.
func (v *view) resolve(name string) ([]id, bool) {
	if i, ok := v.find(name); ok {
		return []id{i}, true
	}
	if b, ok := v.bundle(name); ok {
		return b.Contents, true
	}
	return nil, false
}

// edges are those of a list of names; those of after are all soft ones.
func (v *view) edges(key string) *graph.Graph {
	switch key {
	case "wants":
		return v.wants
	case "after":
		return v.soft
	}
	return v.needs
}

// isProvided says that a name is one that a service provides.
func (v *view) isProvided(name string) bool {
	b, ok := v.bundle(name)
	return ok && b.Provided
}

// provider returns the service that provides a name, or is called so itself.
func (v *view) provider(name string) (id, bool) {
	if i, ok := v.find(name); ok {
		return i, true
	}
	if b, ok := v.bundle(name); ok && b.Provided {
		return b.Contents[0], true
	}
	return db.None, false
}

// piped says that a longrun is part of a pipeline.
func (v *view) piped(i id) bool { return v.consumer[i] != db.None || v.fed[i] }
