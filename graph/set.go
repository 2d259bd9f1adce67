package graph

import (
	"iter"
	"math/bits"
	"slices"
)

// Set is a set of vertices of one graph, one bit each. It is not for concurrent
// use while it changes. The zero value is the empty set of a graph without
// vertices: to be added to, a set needs [NewSet].
type Set struct {
	words []uint64
	n     int // vertices 0 to n-1 have room
}

// NewSet returns a set for a graph of n vertices that holds ids.
func NewSet(n int, ids ...ID) *Set {
	n = max(n, 0)
	s := &Set{words: make([]uint64, (n+63)/64), n: n}
	for _, id := range ids {
		s.Add(id)
	}
	return s
}

// Add puts id into the set and reports whether it was not there before. An id that
// is no vertex is passed over.
func (s *Set) Add(id ID) bool {
	if int64(id) >= int64(s.n) {
		return false
	}
	w, bit := &s.words[id/64], uint64(1)<<(id%64)
	if *w&bit != 0 {
		return false
	}
	*w |= bit
	return true
}

// Remove takes id out of the set.
func (s *Set) Remove(id ID) {
	if int64(id) < int64(s.n) {
		s.words[id/64] &^= 1 << (id % 64)
	}
}

// Has reports whether id is in the set.
func (s *Set) Has(id ID) bool {
	return int64(id) < int64(s.n) && s.words[id/64]>>(id%64)&1 != 0
}

// Len returns the number of vertices in the set, by counting them.
func (s *Set) Len() int {
	n := 0
	for _, w := range s.words {
		n += bits.OnesCount64(w)
	}
	return n
}

// All visits the vertices in ascending order.
func (s *Set) All() iter.Seq[ID] {
	return func(yield func(ID) bool) {
		for i, w := range s.words {
			for ; w != 0; w &= w - 1 {
				if !yield(ID(i*64 + bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}

// IDs returns the vertices in ascending order, in a slice of its own.
func (s *Set) IDs() []ID {
	ids := make([]ID, 0, s.Len())
	for id := range s.All() {
		ids = append(ids, id)
	}
	return ids
}

// Clone returns a copy.
func (s *Set) Clone() *Set { return &Set{slices.Clone(s.words), s.n} }

// Union adds what is in t, and room for it.
func (s *Set) Union(t *Set) {
	if t.n > s.n {
		s.words = append(s.words, make([]uint64, len(t.words)-len(s.words))...)
		s.n = t.n
	}
	for i, w := range t.words {
		s.words[i] |= w
	}
}

// Intersect takes out what is not in t.
func (s *Set) Intersect(t *Set) {
	for i := range s.words {
		if i < len(t.words) {
			s.words[i] &= t.words[i]
		} else {
			s.words[i] = 0
		}
	}
}

// Subtract takes out what is in t.
func (s *Set) Subtract(t *Set) {
	for i := range min(len(s.words), len(t.words)) {
		s.words[i] &^= t.words[i]
	}
}

// Equal reports whether s and t hold the same vertices, whatever room they have. A
// nil Set equals only nil.
func (s *Set) Equal(t *Set) bool {
	if s == nil || t == nil {
		return s == t
	}
	long, short := s.words, t.words
	if len(long) < len(short) {
		long, short = short, long
	}
	for i, w := range long {
		if i < len(short) && w != short[i] || i >= len(short) && w != 0 {
			return false
		}
	}
	return true
}
