package update

import (
	"slices"

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
	defs   []db.Digest // of the definitions
	// consumer is what a longrun feeds, fed says that something feeds it.
	consumer []id
	fed      []bool

	needs, wants, soft *graph.Graph
	levels             graph.Levels

	bundles []db.Bundle // sorted by name, without description and origin
	service func(id) (*db.Service, error)
	blob    func(db.Digest) ([]byte, error)
}

func viewOf(d *db.DB) *view {
	n := d.Len()
	v := &view{
		path: d.Path(), content: d.Content(), file: d.File(), private: d.Private(),
		names: make([]string, n), types: make([]db.Type, n), flags: make([]db.Flags, n), manual: make([]bool, n),
		defs: make([]db.Digest, n), consumer: make([]id, n), fed: make([]bool, n),
		needs: d.Needs(), wants: d.Wants(), soft: d.Soft(), levels: d.Levels(),
		bundles: make([]db.Bundle, d.Bundles()), service: d.Service, blob: d.Blob,
	}
	for i := range id(n) {
		v.names[i], v.types[i], v.flags[i], v.manual[i] = d.Name(i), d.Type(i), d.Flags(i), d.Manual(i)
		v.defs[i], v.consumer[i], v.fed[i] = d.Definition(i), d.Consumer(i), d.HasProducers(i)
	}
	for b := range v.bundles {
		v.bundles[b] = db.Bundle{Name: d.BundleName(db.BundleID(b)), Contents: d.Contents(db.BundleID(b))}
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
	i, ok := slices.BinarySearchFunc(v.bundles, name, func(b db.Bundle, n string) int {
		switch {
		case b.Name < n:
			return -1
		case b.Name > n:
			return 1
		}
		return 0
	})
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

// piped says that a longrun is part of a pipeline.
func (v *view) piped(i id) bool { return v.consumer[i] != db.None || v.fed[i] }
