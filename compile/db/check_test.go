package db

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// spoiled writes the image of a model that spoil has changed, with all digests
// and checksums right but those that spoil makes wrong.
func spoiled(t *testing.T, m *Model, rehash bool, spoil func(*image)) string {
	t.Helper()
	im, err := newImage(m, "")
	if err != nil {
		t.Fatal(err)
	}
	spoil(im)
	for i, s := range im.sections {
		im.header.sections[i].sum = sum(s)
	}
	if rehash {
		im.header.content = im.content()
	}
	f, err := os.OpenFile(filepath.Join(tempDir(t), "x.db"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := im.write(f); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// word changes a number of a section.
func word(name string, at int, value uint32) func(*image) {
	return func(im *image) {
		i := slices.IndexFunc(new(arrays).sections(), func(s section) bool { return s.name == name })
		im.sections[i] = slices.Clone(im.sections[i])
		le.PutUint32(im.sections[i][4*at:], value)
	}
}

// reencode changes a service's record, and nothing that is stored elsewhere.
func reencode(id int, change func(*Service)) func(*image) {
	return func(im *image) {
		s := im.model.Services[id]
		change(&s)
		im.records[id], _, _ = newEncoder().service(serviceKey(id), &s)
	}
}

// outside lets a service have a file outside of its directory, in a record with the right
// digests.
func outside(im *image) {
	s := im.model.Services[2]
	s.Files = slices.Clone(s.Files)
	s.Files[0].Path = "../data"
	record, def, _ := newEncoder().service(serviceKey(2), &s)
	im.records[2] = record
	i := slices.IndexFunc(new(arrays).sections(), func(s section) bool { return s.name == "definitions" })
	im.sections[i] = slices.Clone(im.sections[i])
	copy(im.sections[i][2*len(def):], def[:])
}

// Check, and with it Copy, refuses what has the right digests and makes no sense.
func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil  func(*image)
		rehash bool
	}{
		"content digest":    {func(im *image) { im.header.content[0]++ }, false},
		"definition digest": {word("definitions", 3, 7), true},
		"content":           {func(im *image) { im.model.Blobs[im.blobs[0]] = []byte("other") }, true},
		"unused content": {func(im *image) {
			im.blobs = append(im.blobs, im.model.Blobs.Add([]byte("unused")))
			slices.SortFunc(im.blobs, func(a, b Digest) int { return slices.Compare(a[:], b[:]) })
			im.header.blobs++
		}, true},
		"content gone":      {func(im *image) { im.blobs = im.blobs[1:]; im.header.blobs-- }, true},
		"record gone":       {func(im *image) { im.records = im.records[:2] }, true},
		"note gone":         {func(im *image) { im.notes = im.notes[:len(im.notes)-1] }, true},
		"record of another": {func(im *image) { im.records[0], im.records[2] = im.records[2], im.records[0] }, true},
		"producer":          {reencode(0, func(s *Service) { s.Producers = []ServiceID{1} }), true},
		"producer missing":  {reencode(0, func(s *Service) { s.Producers = []ServiceID{9} }), true},
		"producer twice":    {reencode(0, func(s *Service) { s.Producers = []ServiceID{2, 2} }), true},
		"type":              {reencode(1, func(s *Service) { s.Type = Longrun }), true},
		"timeout":           {reencode(1, func(s *Service) { s.TimeoutUp++ }), true},
		"readiness":         {reencode(2, func(s *Service) { s.NotificationFD = Uint{} }), true},
		"no readiness":      {word("kinds", 0, uint32(Longrun)|kindProducers|(uint32(Oneshot)|kindManual)<<8|uint32(Longrun)<<16), true},
		"timeout in graph":  {word("timeouts up", 1, 5), true},
		"record's checksum": {func(im *image) { im.records[1] = slices.Clone(im.records[1]); im.records[1][0]++ }, true},
		"note's checksum":   {func(im *image) { im.notes[0] = slices.Clone(im.notes[0]); im.notes[0][0]++ }, true},
		"path":              {outside, true},
		"level":             {word("levels", 0, 2), true},
		"consumer":          {word("consumers", 1, 0), true},
		"consumer missing":  {word("consumers", 2, 77), true},
		"edge":              {word("needs", 0, 2), true},
		"offset":            {word("needs offsets", 1, 77), true},
		"name offset":       {word("name offsets", 1, 77), true},
		"bundle":            {word("bundle contents", 0, 77), true},
		"services":          {func(im *image) { im.header.services++ }, true},
		"bundles":           {func(im *image) { im.header.bundles++ }, true},
		"sections":          {func(im *image) { im.header.sections = im.header.sections[1:]; im.sections = im.sections[1:] }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := spoiled(t, rich(t), c.rehash, c.spoil)
			db, err := Open(path)
			if err == nil {
				err = db.Check()
			}
			refused(t, "check", 0, err)
			dir := tempDir(t)
			_, _, err = Copy(path, dir)
			refused(t, "copy", 0, err)
			alone(t, filepath.Join(dir, "nothing"))
			// A sound database that is nearly the same changes nothing in that.
			d, beside := Take(path, dir, write(t, rich(t)))
			if beside == nil {
				beside = d.Keep()
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			}
			if beside == nil || beside.Error() != err.Error() {
				t.Errorf("beside a sound one: %v, want %v", beside, err)
			}
			alone(t, filepath.Join(dir, "nothing"))
		})
	}
	if _, _, err := Copy(spoiled(t, rich(t), true, func(*image) {}), tempDir(t)); err != nil {
		t.Errorf("not spoiled: %v", err)
	}
}

// A live copy is not read as a whole: what is wrong is found where it is asked.
func TestLiveRefuses(t *testing.T) {
	t.Parallel()
	m := rich(t)
	run := m.Services[2].Run.Script
	live := func(spoil func(*image)) *DB {
		db, err := OpenLive(spoiled(t, rich(t), true, spoil))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	db := live(func(im *image) { im.model.Blobs[run] = []byte("other") })
	_, err := db.Blob(run)
	refused(t, "content", 0, err)
	_, err = db.Load()
	refused(t, "load", 0, err)
	db = live(reencode(1, func(s *Service) { s.Type = Longrun }))
	_, err = db.Service(1)
	refused(t, "type", 0, err)
	if _, err := db.Service(0); err != nil {
		t.Errorf("a record that is right: %v", err)
	}
	// A loop of consumers ends.
	db = live(func(im *image) {
		word("consumers", 0, 2)(im)
		im.sections[2] = slices.Clone(im.sections[2])
		im.sections[2][2] |= kindProducers
		reencode(2, func(s *Service) { s.Producers = []ServiceID{0} })(im)
	})
	if pipes, err := db.Pipeline(0); err != nil || len(pipes) != 2 {
		t.Errorf("pipes %v, %v", pipes, err)
	}
}

// The pages hold no hole and nothing stands behind them but the trailer.
func TestSizeIsExact(t *testing.T) {
	t.Parallel()
	path := write(t, large(t, 2000))
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	db := mustOpen(t, path)
	if st.Size != db.Size() || (st.Size-int64(trailerSize))%pageSize != 0 {
		t.Errorf("size is %d", st.Size)
	}
}
