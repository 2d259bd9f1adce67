package db

import (
	"sort"

	"strata/graph"
)

// Path returns the path of the file.
func (db *DB) Path() string { return db.path }

// Size returns the size of the file in bytes.
func (db *DB) Size() int64 { return int64(len(db.data)) }

// Content returns the digest of what the services are: of everything but
// descriptions, provenance and the tool's version.
func (db *DB) Content() Digest { return db.header.content }

// File returns the digest of the file.
func (db *DB) File() Digest { return db.file }

// Private reports whether the database holds something that not everybody could
// read in the source.
func (db *DB) Private() bool { return db.header.private }

// Tool returns the name and version of the program that wrote the database.
func (db *DB) Tool() string { return db.header.tool }

// Format returns the version of the file format.
func (db *DB) Format() int { return FormatVersion }

// Len returns the number of atomic services.
func (db *DB) Len() int { return db.flat.len() }

// has reports whether there is such a service. The methods below answer zero for
// one that is not there.
func (db *DB) has(id ServiceID) bool { return uint64(id) < uint64(db.flat.len()) }

// Name returns a service's name. It outlives the database.
func (db *DB) Name(id ServiceID) string {
	if !db.has(id) {
		return ""
	}
	return db.flat.name(id)
}

func (db *DB) kind(id ServiceID) byte {
	if !db.has(id) {
		return 0
	}
	return db.flat.kinds[id]
}

// Type returns a service's type.
func (db *DB) Type(id ServiceID) Type { return Type(db.kind(id) & kindType) }

// Manual reports whether a service is never pulled in by a bundle.
func (db *DB) Manual(id ServiceID) bool { return db.kind(id)&kindManual != 0 }

// HasReadiness reports whether a service tells when it is ready.
func (db *DB) HasReadiness(id ServiceID) bool { return db.kind(id)&kindReadiness != 0 }

// HasProducers reports whether longruns feed this one.
func (db *DB) HasProducers(id ServiceID) bool { return db.kind(id)&kindProducers != 0 }

// number looks into one of the arrays by service.
func (db *DB) number(array []uint32, id ServiceID, missing uint32) uint32 {
	if !db.has(id) {
		return missing
	}
	return array[id]
}

// Flags returns a service's annotation flags.
func (db *DB) Flags(id ServiceID) Flags { return Flags(db.number(db.flat.flags, id, 0)) }

// TimeoutUp returns how long a service may take to come up; 0 is no limit.
func (db *DB) TimeoutUp(id ServiceID) Millis { return Millis(db.number(db.flat.timeUp, id, 0)) }

// TimeoutDown returns how long a service may take to go down; 0 is no limit.
func (db *DB) TimeoutDown(id ServiceID) Millis { return Millis(db.number(db.flat.timeDn, id, 0)) }

// Consumer returns the longrun that a service feeds, or [None].
func (db *DB) Consumer(id ServiceID) ServiceID {
	return ServiceID(db.number(db.flat.feeds, id, uint32(None)))
}

// Definition returns the digest of what a service is made of: type, timeouts,
// programs by content, everything about its process, and its files. Name,
// description, place in the source, edges, pipelines, flags and orders for the
// updater do not count.
func (db *DB) Definition(id ServiceID) Digest {
	if !db.has(id) {
		return Digest{}
	}
	return db.flat.definition(id)
}

// Needs returns the hard edges, from a service to what it needs.
func (db *DB) Needs() *graph.Graph { return db.flat.needs }

// Wants returns the pull-in edges.
func (db *DB) Wants() *graph.Graph { return db.flat.wants }

// Soft returns the edges of order alone.
func (db *DB) Soft() *graph.Graph { return db.flat.soft }

// Levels returns the levels of hard and soft edges together.
func (db *DB) Levels() graph.Levels { return db.flat.levels }

// Bundles returns the number of bundles.
func (db *DB) Bundles() int { return db.flat.bundles() }

func (db *DB) hasBundle(id BundleID) bool { return uint64(id) < uint64(db.flat.bundles()) }

// BundleName returns a bundle's name. It outlives the database.
func (db *DB) BundleName(id BundleID) string {
	if !db.hasBundle(id) {
		return ""
	}
	return db.flat.bundleName(id)
}

// Provided reports whether a bundle is a name that its one service provides.
func (db *DB) Provided(id BundleID) bool {
	return db.hasBundle(id) && db.flat.bundleKinds[id]&bundleProvided != 0
}

// Contents returns the atomic services a bundle stands for, ascending.
func (db *DB) Contents(id BundleID) []ServiceID {
	if !db.hasBundle(id) {
		return nil
	}
	lo, hi := db.flat.bundleOff[id], db.flat.bundleOff[id+1]
	return ids(db.flat.bundleAdj[lo:hi:hi])
}

// RefKind says what a name stands for.
type RefKind uint8

// The kinds of names.
const (
	AtomicRef RefKind = iota + 1
	BundleRef
)

// Ref is what a name stands for.
type Ref struct {
	Kind RefKind
	// Service is set for AtomicRef, Bundle for BundleRef.
	Service ServiceID
	Bundle  BundleID
}

// Lookup finds a name.
func (db *DB) Lookup(name string) (Ref, bool) {
	n := db.flat.len()
	i := sort.Search(n, func(i int) bool { return db.flat.name(ServiceID(i)) >= name })
	if i < n && db.flat.name(ServiceID(i)) == name {
		return Ref{Kind: AtomicRef, Service: ServiceID(i)}, true
	}
	n = db.flat.bundles()
	i = sort.Search(n, func(i int) bool { return db.flat.bundleName(BundleID(i)) >= name })
	if i < n && db.flat.bundleName(BundleID(i)) == name {
		return Ref{Kind: BundleRef, Bundle: BundleID(i)}, true
	}
	return Ref{}, false
}

// Resolve returns the atomic services that a name stands for, ascending.
func (db *DB) Resolve(name string) ([]ServiceID, bool) {
	ref, ok := db.Lookup(name)
	switch {
	case !ok:
		return nil, false
	case ref.Kind == BundleRef:
		return db.Contents(ref.Bundle), true
	}
	return []ServiceID{ref.Service}, true
}
