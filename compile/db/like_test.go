package db

import (
	"bytes"
	"cmp"
	"os"
	"slices"
	"testing"
)

// TestLikeIsTrusted: what is wrong in the same way in the database that was checked
// before is what is not looked for again.
func TestLikeIsTrusted(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*image){
		"definition digest": func(im *image) {
			word("definitions", 3, 7)(im)
			word("definitions", 23, 7)(im)
		},
		"path":    outside,
		"content": func(im *image) { im.model.Blobs[im.blobs[0]] = []byte("other") },
		"note of a service": func(im *image) {
			im.notes[len(im.notes)-1] = sealed(noteKey(noteService, 2), "nonsense")
		},
		"note of a bundle": func(im *image) { im.notes[1] = sealed(noteKey(noteBundle, 1), "nonsense") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, dir := spoiled(t, rich(t), true, spoil), tempDir(t)
			for _, c := range []struct {
				like    string
				refused bool
			}{{path, false}, {write(t, rich(t)), true}, {"", true}} {
				d, err := Take(path, dir, c.like)
				if err != nil {
					t.Fatal(err)
				}
				if err = d.Keep(); c.refused {
					refused(t, name, 0, err)
				} else if err != nil {
					t.Errorf("it was looked for again: %v", err)
				}
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// sealed is a value with the right checksum.
func sealed(key []byte, body string) []byte {
	value := append(make([]byte, sumSize), body...)
	seal(key, value)
	return value
}

// shifted is rich with a service in front, so that all others have other numbers.
func shifted(t *testing.T) *Model {
	m := rich(t)
	first := Service{Name: "a", Type: Oneshot, Up: Program{Form: Argv}, Consumer: None}
	m.Services = append([]Service{first}, m.Services...)
	m.Services[1].Producers, m.Services[3].Consumer = []ServiceID{3}, 1
	for i := range m.Bundles {
		for j := range m.Bundles[i].Contents {
			m.Bundles[i].Contents[j]++
		}
	}
	return complete(t, m, "sshd>log sshd>net\xff", "log>net\xff", "log>net\xff")
}

// TestLikeByName: twins have the same name and not the same number, and whom a record
// names as producers is a matter of the database that it is in.
func TestLikeByName(t *testing.T) {
	t.Parallel()
	like := mustOpen(t, write(t, rich(t)))
	for name, c := range map[string]struct {
		m       *Model
		spoil   func(*image)
		refused bool
	}{
		"the same":        {rich(t), func(*image) {}, false},
		"shifted":         {shifted(t), func(*image) {}, false},
		"producers stale": {shifted(t), reencode(1, func(s *Service) { s.Producers = []ServiceID{2} }), true},
		"checksums stale": {shifted(t), func(im *image) { im.records[2] = sealedLike(im.records[2], serviceKey(1)) }, true},
		"note's checksum": {shifted(t), func(im *image) { im.notes[6] = sealedLike(im.notes[6], noteKey(noteService, 1)) }, true},
	} {
		db, err := OpenLive(spoiled(t, c.m, true, c.spoil))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		// Not by check, which looks again without like before it refuses.
		if err = cmp.Or(db.checkMeaning(like), db.checkNotes(like)); c.refused {
			refused(t, name, 0, err)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// sealedLike is a value as it would be with another key.
func sealedLike(value, key []byte) []byte { return sealed(key, string(value[sumSize:])) }

// TestTwins asks for all that a database has, some of which is not in the other, or is
// damaged there.
func TestTwins(t *testing.T) {
	t.Parallel()
	db := mustOpen(t, write(t, shifted(t)))
	for name, c := range map[string]struct {
		m     *Model // the database that was checked before
		spoil func(*image)
		want  []string
	}{
		"itself": {shifted(t), func(*image) {}, []string{
			"note of ent", "note of network", "note of none", "note of ssh",
			"note of a", "a", "note of log", "log", "note of net\xff", "net\xff", "note of sshd", "sshd",
		}},
		"other numbers": {rich(t), func(*image) {}, []string{
			"note of ent", "note of network", "note of none", "note of ssh",
			"note of log", "note of net\xff", "net\xff", "note of sshd", "sshd", // log names another producer
		}},
		"checksums": {shifted(t), func(im *image) { im.records[2][0]++; im.notes[0][0]++; im.notes[6][0]++ }, []string{
			"note of network", "note of none", "note of ssh", "note of a", "a", "note of log", "log", "note of sshd", "sshd",
		}},
	} {
		like, err := OpenLive(spoiled(t, c.m, true, c.spoil))
		if err != nil {
			t.Fatal(err)
		}
		defer like.Close()
		if got := twinsOf(t, db, like); !slices.Equal(got, c.want) {
			t.Errorf("%s: twins of %q, want %q", name, got, c.want)
		}
	}
}

// twinsOf names what has twins.
func twinsOf(t *testing.T, db, like *DB) (names []string) {
	t.Helper()
	records, notes := twins{like: like, at: like.services.cursor()}, twins{like: like, at: like.notes.cursor()}
	ask := func(name string, b bucket, key []byte, twin func(key, value []byte) bool) {
		value, _, err := b.get(key)
		if err != nil {
			t.Fatal(err)
		}
		if twin(key, value) {
			names = append(names, name)
		}
	}
	for i := range BundleID(db.Bundles()) {
		ask("note of "+db.BundleName(i), db.notes, noteKey(noteBundle, int(i)), func(k, v []byte) bool { return notes.bundleNote(db, i, k, v) })
	}
	for i := range ServiceID(db.Len()) {
		ask("note of "+db.Name(i), db.notes, noteKey(noteService, int(i)), func(k, v []byte) bool { return notes.serviceNote(db, i, k, v) })
		ask(db.Name(i), db.services, serviceKey(int(i)), func(k, v []byte) bool { _, ok := records.record(db, i, k, v); return ok })
	}
	return names
}

// TestLikeDamaged: a database is not refused for what has become of another.
func TestLikeDamaged(t *testing.T) {
	t.Parallel()
	content := fileOf(t, tiny(t))
	db, err := openBytes(bytes.Clone(content), false)
	if err != nil {
		t.Fatal(err)
	}
	parallel(len(content), content, func(i int, b []byte) {
		b[i] ^= 0xff
		if like, err := openBytes(b, false); err == nil {
			if err := db.check(like); err != nil {
				t.Errorf("byte %d of the other flipped: %v", i, err)
			}
		}
		b[i] ^= 0xff
	})
	path := write(t, large(t, 500))
	db, like := mustOpen(t, path), mustOpen(t, write(t, large(t, 500)))
	if err := cmp.Or(os.Chmod(like.path, 0o600), os.Truncate(like.path, 2*pageSize)); err != nil {
		t.Fatal(err)
	}
	if err := db.check(like); err != nil {
		t.Errorf("the other is cut: %v", err)
	}
}
