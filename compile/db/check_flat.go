package db

import (
	"bytes"
	"strings"

	"strata/graph"
)

// flat is the arrays with the types on top that readers use.
type flat struct {
	arrays
	names, bundleNames string // on the heap, so that a name outlives the file
	needs, wants, soft *graph.Graph
	levels             graph.Levels
}

// newFlat checks everything that does not need the records: sizes, names,
// references, graphs, their transposes. After it, no index can be out of range.
func newFlat(a *arrays) (*flat, error) {
	f := &flat{arrays: *a, names: string(a.names), bundleNames: string(a.bundleNames)}
	n, m := len(a.kinds), len(a.bundleKinds)
	for _, size := range []struct {
		what      string
		got, want int
	}{
		{"flags", len(a.flags), n},
		{"timeouts", len(a.timeUp), n},
		{"timeouts", len(a.timeDn), n},
		{"consumers", len(a.feeds), n},
		{"definitions", len(a.definitions), n * len(Digest{})},
		{"levels", len(a.level), n},
		{"needs", len(a.needs.off), n + 1},
		{"wants", len(a.wants.off), n + 1},
		{"soft", len(a.soft.off), n + 1},
		{"names", len(a.nameOff), n + 1},
		{"bundle names", len(a.bundleNameOff), m + 1},
		{"bundle contents", len(a.bundleOff), m + 1},
	} {
		if size.got != size.want {
			return nil, corruptf("%s: %d entries, want %d", size.what, size.got, size.want)
		}
	}
	if err := checkNames("service", a.nameOff, f.names, true); err != nil {
		return nil, err
	}
	if err := checkNames("bundle", a.bundleNameOff, f.bundleNames, false); err != nil {
		return nil, err
	}
	if err := f.checkRows(); err != nil {
		return nil, err
	}
	return f, f.graphs()
}

func (f *flat) graphs() (err error) {
	for _, g := range []struct {
		name string
		csrPair
		to **graph.Graph
	}{{"needs", f.arrays.needs, &f.needs}, {"wants", f.arrays.wants, &f.wants}, {"soft", f.arrays.soft, &f.soft}} {
		if *g.to, err = graph.FromCSRPair(g.off, ids(g.adj), g.revOff, ids(g.revAdj)); err != nil {
			return corruptf("%s: %v", g.name, err)
		}
	}
	if f.levels, err = graph.LevelsFromFlat(f.level, f.levelOff, ids(f.levelOrder)); err != nil {
		return corruptf("%v", err)
	}
	return nil
}

// checkOffsets reports whether offsets rise from 0 to the size of what they
// divide.
func checkOffsets(off []uint32, size int) bool {
	if off[0] != 0 || uint64(off[len(off)-1]) != uint64(size) {
		return false
	}
	for i := 1; i < len(off); i++ {
		if off[i] < off[i-1] || uint64(off[i]) > uint64(size) {
			return false
		}
	}
	return true
}

// checkNames checks the names of services, or of bundles. A service's name
// becomes a file's name in a live directory: at most 255 bytes, no slash, no dot
// in front. A bundle's does not, and s6-rc lets a pipeline-name be "." or hold a
// slash. Neither holds a newline or a zero.
func checkNames(what string, off []uint32, text string, files bool) error {
	if !checkOffsets(off, len(text)) {
		return corruptf("%s name offsets are out of order", what)
	}
	if strings.IndexByte(text, '\n') >= 0 || strings.IndexByte(text, 0) >= 0 || (files && strings.IndexByte(text, '/') >= 0) {
		return corruptf("a %s name has a byte in it that no name has", what)
	}
	last := ""
	for i := range len(off) - 1 {
		name := text[off[i]:off[i+1]]
		if name == "" || (files && (len(name) > 255 || name[0] == '.')) {
			return corruptf("%q is no %s name", name, what)
		}
		if name <= last {
			return corruptf("%s names are out of order at %q", what, name)
		}
		last = name
	}
	return nil
}

// checkRows checks the rows of services and bundles.
func (f *flat) checkRows() error {
	n := uint64(len(f.kinds))
	for i, k := range f.kinds {
		if t := Type(k & kindType); t != Oneshot && t != Longrun || k&^kindAll != 0 {
			return corruptf("service %d has an unknown type", i)
		}
		if c := f.feeds[i]; c != uint32(None) && uint64(c) >= n {
			return corruptf("service %d feeds service %d, which is not there", i, c)
		}
	}
	if !checkOffsets(f.bundleOff, len(f.bundleAdj)) {
		return corruptf("bundle offsets are out of order")
	}
	for i, k := range f.bundleKinds {
		if k&^bundleAll != 0 {
			return corruptf("bundle %d has an unknown kind", i)
		}
		last := int64(-1)
		for _, id := range f.bundleAdj[f.bundleOff[i]:f.bundleOff[i+1]] {
			if uint64(id) >= n || int64(id) <= last {
				return corruptf("bundle %d: content %d is out of order", i, id)
			}
			last = int64(id)
		}
	}
	return nil
}

// checkMeaning checks what holds between the arrays: no name stands for two
// things, the levels are those of needs and soft together (so there is no cycle),
// and pipelines join longruns, the producer needing the consumer (so there is no
// loop of them either).
func (f *flat) checkMeaning() error {
	for i, b := 0, 0; i < f.len() && b < f.bundles(); {
		switch strings.Compare(f.name(ServiceID(i)), f.bundleName(BundleID(b))) {
		case 0:
			return corruptf("%q is both a service and a bundle", f.name(ServiceID(i)))
		case -1:
			i++
		default:
			b++
		}
	}
	all, err := graph.Union(f.needs, f.soft)
	if err != nil {
		return corruptf("%v", err)
	}
	if err := f.levels.Check(all); err != nil {
		return corruptf("%v", err)
	}
	for i, c := range f.feeds {
		if c == uint32(None) {
			continue
		}
		if Type(f.kinds[i]&kindType) != Longrun || Type(f.kinds[c]&kindType) != Longrun || f.kinds[c]&kindProducers == 0 ||
			!f.needs.HasEdge(ServiceID(i), ServiceID(c)) {
			return corruptf("%q cannot feed %q", f.name(ServiceID(i)), f.name(ServiceID(c)))
		}
	}
	for i := range f.bundles() {
		if f.bundleKinds[i]&bundleProvided != 0 && f.bundleOff[i+1]-f.bundleOff[i] != 1 {
			return corruptf("%q is provided by %d services", f.bundleName(BundleID(i)), f.bundleOff[i+1]-f.bundleOff[i])
		}
	}
	return nil
}

func (f *flat) len() int     { return len(f.kinds) }
func (f *flat) bundles() int { return len(f.bundleKinds) }

func (f *flat) name(id ServiceID) string { return f.names[f.nameOff[id]:f.nameOff[id+1]] }

func (f *flat) bundleName(id BundleID) string {
	return f.bundleNames[f.bundleNameOff[id]:f.bundleNameOff[id+1]]
}

func (f *flat) definition(id ServiceID) Digest {
	return Digest(f.definitions[int(id)*len(Digest{}):][:len(Digest{})])
}

// sameDefinition reports whether the digest of a record's definition is the
// stored one.
func (f *flat) sameDefinition(id ServiceID, d Digest) bool {
	want := f.definition(id)
	return bytes.Equal(want[:], d[:])
}
