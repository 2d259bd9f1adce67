package db

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"slices"
	"testing"
)

// FuzzOpen changes databases: each four bytes of edits are a place (u24) and what
// to change there. They are read as they are, cut, and with the digests outside
// computed anew, so that what is behind these is reached.
func FuzzOpen(f *testing.F) {
	var files [][]byte
	for _, m := range []*Model{tiny(f), rich(f), large(f, 150)} {
		files = append(files, fileOf(f, m))
	}
	f.Add([]byte{8, 16, 0, 1}, uint8(0), false)
	f.Add([]byte{10, 48, 0, 255, 0, 0, 1, 7}, uint8(2), true)
	f.Fuzz(func(t *testing.T, edits []byte, which uint8, cut bool) {
		file := append([]byte(nil), files[int(which)%len(files)]...)
		size := len(file)
		for ; len(edits) >= 4; edits = edits[4:] {
			at := (int(edits[0]) | int(edits[1])<<8 | int(edits[2])<<16) % size
			file[at] ^= edits[3]
			if cut {
				file = file[:max(at, trailerSize+2*pageSize)]
				size = len(file)
				cut = false
			}
		}
		try(t, file, true)
		try(t, file, false)
		n := (len(file) - trailerSize) / pageSize * pageSize
		for i := range 2 {
			meta := file[i*pageSize+pageHeaderSize:][:metaSize]
			h := fnv.New64a()
			h.Write(meta[:56])
			le.PutUint64(meta[56:], h.Sum64())
		}
		trailer := append([]byte(trailerMagic), FormatVersion, 0, 0, 0, 0, 0, 0, 0)
		trailer = le.AppendUint64(trailer, uint64(n))
		file = append(append(file[:n:n], trailer...), make([]byte, 32)...)
		try(t, resign(file), true)
	})
}

// try reads all there is; only the kinds of error that tools know may come out.
func try(t *testing.T, file []byte, outside bool) {
	db, err := openBytes(file, outside)
	if err == nil {
		use(db)
		for i := range ServiceID(db.Len()) {
			_, _ = db.Service(i)
		}
		if err = db.Check(); err == nil {
			_, err = db.Load()
		}
	}
	if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
}

// use asks everything that cannot fail.
func use(db *DB) {
	for i := range ServiceID(db.Len()) + 1 {
		_, _ = db.Lookup(db.Name(i))
		_, _ = db.Consumer(i), db.Definition(i)
		_, _ = db.Needs().In(i), db.Soft().Out(i)
	}
	for i := range BundleID(db.Bundles()) + 1 {
		_, _ = db.Resolve(db.BundleName(i))
		_, _ = db.Contents(i), db.Levels().Count()
	}
	_ = db.Levels().Order()
}

// FuzzRecord reads any bytes as a record whose checksum is right. What is read
// says the same when it is written and read again.
func FuzzRecord(f *testing.F) {
	m := rich(f)
	for i := range m.Services {
		record, _, _ := newEncoder().service(nil, &m.Services[i])
		f.Add(record[sumSize:])
		value, _ := newEncoder().note(nil, m.Services[i].Description, m.Services[i].Origin)
		f.Add(value[sumSize:])
	}
	im, err := newImage(m, "tool")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(im.header.encode()[sumSize:])
	f.Fuzz(func(t *testing.T, body []byte) {
		value := append(make([]byte, sumSize), body...)
		seal(nil, value)
		var s, again Service
		if _, ok := decodeService(nil, value, &s); ok {
			first, d1, ok1 := newEncoder().service(nil, &s)
			_, ok2 := decodeService(nil, first, &again)
			_, d2, ok3 := newEncoder().service(nil, &again)
			if !ok1 || !ok2 || !ok3 || d1 != d2 {
				t.Errorf("not the same when written again: %+v", s)
			}
			if !validFiles(s.Files) || s.Type < Oneshot || s.Type > Longrun {
				t.Errorf("a record with nonsense was read: %+v", s)
			}
			skimmed := m.Services[2] // what was read before does not matter
			if _, ok := readService(&codec{skim: true}, nil, value, &skimmed); !ok || !sameButText(&s, &skimmed) {
				t.Errorf("skimmed, %t: %+v, want %+v", ok, skimmed, s)
			}
		}
		var text string
		var o Origin
		decodeNote(nil, value, &text, &o)
		_, _ = decodeHeader(value)
	})
}

// sameButText compares what a check needs.
func sameButText(a, b *Service) bool {
	return a.Type == b.Type && a.TimeoutUp == b.TimeoutUp && a.TimeoutDown == b.TimeoutDown &&
		a.NotificationFD.Set == b.NotificationFD.Set && slices.Equal(a.Producers, b.Producers) &&
		slices.Equal(slices.Collect(a.Blobs()), slices.Collect(b.Blobs()))
}

// FuzzArrays reads any bytes as the flat arrays, with checksums that are right.
func FuzzArrays(f *testing.F) {
	for _, m := range []*Model{tiny(f), rich(f)} {
		var all []byte
		im, err := newImage(m, "")
		if err != nil {
			f.Fatal(err)
		}
		for i, s := range im.sections {
			all = binary.AppendUvarint(all, uint64(im.header.sections[i].size))
			all = append(all, s[:im.header.sections[i].size]...)
		}
		f.Add(all)
	}
	f.Fuzz(func(t *testing.T, all []byte) {
		a := new(arrays)
		c := codec{b: all}
		for _, s := range a.sections() {
			if !s.decode(c.bytes(nil), false) || c.bad {
				return
			}
		}
		flat, err := newFlat(a)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Error(err)
			}
			return
		}
		if err := flat.checkMeaning(); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Error(err)
		}
		use(&DB{flat: flat})
	})
}
