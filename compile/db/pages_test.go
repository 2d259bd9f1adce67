package db

import (
	"bytes"
	"errors"
	"testing"
)

// servicesRoot returns the root page of the services bucket, a branch page.
func servicesRoot(t *testing.T, file []byte) (id uint64, page []byte) {
	t.Helper()
	p, _, err := splitTrailer(file, false)
	if err != nil {
		t.Fatal(err)
	}
	root, err := p.root()
	if err != nil {
		t.Fatal(err)
	}
	value, isBucket, err := root.get([]byte(bucketServices))
	if err != nil || !isBucket {
		t.Fatal("no services bucket", err)
	}
	id = le.Uint64(value)
	if page, err = p.page(id); err != nil {
		t.Fatal(err)
	}
	if le.Uint16(page[8:]) != branchPage {
		t.Fatal("the services fit in one page")
	}
	return id, page
}

// Pages made up by somebody who can compute digests: bbolt would recurse for
// ever, or read behind its map.
func TestMadeUpPages(t *testing.T) {
	t.Parallel()
	original := fileOf(t, large(t, 500))
	for name, spoil := range map[string]func(page []byte, id uint64){
		"its own child":     func(p []byte, id uint64) { le.PutUint64(p[pageHeaderSize+8:], id) },
		"all its own child": func(p []byte, id uint64) { loop(p, id) },
		"child behind":      func(p []byte, _ uint64) { le.PutUint64(p[pageHeaderSize+8:], 1<<40) },
		"child is meta":     func(p []byte, _ uint64) { le.PutUint64(p[pageHeaderSize+8:], 1) },
		"child is next":     func(p []byte, _ uint64) { copy(p[pageHeaderSize+8:][:8], p[pageHeaderSize+elementSize+8:][:8]) },
		"too many elements": func(p []byte, _ uint64) { le.PutUint16(p[10:], 0xffff) },
		"no elements":       func(p []byte, _ uint64) { le.PutUint16(p[10:], 0) },
		"fewer elements":    func(p []byte, _ uint64) { le.PutUint16(p[10:], 1) },
		"wrong type":        func(p []byte, _ uint64) { le.PutUint16(p[8:], 0x10) },
		"branch as leaf":    func(p []byte, _ uint64) { le.PutUint16(p[8:], leafPage) },
		"wrong number":      func(p []byte, id uint64) { le.PutUint64(p, id+1) },
		"long overflow":     func(p []byte, _ uint64) { le.PutUint32(p[12:], 1<<32-1) },
		"key behind":        func(p []byte, _ uint64) { le.PutUint32(p[pageHeaderSize+elementSize:], 1<<32-1) },
		"key too long":      func(p []byte, _ uint64) { le.PutUint32(p[pageHeaderSize+elementSize+4:], 1<<32-1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := bytes.Clone(original)
			id, page := servicesRoot(t, file)
			spoil(page, id)
			db, err := openBytes(resign(file), true)
			if err != nil {
				refused(t, "open", 0, err)
				return
			}
			for i := range ServiceID(db.Len()) {
				if s, err := db.Service(i); err == nil && s.Name != db.Name(i) || err != nil && !errors.Is(err, ErrCorrupt) {
					t.Fatalf("service %d: %v", i, err)
				}
			}
			refused(t, "check", 0, db.check(nil))
			for c := db.services.cursor(); c.key != nil; {
				c.next() // it ends
			}
		})
	}
}

func loop(page []byte, id uint64) {
	for i := range int(le.Uint16(page[10:])) {
		le.PutUint64(page[pageHeaderSize+i*elementSize+8:], id)
	}
}

// The meta page with the higher transaction number counts, and one valid is
// enough.
func TestMetaPages(t *testing.T) {
	t.Parallel()
	original := fileOf(t, tiny(t))
	valid := 0
	for i := range 2 {
		file := bytes.Clone(original)
		file[i*pageSize+pageHeaderSize]++
		db, err := openBytes(resign(file), true)
		if err == nil {
			err = db.Check()
		}
		switch {
		case err == nil:
			valid++
		default:
			refused(t, "meta page", i, err)
		}
	}
	if valid != 1 {
		t.Errorf("%d of the two meta pages can be missing, want 1: the other is that of an empty file", valid)
	}
	file := bytes.Clone(original)
	file[pageHeaderSize]++
	file[pageSize+pageHeaderSize]++
	_, err := openBytes(resign(file), true)
	refused(t, "both meta pages", 0, err)
}
