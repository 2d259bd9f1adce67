package db

import "bytes"

// twins finds what a database that was checked before, like, has of the same name. What
// has the same bytes there was found to be sound, so that much need not be done again.
// Names are asked for in ascending order, bundles before services, as both databases have
// them: one way through each is enough.
//
// A twin counts only if its own checksum is right. What is not found, or cannot be read,
// is no twin, and is looked at as if there were no like.
type twins struct {
	like            *DB // nil: there are none
	at              cursor
	bundle, service int // the first that may still be asked for
}

func (t *twins) findService(name string) (ServiceID, bool) {
	if t.like == nil {
		return None, false
	}
	f, n := t.like.flat, t.like.Len()
	for t.service < n && f.name(ServiceID(t.service)) < name {
		t.service++
	}
	id := ServiceID(t.service)
	return id, t.service < n && f.name(id) == name
}

func (t *twins) findBundle(name string) (BundleID, bool) {
	if t.like == nil {
		return 0, false
	}
	f, n := t.like.flat, t.like.Bundles()
	for t.bundle < n && f.bundleName(BundleID(t.bundle)) < name {
		t.bundle++
	}
	id := BundleID(t.bundle)
	return id, t.bundle < n && f.bundleName(id) == name
}

// record says that the record of a service is its twin's, and that both databases
// promise the same definition. It may name other producers all the same: those are
// numbers.
func (t *twins) record(db *DB, id ServiceID, key, value []byte) (twin ServiceID, ok bool) {
	twin, ok = t.findService(db.Name(id))
	return twin, ok && t.like.flat.sameDefinition(twin, db.Definition(id)) && t.same(serviceKey(int(twin)), key, value)
}

func (t *twins) bundleNote(db *DB, id BundleID, key, value []byte) bool {
	twin, ok := t.findBundle(db.BundleName(id))
	return ok && t.same(noteKey(noteBundle, int(twin)), key, value)
}

func (t *twins) serviceNote(db *DB, id ServiceID, key, value []byte) bool {
	twin, ok := t.findService(db.Name(id))
	return ok && t.same(noteKey(noteService, int(twin)), key, value)
}

// same says that like has the value with a key too, there with the key of its twin, but
// for the checksums: these cover the keys.
func (t *twins) same(twinKey, key, value []byte) bool {
	twin, ok := t.at.find(twinKey)
	switch {
	case !ok || len(twin) < sumSize || len(value) < sumSize:
		return false
	case bytes.Equal(t.at.key, key) && bytes.Equal(twin, value):
		return true // its checksum is as right as that of value
	case !bytes.Equal(twin[sumSize:], value[sumSize:]):
		return false
	}
	_, ok = unseal(t.at.key, twin)
	return ok
}

// checkLike is check with the database at a path as like, if it can be opened.
func (db *DB) checkLike(path string) error {
	like, err := OpenLive(path)
	if err != nil {
		return db.check(nil)
	}
	defer like.Close()
	return db.check(like)
}

// alongside runs a check that reads like too. If it fails it is run again without, and
// only that counts: it may be like that cannot be read any more.
func alongside(like *DB, check func(like *DB) error) error {
	err := protect(func() error { return check(like) })
	if err != nil && like != nil {
		err = protect(func() error { return check(nil) })
	}
	return err
}
