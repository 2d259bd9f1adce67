package db

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
)

// The layout of bbolt's pages, as its package internal/common has it: pages of
// pageSize, the first two of them meta pages, the rest B+ trees of branch and
// leaf pages. All numbers are little-endian.
const (
	pageSize       = 4096
	pageHeaderSize = 16 // id u64, flags u16, count u16, overflow u32
	elementSize    = 16 // branch: pos, ksize u32, page u64; leaf: flags, pos, ksize, vsize u32
	bucketSize     = 16 // root page u64, sequence u64; an inline page follows if root is 0
	metaSize       = 64

	branchPage = 0x01
	leafPage   = 0x02
	bucketLeaf = 0x01

	boltMagic   = 0xED0CDAED
	boltVersion = 2

	// maxDepth is more than a tree of 2^32 keys can have, with the fewest keys
	// a page can hold.
	maxDepth = 40
)

// pages are the pages of a bbolt file. They are read here, with every offset
// checked, and not by bbolt, which trusts what it reads: a changed page can make
// it recurse until the process dies, or read past the end of the map.
type pages []byte

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)

// root returns the root bucket, from the valid meta page with the higher
// transaction number.
func (p pages) root() (bucket, error) {
	var best []byte
	for i := range 2 {
		if (i+1)*pageSize > len(p) {
			break
		}
		m := p[i*pageSize+pageHeaderSize:][:metaSize]
		h := fnv.New64a()
		h.Write(m[:56])
		if le.Uint32(m) != boltMagic || le.Uint32(m[4:]) != boltVersion || le.Uint32(m[8:]) != pageSize || le.Uint64(m[56:]) != h.Sum64() {
			continue
		}
		if best == nil || le.Uint64(m[48:]) > le.Uint64(best[48:]) {
			best = m
		}
	}
	if best == nil {
		return bucket{}, corruptf("no valid meta page")
	}
	return p.bucket(best[16:32])
}

// page returns page id with its overflow pages.
func (p pages) page(id uint64) ([]byte, error) {
	n := uint64(len(p) / pageSize)
	if id < 2 || id >= n {
		return nil, corruptf("page %d is out of range", id)
	}
	b := p[id*pageSize:]
	size := (uint64(le.Uint32(b[12:])) + 1) * pageSize
	if size > uint64(len(b)) || le.Uint64(b) != id {
		return nil, corruptf("page %d is damaged", id)
	}
	return b[:size:size], nil
}

// bucket is one B+ tree: its root page, which may stand inside another's value.
type bucket struct {
	p    pages
	root []byte
}

func (p pages) bucket(value []byte) (bucket, error) {
	if len(value) < bucketSize {
		return bucket{}, corruptf("a bucket is cut short")
	}
	if id := le.Uint64(value); id != 0 {
		root, err := p.page(id)
		return bucket{p, root}, err
	}
	if len(value) < bucketSize+pageHeaderSize {
		return bucket{}, corruptf("a bucket is cut short")
	}
	return bucket{p, value[bucketSize:]}, nil
}

// node is a page taken apart as far as its elements fit.
type node struct {
	page  []byte
	count int
	leaf  bool
}

func parseNode(page []byte) (node, error) {
	n := node{page: page, count: int(le.Uint16(page[10:]))}
	switch le.Uint16(page[8:]) {
	case leafPage:
		n.leaf = true
	case branchPage:
		if n.count == 0 {
			return n, corruptf("a branch page is empty")
		}
	default:
		return n, corruptf("a page has an unknown type")
	}
	if pageHeaderSize+n.count*elementSize > len(page) {
		return n, corruptf("a page holds more than fits")
	}
	return n, nil
}

// key returns the i-th key, or nil if it lies outside the page; no key is empty.
func (n node) key(i int) []byte {
	at := pageHeaderSize + i*elementSize
	e := n.page[at:]
	pos, size := le.Uint32(e), le.Uint32(e[4:])
	if n.leaf {
		pos, size = size, le.Uint32(e[8:])
	}
	return n.slice(uint64(at)+uint64(pos), uint64(size))
}

