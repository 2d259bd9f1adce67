package db

import (
	"slices"
	"unsafe"

	"strata/graph"
)

// arrays are the flat part of a database as it is stored: everything that plans
// are made from. Services and bundles are rows; an "off" array has one element
// more than there are rows, and row i is [off[i], off[i+1]).
type arrays struct {
	nameOff []uint32
	names   []byte
	kinds   []byte // by service, the kind bits
	flags   []uint32
	timeUp  []uint32
	timeDn  []uint32
	feeds   []uint32 // the consumer of each service, or None

	needs, wants, soft csrPair

	level, levelOff, levelOrder []uint32

	bundleNameOff []uint32
	bundleNames   []byte
	bundleKinds   []byte
	bundleOff     []uint32
	bundleAdj     []uint32

	definitions []byte // one digest after the other
}

// csrPair is a graph and its transpose.
type csrPair struct{ off, adj, revOff, revAdj []uint32 }

// The kind bits of a service; the lowest two are its Type.
const (
	kindType      = 0x03
	kindManual    = 0x04
	kindReadiness = 0x08
	kindProducers = 0x10
	kindAll       = 0x1f
)

// The kind bits of a bundle.
const (
	bundlePipeline = 0x01
	bundleProvided = 0x02
	bundleAll      = 0x03
)

// section is one array of the file: numbers or bytes.
type section struct {
	name  string
	words *[]uint32
	bytes *[]byte
}

// sections lists the arrays in the order of the file. The place in this list is a
// section's key.
func (a *arrays) sections() []section {
	s := []section{
		{"name offsets", &a.nameOff, nil},
		{"names", nil, &a.names},
		{"kinds", nil, &a.kinds},
		{"flags", &a.flags, nil},
		{"timeouts up", &a.timeUp, nil},
		{"timeouts down", &a.timeDn, nil},
		{"consumers", &a.feeds, nil},
		{"levels", &a.level, nil},
		{"level offsets", &a.levelOff, nil},
		{"level order", &a.levelOrder, nil},
		{"bundle name offsets", &a.bundleNameOff, nil},
		{"bundle names", nil, &a.bundleNames},
		{"bundle kinds", nil, &a.bundleKinds},
		{"bundle offsets", &a.bundleOff, nil},
		{"bundle contents", &a.bundleAdj, nil},
		{"definitions", nil, &a.definitions},
	}
	for _, g := range []struct {
		name string
		*csrPair
	}{{"needs", &a.needs}, {"wants", &a.wants}, {"soft", &a.soft}} {
		s = append(s,
			section{g.name + " offsets", &g.off, nil}, section{g.name, &g.adj, nil},
			section{g.name + " transposed offsets", &g.revOff, nil}, section{g.name + " transposed", &g.revAdj, nil})
	}
	return s
}

// encode returns a section as it is stored, a multiple of 4 bytes, and how many
// of these bytes count.
func (s section) encode() (stored []byte, size int) {
	if s.bytes != nil {
		size = len(*s.bytes)
		return append(slices.Clip(*s.bytes), make([]byte, -size&3)...), size
	}
	stored = make([]byte, 0, 4*len(*s.words))
	for _, w := range *s.words {
		stored = le.AppendUint32(stored, w)
	}
	return stored, len(stored)
}

// decode points the section's array at the stored bytes, or at a copy: if the
// caller wants one, if the bytes are not aligned, or if the machine's numbers are
// laid out otherwise.
func (s section) decode(stored []byte, copied bool) bool {
	if s.bytes != nil {
		if copied {
			stored = slices.Clone(stored)
		}
		*s.bytes = stored
		return true
	}
	if len(stored)%4 != 0 {
		return false
	}
	if p := unsafe.Pointer(unsafe.SliceData(stored)); !copied && littleEndian && uintptr(p)%4 == 0 {
		*s.words = unsafe.Slice((*uint32)(p), len(stored)/4)
		return true
	}
	*s.words = make([]uint32, len(stored)/4)
	for i := range *s.words {
		(*s.words)[i] = le.Uint32(stored[4*i:])
	}
	return true
}

var littleEndian = func() bool {
	n := uint32(1)
	return *(*byte)(unsafe.Pointer(&n)) == 1
}()

// ids and words look at the same numbers as another type.
func ids(w []uint32) []ServiceID {
	return unsafe.Slice((*ServiceID)(unsafe.SliceData(w)), len(w))
}

func words(s []ServiceID) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.SliceData(s)), len(s))
}

// newArrays flattens a model; the definitions' digests are filled in later.
func newArrays(m *Model) *arrays {
	n := len(m.Services)
	a := &arrays{
		nameOff: append(make([]uint32, 0, n+1), 0), names: make([]byte, 0, 16*n), kinds: make([]byte, 0, n), flags: make([]uint32, 0, n),
		timeUp: make([]uint32, 0, n), timeDn: make([]uint32, 0, n), feeds: make([]uint32, 0, n),
		bundleNameOff: []uint32{0}, bundleOff: []uint32{0}, definitions: make([]byte, n*len(Digest{})),
	}
	for i := range m.Services {
		s := &m.Services[i]
		a.names = append(a.names, s.Name...)
		a.nameOff = append(a.nameOff, uint32(len(a.names)))
		a.kinds = append(a.kinds, kindOf(s))
		a.flags = append(a.flags, uint32(s.Flags))
		a.timeUp = append(a.timeUp, uint32(s.TimeoutUp))
		a.timeDn = append(a.timeDn, uint32(s.TimeoutDown))
		a.feeds = append(a.feeds, uint32(s.Consumer))
	}
	for i := range m.Bundles {
		b := &m.Bundles[i]
		a.bundleNames = append(a.bundleNames, b.Name...)
		a.bundleNameOff = append(a.bundleNameOff, uint32(len(a.bundleNames)))
		a.bundleAdj = append(a.bundleAdj, words(b.Contents)...)
		a.bundleOff = append(a.bundleOff, uint32(len(a.bundleAdj)))
		var kind byte
		if b.Pipeline {
			kind |= bundlePipeline
		}
		if b.Provided {
			kind |= bundleProvided
		}
		a.bundleKinds = append(a.bundleKinds, kind)
	}
	a.needs, a.wants, a.soft = newPair(m.Needs, n), newPair(m.Wants, n), newPair(m.Soft, n)
	level, off, order := m.Levels.Flat()
	a.level, a.levelOff, a.levelOrder = level, off, words(order)
	return a
}

func kindOf(s *Service) byte {
	kind := byte(s.Type) & kindType
	if s.Manual {
		kind |= kindManual
	}
	if s.NotificationFD.Set {
		kind |= kindReadiness
	}
	if len(s.Producers) > 0 {
		kind |= kindProducers
	}
	return kind
}

// newPair flattens a graph; none is one of n vertices without edges.
func newPair(g *graph.Graph, n int) csrPair {
	if g == nil || g.Len() == 0 {
		none := make([]uint32, n+1)
		return csrPair{off: none, revOff: none}
	}
	r := g.Reverse()
	return csrPair{g.Offsets(), words(g.Adjacency()), r.Offsets(), words(r.Adjacency())}
}
