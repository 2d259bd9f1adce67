package db

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash"
	"runtime"
	"slices"
	"sync"
)

// Check reads everything, the bytes that nobody asks for included, and reports the first thing that is wrong, as
// [ErrCorrupt]: records and contents that do not match their digests, levels that
// are not those of the graph (and so any cycle), pipelines of which one side does
// not know the other, contents that are missing or that nobody uses.
func (db *DB) Check() error {
	if err := db.check(nil); err != nil {
		return fmt.Errorf("cannot use database %s: %w", db.path, err)
	}
	return nil
}

// check does half of the work, the two digests that cover everything and the notes,
// beside the other half. What is as in like, a database that was checked before, or nil,
// is looked at less closely.
func (db *DB) check(like *DB) error {
	var whole, content, notes error
	var aside sync.WaitGroup
	aside.Go(func() {
		whole = protect(db.checkWhole)
		content = protect(db.checkContent)
		notes = alongside(like, db.checkNotes)
	})
	meaning := alongside(like, db.checkMeaning)
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

func (db *DB) checkMeaning(like *DB) error {
	if err := db.flat.checkMeaning(); err != nil {
		return err
	}
	c := checker{db: db, skim: codec{skim: true}, def: sha256.New(), used: make(map[Digest]bool, db.Len())}
	c.unchanged = newUnchanged(db, like)
	if like != nil {
		c.twins = twins{like: like, at: like.services.cursor()}
	}
	if err := db.services.each(c.service); err != nil {
		return err
	}
	if c.seen != db.Len() {
		return corruptf("%d service records, want %d", c.seen, db.Len())
	}
	if err := c.settle(); err != nil {
		return err
	}
	if err := db.flat.pipelines(c.fed); err != nil {
		return err
	}
	if err := db.blobs.each(c.blob); err != nil {
		return err
	}
	if err := c.unchanged.end(); err != nil {
		return err
	}
	if len(c.used) > 0 || c.blobs != int(db.header.blobs) {
		return corruptf("%d contents are missing", max(len(c.used), 1))
	}
	return nil
}

// giveWay lets others go first now and then: what is checked is mostly a [Draft], beside
// which there is more to do than processors, and which is waited for last.
func giveWay(seen int) {
	const few = 64
	if seen%few == 0 {
		runtime.Gosched()
	}
}

// checker goes through the buckets.
type checker struct {
	db        *DB
	twins     twins
	unchanged unchanged

	full, skim   codec
	found, known Service   // what they have read last
	def          hash.Hash // to be reset for each definition

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
	giveWay(c.seen)
	twin, ok := c.twins.record(c.db, id, key, value)
	if ok && c.unchanged.take(c.db, id, twin, value) {
		if _, sound := unseal(key, value); !sound {
			return corruptf("the record of service %q is damaged", c.db.Name(id))
		}
		return nil
	}
	s, err := c.read(id, key, value, ok)
	if err != nil {
		return err
	}
	c.use(s)
	for i, p := range s.Producers {
		if i > 0 && s.Producers[i-1] >= p {
			return corruptf("the producers of %q are out of order", s.Name)
		}
		c.fed = append(c.fed, Pipe{p, id})
	}
	return nil
}

func (c *checker) use(s *Service) {
	for d := range s.Blobs() {
		c.used[d] = true
	}
}

// settle finds out which contents the services use whose records were not read.
func (c *checker) settle() error {
	err := c.unchanged.settle()
	if err != nil || c.unchanged.settled {
		return err
	}
	for _, r := range c.unchanged.records {
		s, err := c.read(r.id, serviceKey(int(r.id)), r.value, true)
		if err != nil {
			return err
		}
		c.use(s)
	}
	return nil
}

// read reads a record and checks its definition. One with a twin is not read for its
// text, and has a definition that was checked with the twin, its paths included; how it
// fits into this database is checked as of any other.
func (c *checker) read(id ServiceID, key, value []byte, twin bool) (*Service, error) {
	if twin {
		_, err := c.db.record(&c.skim, id, key, value, &c.known)
		return &c.known, err
	}
	c.found = Service{}
	def, err := c.db.record(&c.full, id, key, value, &c.found)
	if err == nil && !c.db.flat.sameDefinition(id, definitionDigest(c.def, def)) {
		err = corruptf("the definition of service %q does not match its digest", c.found.Name)
	}
	return &c.found, err
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

func (db *DB) checkNotes(like *DB) error {
	c := noteChecker{db: db, skim: codec{skim: true}}
	if like != nil {
		c.twins = twins{like: like, at: like.notes.cursor()}
	}
	if err := db.notes.each(c.note); err != nil {
		return err
	}
	if c.seen != db.Bundles()+db.Len() {
		return corruptf("%d notes, want %d", c.seen, db.Bundles()+db.Len())
	}
	return nil
}

// noteChecker goes through the notes.
type noteChecker struct {
	db    *DB
	twins twins
	skim  codec
	text  string
	known Origin // what skim has read last
	seen  int
}

func (c *noteChecker) note(key, value []byte) error {
	var want []byte
	var twin bool
	if id := c.seen - c.db.Bundles(); id < 0 {
		want, twin = noteKey(noteBundle, c.seen), c.twins.bundleNote(c.db, BundleID(c.seen), key, value)
	} else {
		want, twin = noteKey(noteService, id), c.twins.serviceNote(c.db, ServiceID(id), key, value)
	}
	c.seen++
	giveWay(c.seen)
	var sound bool
	if twin {
		_, sound = unseal(key, value)
	} else {
		sound = readNote(&c.skim, key, value, &c.text, &c.known)
	}
	if !sound || !bytes.Equal(key, want) {
		return corruptf("the notes are damaged")
	}
	return nil
}

func (c *checker) blob(key, value []byte) error {
	known, used, err := c.unchanged.content(key)
	if err != nil {
		return err
	}
	var d Digest // of the value; if like has that under this key, it has been computed
	if known != nil && bytes.Equal(known, value) {
		copy(d[:], key)
	} else {
		d = sha256.Sum256(value)
	}
	if !bytes.Equal(key, d[:]) {
		return corruptf("content %x is damaged", key)
	}
	if !used && !c.used[d] {
		return corruptf("content %s is used by no service", d.Short())
	}
	delete(c.used, d)
	c.blobs++
	return nil
}