// value returns the i-th value of a leaf, and whether it is a bucket.
func (n node) value(i int) (v []byte, isBucket bool, err error) {
	at := pageHeaderSize + i*elementSize
	e := n.page[at:]
	start := uint64(at) + uint64(le.Uint32(e[4:])) + uint64(le.Uint32(e[8:]))
	v = n.slice(start, uint64(le.Uint32(e[12:])))
	if v == nil {
		return nil, false, corruptf("a value lies outside its page")
	}
	return v, le.Uint32(e)&bucketLeaf != 0, nil
}

func (n node) slice(start, size uint64) []byte {
	if start+size > uint64(len(n.page)) {
		return nil
	}
	return n.page[start : start+size : start+size]
}

func (n node) child(i int) uint64 {
	return le.Uint64(n.page[pageHeaderSize+i*elementSize+8:])
}

// search returns the number of keys that are less than or equal to key, and
// whether the last of these is key.
func (n node) search(key []byte) (int, bool, error) {
	lo, hi := 0, n.count
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		k := n.key(mid)
		if k == nil {
			return 0, false, corruptf("a key lies outside its page")
		}
		switch c := bytes.Compare(k, key); {
		case c == 0:
			return mid + 1, true, nil
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return lo, false, nil
}

// get returns a key's value, or nil if there is none.
func (b bucket) get(key []byte) (value []byte, isBucket bool, err error) {
	page := b.root
	for range maxDepth {
		n, err := parseNode(page)
		if err != nil {
			return nil, false, err
		}
		i, equal, err := n.search(key)
		if err != nil {
			return nil, false, err
		}
		if n.leaf {
			if !equal {
				return nil, false, nil
			}
			return n.value(i - 1)
		}
		if page, err = b.p.page(n.child(max(i-1, 0))); err != nil {
			return nil, false, err
		}
	}
	return nil, false, corruptf("a tree is too deep")
}

// sub returns a bucket within the bucket.
func (b bucket) sub(name string) (bucket, error) {
	v, isBucket, err := b.get([]byte(name))
	if err != nil {
		return bucket{}, err
	}
	if !isBucket {
		return bucket{}, corruptf("bucket %q is missing", name)
	}
	return b.p.bucket(v)
}

// each visits all keys in ascending order, and checks that get would find them.
// A bucket in the bucket is an error.
func (b bucket) each(visit func(key, value []byte) error) error {
	w := walk{p: b.p, budget: len(b.p)/pageSize + 1, visit: visit}
	return w.page(b.root, nil, 0)
}

type walk struct {
	p      pages
	budget int // pages that may still be visited, so that a loop ends
	last   []byte
	visit  func(key, value []byte) error
}

// page visits what is below a page whose parent says that it begins with first.
func (w *walk) page(page, first []byte, depth int) error {
	if w.budget--; w.budget < 0 || depth > maxDepth {
		return corruptf("a tree has a loop")
	}
	n, err := parseNode(page)
	if err != nil {
		return err
	}
	if first != nil && (n.count == 0 || !bytes.Equal(n.key(0), first)) {
		return corruptf("a page does not begin with the key that it should")
	}
	for i := range n.count {
		if n.leaf {
			err = w.element(n, i)
		} else {
			err = w.branch(n, i, depth)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) branch(n node, i, depth int) error {
	key := n.key(i)
	if key == nil {
		return corruptf("a key lies outside its page")
	}
	child, err := w.p.page(n.child(i))
	if err != nil {
		return err
	}
	return w.page(child, key, depth+1)
}

func (w *walk) element(n node, i int) error {
	key := n.key(i)
	if key == nil || (w.last != nil && bytes.Compare(w.last, key) >= 0) {
		return corruptf("keys are out of order")
	}
	w.last = key
	v, isBucket, err := n.value(i)
	if err != nil {
		return err
	}
	if isBucket {
		return corruptf("a bucket stands where a value belongs")
	}
	return w.visit(key, v)
}
