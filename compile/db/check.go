package db

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"
	"sync"
)

// Check reads everything, the bytes that nobody asks for included, and reports the first thing that is wrong, as
// [ErrCorrupt]: records and contents that do not match their digests, levels that
// are not those of the graph (and so any cycle), pipelines of which one side does
// not know the other, contents that are missing or that nobody uses.
func (db *DB) Check() error {
	if err := protect(db.check); err != nil {
		return fmt.Errorf("cannot use database %s: %w", db.path, err)
	}
	return nil
}

// check does half of the work, the two digests that cover everything and the notes,
// beside the other half.
func (db *DB) check() error {
	var whole, content, notes error
	var aside sync.WaitGroup
	aside.Go(func() {
		whole = protect(db.checkWhole)
		content = protect(db.checkContent)
		notes = protect(db.checkNotes)
	})
	meaning := protect(db.checkMeaning)
	aside.Wait()
	return cmp.Or(whole, meaning, content, notes)
}

func (db *DB) checkWhole() error {
	if db.whole {
		return nil
	}
	_, _, err := splitTrailer(db.data, true)
	return err
}

func (db *DB) checkContent() error {
	h := newContentHash(db.Private())
	for _, s := range db.flat.sections() {
		stored, _ := s.encode()
		h.chunk(stored)
	}
	err := db.services.each(func(_, value []byte) error { h.chunk(value); return nil })
	if err == nil {
		err = db.blobs.each(func(key, _ []byte) error { h.chunk(key); return nil })
	}
	if err == nil && h.sum() != db.header.content {
		err = corruptf("its content does not match its content digest")
	}
	return err
}

func (db *DB) checkMeaning() error {
	if err := db.flat.checkMeaning(); err != nil {
		return err
	}
	c := checker{db: db, def: sha256.New(), used: map[Digest]bool{}}
	if err := db.services.each(c.service); err != nil {
		return err
	}
	if c.seen != db.Len() {
		return corruptf("%d service records, want %d", c.seen, db.Len())
	}
	if err := db.flat.pipelines(c.fed); err != nil {
		return err
	}
	if err := db.blobs.each(c.blob); err != nil {
		return err
	}
	if len(c.used) > 0 || c.blobs != int(db.header.blobs) {
		return corruptf("%d contents are missing", max(len(c.used), 1))
	}
	return nil
}

// checker goes through the buckets.
type checker struct {
	db    *DB
	def   hash.Hash // to be reset for each definition
	seen  int
	fed   []Pipe
	used  map[Digest]bool
	blobs int
}

func (c *checker) service(key, value []byte) error {
	id := ServiceID(c.seen)
	if !bytes.Equal(key, serviceKey(c.seen)) || !c.db.has(id) {
		return corruptf("service records are out of order")
	}
	c.seen++
	var s Service
	def, err := c.db.record(id, key, value, &s)
	if err != nil {
		return err
	}
	if !c.db.flat.sameDefinition(id, definitionDigest(c.def, def)) {
		return corruptf("the definition of service %q does not match its digest", s.Name)
	}
	for d := range s.Blobs() {
		c.used[d] = true
	}
	for i, p := range s.Producers {
		if i > 0 && s.Producers[i-1] >= p {
			return corruptf("the producers of %q are out of order", s.Name)
		}
		c.fed = append(c.fed, Pipe{p, id})
	}
	return nil
}

// pipelines checks that consumers name just the producers that name them.
func (f *flat) pipelines(fed []Pipe) error {
	var feeds []Pipe
	for i, to := range f.feeds {
		if to != uint32(None) {
			feeds = append(feeds, Pipe{ServiceID(i), ServiceID(to)})
		}
	}
	// A service feeds one other, so the producers are enough to sort by.
	slices.SortFunc(fed, func(a, b Pipe) int { return cmp.Compare(a.Producer, b.Producer) })
	for i := range max(len(feeds), len(fed)) {
		if i >= len(feeds) || i >= len(fed) || feeds[i] != fed[i] {
			p := slices.Concat(feeds[min(i, len(feeds)):], fed[min(i, len(fed)):])[0]
			return corruptf("the pipeline from %q to %q is not known to both", f.name(p.Producer), f.name(p.Consumer))
		}
	}
	return nil
}

func (db *DB) checkNotes() error {
	n := 0
	err := db.notes.each(func(key, value []byte) error {
		want := noteKey(noteBundle, n)
		if n >= db.Bundles() {
			want = noteKey(noteService, n-db.Bundles())
		}
		if !bytes.Equal(key, want) || !soundNote(key, value) {
			return corruptf("the notes are damaged")
		}
		n++
		return nil
	})
	if err == nil && n != db.Bundles()+db.Len() {
		err = corruptf("%d notes, want %d", n, db.Bundles()+db.Len())
	}
	return err
}

func (c *checker) blob(key, value []byte) error {
	d := Digest(sha256.Sum256(value))
	if !bytes.Equal(key, d[:]) {
		return corruptf("content %x is damaged", key)
	}
	if !c.used[d] {
		return corruptf("content %s is used by no service", d.Short())
	}
	delete(c.used, d)
	c.blobs++
	return nil
}
