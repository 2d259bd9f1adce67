package db

import (
	"errors"
	"fmt"
)

// DB is an open database. It never changes, and its methods may be called by
// several goroutines at once.
//
// Slices and graphs that its methods return belong to the database: read only,
// and not after [DB.Close]. Strings, services, bundles and blobs are the caller's.
type DB struct {
	path   string
	data   []byte // the file
	whole  bool   // it has been checked whole
	header header
	file   Digest

	services, notes, blobs bucket

	flat    *flat
	release func() error
}

// Open opens a database from outside: a file, or a directory with a file db in
// it. The whole file is checked against its digest, and what can be read without
// the records against itself, in a time that grows with the file's size.
//
// The error is [ErrCorrupt] for a file that is cut, changed or foreign,
// [ErrFormat] for one of another version, and else the file system's own.
func Open(path string) (*DB, error) { return open(path, true, mmap) }

// OpenLive opens a copy that [Copy] made. The digest of the whole file is taken
// for granted; graph, names and numbers are checked against their checksums here,
// records, notes and blobs when they are read. Nothing of the graph is copied.
func OpenLive(path string) (*DB, error) { return open(path, false, mmap) }

func open(path string, outside bool, m mapper) (*DB, error) {
	f, name, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open database %s: %w", name, err)
	}
	defer f.Close()
	data, release, err := mapFile(f, m)
	if err != nil {
		return nil, fmt.Errorf("cannot open database %s: %w", name, err)
	}
	db, err := openBytes(data, outside)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open database %s: %w", name, err), release())
	}
	db.path, db.release = name, release
	return db, nil
}

// openBytes opens the bytes of a database file.
func openBytes(data []byte, outside bool) (*DB, error) {
	db := &DB{data: data, whole: outside, release: func() error { return nil }}
	return db, protect(func() error { return db.read(data, outside) })
}

// Claim gives what a database at path, as of [Open], says it is. Its header has been
// checked and nothing else, so that the size of the file does not matter. Errors are
// those of Open.
func Claim(path string) (*Info, error) {
	f, name, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open database %s: %w", name, err)
	}
	defer f.Close()
	data, release, err := mapFile(f, mmap)
	if err != nil {
		return nil, fmt.Errorf("cannot open database %s: %w", name, err)
	}
	db := new(DB)
	err = protect(func() error {
		_, err := db.readHeader(data, false)
		return err
	})
	size := int64(len(data))
	if err = errors.Join(err, release()); err != nil {
		return nil, fmt.Errorf("cannot open database %s: %w", name, err)
	}
	return &Info{Content: db.header.content, File: db.file, Size: size}, nil
}

// readHeader reads what stands before the graph, and finds that.
func (db *DB) readHeader(data []byte, outside bool) (graph bucket, err error) {
	p, digest, err := splitTrailer(data, outside)
	if err != nil {
		return graph, err
	}
	db.file = digest
	root, err := p.root()
	if err != nil {
		return graph, err
	}
	var meta bucket
	for _, sub := range []struct {
		name string
		to   *bucket
	}{{bucketMeta, &meta}, {bucketGraph, &graph}, {bucketServices, &db.services}, {bucketNotes, &db.notes}, {bucketBlobs, &db.blobs}} {
		if *sub.to, err = root.sub(sub.name); err != nil {
			return graph, err
		}
	}
	value, _, err := meta.get([]byte(keyHeader))
	if err != nil {
		return graph, err
	}
	db.header, err = decodeHeader(value)
	return graph, err
}

func (db *DB) read(data []byte, outside bool) error {
	graph, err := db.readHeader(data, outside)
	if err != nil {
		return err
	}
	a, err := readArrays(graph, db.header.sections, outside)
	if err != nil {
		return err
	}
	if db.flat, err = newFlat(a); err != nil {
		return err
	}
	if db.flat.len() != int(db.header.services) || db.flat.bundles() != int(db.header.bundles) {
		return corruptf("the header is damaged")
	}
	return nil
}

// readArrays finds the sections, checks each against its checksum, and points the
// arrays at them, or at copies.
func readArrays(graph bucket, sums []sectionSum, copied bool) (*arrays, error) {
	a := new(arrays)
	sections := a.sections()
	if len(sums) != len(sections) {
		return nil, corruptf("%d sections, want %d", len(sums), len(sections))
	}
	for i, s := range sections {
		stored, _, err := graph.get(serviceKey(i))
		if err != nil {
			return nil, err
		}
		size := uint64(sums[i].size)
		if stored == nil || uint64(len(stored)) != (size+3)&^3 || sum(stored) != sums[i].sum || !s.decode(stored[:size:size], copied) {
			return nil, corruptf("section %q is damaged", s.name)
		}
	}
	return a, nil
}

// Close gives the file's memory back. Graphs and slices of the database must not
// be used any more.
func (db *DB) Close() error {
	release := db.release
	db.release = func() error { return nil }
	return release()
}
