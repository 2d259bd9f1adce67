package db

import (
	"encoding/binary"
	"hash/crc32"
)

// codec reads or writes a record. Each layout is described once, by one function
// over a codec, so that reader and writer cannot disagree. Numbers are unsigned
// varints, strings are length and bytes (names and paths need not be UTF-8).
//
// A reader survives any bytes: what does not fit sets bad, and everything after
// that reads as zero.
type codec struct {
	b       []byte // what was written, or what is still to be read
	writing bool
	skim    bool // a reader that wants no text, and may read into what it has read before
	bad     bool
}

func (c *codec) u64(v *uint64) {
	if c.writing {
		c.b = binary.AppendUvarint(c.b, *v)
		return
	}
	if len(c.b) > 0 && c.b[0] < 0x80 { // as nearly all are
		*v, c.b = uint64(c.b[0]), c.b[1:]
		return
	}
	n := 0
	*v, n = binary.Uvarint(c.b)
	if n <= 0 {
		*v, c.bad, c.b = 0, true, nil
		return
	}
	c.b = c.b[n:]
}

// number is an unsigned number that must be at most limit.
func number[T ~uint8 | ~uint32](c *codec, v *T, limit T) {
	n := uint64(*v)
	c.u64(&n)
	if n > uint64(limit) {
		c.bad, n = true, 0
	}
	*v = T(n)
}

func (c *codec) u32(v *uint32) { number(c, v, 1<<32-1) }

func (c *codec) line(v *int) {
	n := uint32(*v)
	number(c, &n, 1<<31-1)
	*v = int(n)
}

func (c *codec) flag(v *bool) {
	var n uint8
	if *v {
		n = 1
	}
	number(c, &n, 1)
	*v = n == 1
}

// optional is a number that may be absent.
func (c *codec) optional(v *Uint) {
	c.flag(&v.Set)
	if v.Set {
		c.u32(&v.Value)
	}
}

// bytes returns the next bytes without copying them.
func (c *codec) bytes(v []byte) []byte {
	n := uint64(len(v))
	c.u64(&n)
	if c.writing {
		c.b = append(c.b, v...)
		return v
	}
	if n > uint64(len(c.b)) {
		c.bad, c.b = true, nil
		return nil
	}
	v, c.b = c.b[:n:n], c.b[n:]
	return v
}

func (c *codec) str(v *string) {
	if c.writing {
		n := uint64(len(*v))
		c.u64(&n)
		c.b = append(c.b, *v...)
		return
	}
	if b := c.bytes(nil); !c.skim {
		*v = string(b)
	}
}

// content is a file's content that may be absent, which is not the same as empty.
func (c *codec) content(v *[]byte) {
	given := *v != nil
	c.flag(&given)
	switch {
	case !given:
	case c.writing:
		c.bytes(*v)
	case c.skim:
		c.bytes(nil)
	default:
		*v = append([]byte{}, c.bytes(nil)...)
	}
}

func (c *codec) digest(v *Digest) {
	if c.writing {
		c.b = append(c.b, v[:]...)
		return
	}
	if copy(v[:], c.b) < len(v) {
		*v, c.bad, c.b = Digest{}, true, nil
		return
	}
	c.b = c.b[len(v):]
}

// list is a count and that many elements. Elements are appended one by one, so
// that a count that was made up allocates nothing.
func list[T any](c *codec, v *[]T, element func(*codec, *T)) {
	n := uint64(len(*v))
	c.u64(&n)
	if c.writing {
		for i := range *v {
			element(c, &(*v)[i])
		}
		return
	}
	if n > uint64(len(c.b)) {
		c.bad, c.b = true, nil
		return
	}
	if c.skim {
		*v = (*v)[:0]
	} else {
		*v = make([]T, 0, min(n, 64))
	}
	for range n {
		*v = append(*v, *new(T))
		element(c, &(*v)[len(*v)-1])
		if c.bad {
			return
		}
	}
	if n == 0 && !c.skim {
		*v = nil
	}
}

// sumSize is what a checksum adds to a value.
const sumSize = 4

// sum returns the checksum of a value as it is stored.
func sum(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

// seal fills in the checksum in front of a record. It covers the key too, so that
// a record that a damaged page shows under another key is found.
func seal(key, record []byte) {
	le.PutUint32(record, crc32.Update(sum(key), crc32.IEEETable, record[sumSize:]))
}

// unseal returns the record behind its checksum.
func unseal(key, value []byte) ([]byte, bool) {
	if len(value) < sumSize {
		return nil, false
	}
	body := value[sumSize:]
	return body, le.Uint32(value) == crc32.Update(sum(key), crc32.IEEETable, body)
}
