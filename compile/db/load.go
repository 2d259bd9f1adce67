package db

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"slices"
)

// failed names the database in an error of a reader.
func (db *DB) failed(err error) error {
	return fmt.Errorf("cannot read database %s: %w", db.path, err)
}

// Service returns all that is known about a service. The error is [ErrCorrupt]
// if its record is damaged, and [fs.ErrNotExist] if there is no such service.
func (db *DB) Service(id ServiceID) (*Service, error) {
	s := new(Service)
	if err := protect(func() error { return db.service(id, s) }); err != nil {
		return nil, db.failed(err)
	}
	return s, nil
}

// Record is [DB.Service] without what is for people alone: Description and Origin are
// empty. That takes much less time.
func (db *DB) Record(id ServiceID) (*Service, error) {
	s := new(Service)
	if err := protect(func() error { return db.serviceRecord(id, s) }); err != nil {
		return nil, db.failed(err)
	}
	return s, nil
}

func (db *DB) serviceRecord(id ServiceID, s *Service) error {
	if !db.has(id) {
		return fmt.Errorf("service %d: %w", id, fs.ErrNotExist)
	}
	key := serviceKey(int(id))
	value, _, err := db.services.get(key)
	if err == nil {
		_, err = db.record(new(codec), id, key, value, s)
	}
	return err
}

func (db *DB) service(id ServiceID, s *Service) error {
	if err := db.serviceRecord(id, s); err != nil {
		return err
	}
	key := noteKey(noteService, int(id))
	value, _, err := db.notes.get(key)
	if err != nil {
		return err
	}
	if !decodeNote(key, value, &s.Description, &s.Origin) {
		return corruptf("the notes of service %q are damaged", s.Name)
	}
	return nil
}

// record reads a service's record with a codec and adds what the arrays hold.
func (db *DB) record(c *codec, id ServiceID, key, value []byte, s *Service) (def []byte, err error) {
	def, ok := readService(c, key, value, s)
	if !ok {
		return nil, corruptf("the record of service %q is damaged", db.Name(id))
	}
	s.Name, s.Flags, s.Manual, s.Consumer = db.Name(id), db.Flags(id), db.Manual(id), db.Consumer(id)
	if s.Type != db.Type(id) || s.TimeoutUp != db.TimeoutUp(id) || s.TimeoutDown != db.TimeoutDown(id) ||
		s.NotificationFD.Set != db.HasReadiness(id) || (len(s.Producers) > 0) != db.HasProducers(id) {
		return nil, corruptf("the record of service %q contradicts the graph", db.Name(id))
	}
	for _, p := range s.Producers {
		if !db.has(p) {
			return nil, corruptf("service %q is fed by service %d, which is not there", db.Name(id), p)
		}
	}
	return def, nil
}

// Bundle returns all that is known about a bundle. Its errors are those of
// [DB.Service].
func (db *DB) Bundle(id BundleID) (Bundle, error) {
	var b Bundle
	if err := protect(func() error { return db.bundle(id, &b) }); err != nil {
		return Bundle{}, db.failed(err)
	}
	return b, nil
}

func (db *DB) bundle(id BundleID, b *Bundle) error {
	if !db.hasBundle(id) {
		return fmt.Errorf("bundle %d: %w", id, fs.ErrNotExist)
	}
	kind := db.flat.bundleKinds[id]
	*b = Bundle{
		Name: db.BundleName(id), Contents: slices.Clone(db.Contents(id)),
		Pipeline: kind&bundlePipeline != 0, Provided: kind&bundleProvided != 0,
	}
	key := noteKey(noteBundle, int(id))
	value, _, err := db.notes.get(key)
	if err != nil {
		return err
	}
	if !decodeNote(key, value, &b.Description, &b.Origin) {
		return corruptf("the notes of bundle %q are damaged", b.Name)
	}
	return nil
}

// Blob returns the content with a digest. The error is [ErrCorrupt] if it is
// damaged, and [fs.ErrNotExist] if the database does not hold it.
func (db *DB) Blob(d Digest) (content []byte, err error) {
	err = protect(func() error {
		value, isBucket, err := db.blobs.get(d[:])
		switch {
		case err != nil:
			return err
		case value == nil || isBucket:
			return fmt.Errorf("content %s: %w", d.Short(), fs.ErrNotExist)
		}
		// The copy is what is checked, so that nothing changes in between.
		content = append([]byte{}, value...)
		if sha256.Sum256(content) != d {
			return corruptf("content %s is damaged", d.Short())
		}
		return nil
	})
	if err != nil {
		return nil, db.failed(err)
	}
	return content, nil
}

// Load reads the whole database into memory. What it returns does not depend on
// the database any more, but for the graphs: see [DB.Close].
func (db *DB) Load() (*Model, error) {
	m := &Model{
		Services: make([]Service, db.Len()), Bundles: make([]Bundle, db.Bundles()),
		Needs: db.Needs(), Wants: db.Wants(), Soft: db.Soft(), Levels: db.Levels(),
		Blobs: Blobs{}, Private: db.Private(),
	}
	err := protect(func() error {
		for i := range m.Services {
			if err := db.service(ServiceID(i), &m.Services[i]); err != nil {
				return err
			}
		}
		for i := range m.Bundles {
			if err := db.bundle(BundleID(i), &m.Bundles[i]); err != nil {
				return err
			}
		}
		err := db.blobs.each(func(key, value []byte) error {
			content := append([]byte{}, value...)
			if d := Digest(sha256.Sum256(content)); string(key) != string(d[:]) {
				return corruptf("content %x is damaged", key)
			}
			m.Blobs[Digest(key)] = content
			return nil
		})
		if err == nil && len(m.Blobs) != int(db.header.blobs) {
			err = corruptf("%d contents, want %d", len(m.Blobs), db.header.blobs)
		}
		return err
	})
	if err != nil {
		return nil, db.failed(err)
	}
	return m, nil
}
