package db

import (
	"errors"
	"fmt"
	"slices"

	"strata/graph"
)

var (
	// ErrUnknown says that a name stands for nothing in the database. Tools end
	// with exit code 3.
	ErrUnknown = errors.New("no such service or bundle")
	// ErrWrongType says that a name stands for something that the question
	// makes no sense for. Tools end with exit code 5.
	ErrWrongType = errors.New("wrong type")
)

// Find is [DB.Lookup] with [ErrUnknown] for a name that is not there.
func (db *DB) Find(name string) (Ref, error) {
	ref, ok := db.Lookup(name)
	if !ok {
		return Ref{}, fmt.Errorf("cannot find %s in %s: %w", name, db.path, ErrUnknown)
	}
	return ref, nil
}

// FindAtomic finds the atomic service of a name. The error is [ErrUnknown], or
// [ErrWrongType] for a bundle.
func (db *DB) FindAtomic(name string) (ServiceID, error) {
	ref, err := db.Find(name)
	if err == nil && ref.Kind == BundleRef {
		err = fmt.Errorf("cannot use %s here: %w: it is a bundle", name, ErrWrongType)
	}
	return ref.Service, err
}

// FindType is [DB.FindAtomic] for a service that must be of a type.
func (db *DB) FindType(name string, want Type) (ServiceID, error) {
	id, err := db.FindAtomic(name)
	if err == nil && db.Type(id) != want {
		err = fmt.Errorf("cannot use %s here: %w: it is a %s", name, ErrWrongType, db.Type(id))
	}
	return id, err
}

// FindBundle finds the bundle of a name. The error is [ErrUnknown], or
// [ErrWrongType] for an atomic service.
func (db *DB) FindBundle(name string) (BundleID, error) {
	ref, err := db.Find(name)
	if err == nil && ref.Kind == AtomicRef {
		err = fmt.Errorf("cannot use %s here: %w: it is a %s", name, ErrWrongType, db.Type(ref.Service))
	}
	return ref.Bundle, err
}

// Atomics returns the atomic services that names stand for, ascending, each once.
// The error is [ErrUnknown].
func (db *DB) Atomics(names ...string) ([]ServiceID, error) {
	set := graph.NewSet(db.Len())
	for _, name := range names {
		members, ok := db.Resolve(name)
		if !ok {
			_, err := db.Find(name)
			return nil, err
		}
		for _, id := range members {
			set.Add(id)
		}
	}
	return set.IDs(), nil
}

// Direction says which way to follow edges.
type Direction uint8

// The directions: to what services depend on, and to what depends on them.
const (
	Up Direction = iota
	Down
)

// Dependencies returns what the services depend on directly, or what depends on
// them, ascending. The services themselves are in it only if one is another's.
func Dependencies(g *graph.Graph, of []ServiceID, d Direction) []ServiceID {
	set := graph.NewSet(g.Len())
	for _, id := range of {
		next := g.Out(id)
		if d == Down {
			next = g.In(id)
		}
		for _, to := range next {
			set.Add(to)
		}
	}
	return set.IDs()
}

// AllDependencies returns the services and all that they depend on, directly or
// through others, or all that depends on them, ascending.
func AllDependencies(g *graph.Graph, of []ServiceID, d Direction) []ServiceID {
	if d == Down {
		return g.Dependents(of).IDs()
	}
	return g.Closure(of).IDs()
}

// Pipe is one joint of a pipeline.
type Pipe struct{ Producer, Consumer ServiceID }

// Pipeline returns the joints of the whole pipeline that a longrun is in, what is
// upstream first. It is empty for a longrun in no pipeline. The error is that of
// [DB.Service].
func (db *DB) Pipeline(id ServiceID) ([]Pipe, error) {
	seen := graph.NewSet(db.Len())
	for seen.Add(id) {
		if next := db.Consumer(id); next != None {
			id = next
		}
	}
	w := pipeWalk{db: db, seen: graph.NewSet(db.Len())}
	if err := w.upstream(id); err != nil {
		return nil, err
	}
	return w.pipes, nil
}

type pipeWalk struct {
	db    *DB
	seen  *graph.Set // a pipeline is a tree, but who says that of a file
	pipes []Pipe
}

func (w *pipeWalk) upstream(consumer ServiceID) error {
	if !w.seen.Add(consumer) || !w.db.HasProducers(consumer) {
		return nil
	}
	s, err := w.db.Service(consumer)
	if err != nil {
		return err
	}
	for _, p := range s.Producers {
		if err := w.upstream(p); err != nil {
			return err
		}
		w.pipes = append(w.pipes, Pipe{p, consumer})
	}
	return nil
}

// Selection is a set of names to list.
type Selection uint8

// The selections.
const (
	AllNames Selection = iota // services and bundles
	AllServices
	AllOneshots
	AllLongruns
	AllBundles
)

// List returns the names of a selection, sorted by bytes; without the essential
// services if these are to be hidden, which counts for selections of services
// only, as in s6-rc-db.
func (db *DB) List(what Selection, hideEssential bool) []string {
	var names []string
	if what != AllBundles {
		names = db.names(what, hideEssential && what != AllNames)
	}
	if what == AllBundles || what == AllNames {
		for i := range BundleID(db.Bundles()) {
			names = append(names, db.BundleName(i))
		}
		slices.Sort(names)
	}
	return names
}

func (db *DB) names(what Selection, hideEssential bool) []string {
	var names []string
	for id := range ServiceID(db.Len()) {
		if hideEssential && db.Flags(id)&Essential != 0 || what == AllOneshots && db.Type(id) != Oneshot || what == AllLongruns && db.Type(id) != Longrun {
			continue
		}
		names = append(names, db.Name(id))
	}
	return names
}

// Names returns the names of services in the order given, without the essential
// ones if these are to be hidden.
func (db *DB) Names(of []ServiceID, hideEssential bool) []string {
	names := make([]string, 0, len(of))
	for _, id := range of {
		if !hideEssential || db.Flags(id)&Essential == 0 {
			names = append(names, db.Name(id))
		}
	}
	return names
}
