package db

import "bytes"

// unchanged are the services whose records are as in like, and so need not be read: what
// these use is what like has, but for what only its other services use.
type unchanged struct {
	like    *DB // nil: there are none
	records []record
	twins   []bool // of like, that belong to one
	// doubtful are the contents that the others use: true if an unchanged one does so, too.
	doubtful map[Digest]bool
	settled  bool   // that is known
	at       cursor // in the contents of like
	passed   int    // of them
}

// record is a service's, as it is stored.
type record struct {
	id    ServiceID
	value []byte
}

// fewOthers is how many services of like may be others: each content of one of them is
// searched for in all records, and to read these takes as long as to search some times.
const fewOthers = 16

func newUnchanged(db, like *DB) unchanged {
	if like == nil {
		return unchanged{}
	}
	return unchanged{
		like: like, records: make([]record, 0, db.Len()), twins: make([]bool, like.Len()),
		doubtful: make(map[Digest]bool), at: like.blobs.cursor(),
	}
}

// take takes a service of db whose record is that of its twin. It reports false if it has to
// be read all the same: the arrays are not alike, or it names producers, which are numbers.
func (u *unchanged) take(db *DB, id, twin ServiceID, value []byte) bool {
	a, b := db.flat, u.like.flat
	if a.kinds[id] != b.kinds[twin] || a.timeUp[id] != b.timeUp[twin] || a.timeDn[id] != b.timeDn[twin] || db.HasProducers(id) {
		return false
	}
	u.records, u.twins[twin] = append(u.records, record{id, value}), true
	return true
}

// settle finds out which of the doubtful contents are used. If there are too many it is
// left open, and the records are to be read.
func (u *unchanged) settle() error {
	if u.like == nil || u.like.Len()-len(u.records) > fewOthers {
		return nil
	}
	for i, taken := range u.twins {
		if taken {
			continue
		}
		var s Service
		if err := u.like.serviceRecord(ServiceID(i), &s); err != nil {
			return err
		}
		for d := range s.Blobs() {
			u.doubtful[d] = u.mentions(d)
		}
	}
	u.settled = true
	return nil
}

// mentions says whether a digest stands in one of the records.
func (u *unchanged) mentions(d Digest) bool {
	for _, r := range u.records {
		if bytes.Contains(r.value, d[:]) {
			return true
		}
	}
	return false
}

// content gives what like has under a key of a content, and whether an unchanged service
// uses that. Keys are asked for in ascending order; the error is that a content was passed
// over that one uses.
func (u *unchanged) content(key []byte) (value []byte, used bool, err error) {
	for u.at.key != nil && bytes.Compare(u.at.key, key) < 0 {
		if err := u.pass(); err != nil {
			return nil, false, err
		}
	}
	if u.at.key == nil || !bytes.Equal(u.at.key, key) {
		return nil, false, nil
	}
	value, used = u.at.value, u.uses(key)
	u.passed++
	u.at.next()
	return value, used, nil
}

// end is where no more contents are asked for.
func (u *unchanged) end() error {
	for u.at.key != nil {
		if err := u.pass(); err != nil {
			return err
		}
	}
	if u.settled && u.passed != int(u.like.header.blobs) {
		return corruptf("%d contents, want %d", u.passed, u.like.header.blobs)
	}
	return nil
}

func (u *unchanged) pass() error {
	if u.uses(u.at.key) {
		return corruptf("content %x is missing", u.at.key)
	}
	u.passed++
	u.at.next()
	return nil
}

func (u *unchanged) uses(key []byte) bool {
	if !u.settled || len(key) != len(Digest{}) {
		return false
	}
	mentioned, doubtful := u.doubtful[Digest(key)]
	return mentioned || !doubtful
}
