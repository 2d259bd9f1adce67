package db

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"runtime"
	"slices"
	"sync"
)

// image is a model as it goes into the file: sections, records and blobs, each in
// the order of its keys.
type image struct {
	header   header
	sections [][]byte
	records  [][]byte // by service
	notes    [][]byte // of the bundles, then of the services
	blobs    []Digest
	model    *Model
}

// newImage encodes a model. It depends on nothing but the model and tool, so that
// the same model gives the same bytes.
func newImage(m *Model, tool string) (*image, error) {
	a := newArrays(m)
	im := &image{model: m, records: make([][]byte, len(m.Services)), notes: make([][]byte, len(m.Bundles)+len(m.Services))}
	if err := im.encodeRecords(a); err != nil {
		return nil, err
	}
	// What readers would refuse is not written.
	f, err := newFlat(a)
	if err == nil {
		err = f.checkMeaning()
	}
	if err == nil {
		err = f.pipelines(m.fed())
	}
	if err != nil {
		return nil, fmt.Errorf("the model is not valid: %w", err)
	}
	if err := im.collectBlobs(); err != nil {
		return nil, err
	}
	im.header = header{
		private: m.Private, tool: tool,
		services: uint32(len(m.Services)), bundles: uint32(len(m.Bundles)), blobs: uint32(len(im.blobs)),
	}
	for _, s := range a.sections() {
		stored, size := s.encode()
		im.sections = append(im.sections, stored)
		im.header.sections = append(im.header.sections, sectionSum{uint32(size), sum(stored)})
	}
	im.header.content = im.content()
	return im, nil
}

// fed are the joints of all pipelines as the consumers name them; producers that
// are no service are passed over, so that they are found missing.
func (m *Model) fed() []Pipe {
	var pipes []Pipe
	for i := range m.Services {
		for _, p := range m.Services[i].Producers {
			if uint64(p) < uint64(len(m.Services)) {
				pipes = append(pipes, Pipe{p, ServiceID(i)})
			}
		}
	}
	return pipes
}

// encodeRecords fills in records, notes and the definitions' digests, on all
// processors.
func (im *image) encodeRecords(a *arrays) error {
	services, bundles := im.model.Services, im.model.Bundles
	workers := runtime.GOMAXPROCS(0)
	bad := make([]string, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			e := newEncoder()
			for i := w; i < len(services); i += workers {
				s := &services[i]
				record, digest, ok := e.service(serviceKey(i), s)
				note, okNote := e.note(noteKey(noteService, i), s.Description, s.Origin)
				if !ok || !okNote {
					bad[w] = s.Name
				}
				im.records[i], im.notes[len(bundles)+i] = record, note
				copy(a.definitions[i*len(digest):], digest[:])
			}
			for i := w; i < len(bundles); i += workers {
				note, ok := e.note(noteKey(noteBundle, i), bundles[i].Description, bundles[i].Origin)
				if !ok {
					bad[w] = bundles[i].Name
				}
				im.notes[i] = note
			}
		})
	}
	wg.Wait()
	for _, name := range bad {
		if name != "" {
			return fmt.Errorf("the model is not valid: %q has a value out of range", name)
		}
	}
	return nil
}

// collectBlobs lists the blobs that are used, sorted.
func (im *image) collectBlobs() error {
	for i := range im.model.Services {
		for d := range im.model.Services[i].Blobs() {
			im.blobs = append(im.blobs, d)
		}
	}
	slices.SortFunc(im.blobs, func(a, b Digest) int { return bytes.Compare(a[:], b[:]) })
	im.blobs = slices.Compact(im.blobs)
	for _, d := range im.blobs {
		content, ok := im.model.Blobs[d]
		if !ok || Digest(sha256.Sum256(content)) != d {
			return fmt.Errorf("the model is not valid: content %s is used but not there", d.Short())
		}
	}
	return nil
}

// content computes the digest of everything but notes and tool.
func (im *image) content() Digest {
	h := newContentHash(im.model.Private)
	for _, s := range im.sections {
		h.chunk(s)
	}
	for _, r := range im.records {
		h.chunk(r)
	}
	for _, d := range im.blobs {
		h.chunk(d[:])
	}
	return h.sum()
}

// contentHash computes a content digest: of sections, records and the digests of
// the blobs.
type contentHash struct {
	h      hash.Hash
	prefix []byte
}

func newContentHash(private bool) *contentHash {
	c := &contentHash{h: sha256.New(), prefix: make([]byte, 0, 8)}
	c.h.Write([]byte("strata content 1\x00"))
	if private {
		c.h.Write([]byte{1})
	} else {
		c.h.Write([]byte{0})
	}
	return c
}

// chunk adds a chunk with its length, so that no two lists of chunks hash the
// same.
func (c *contentHash) chunk(b []byte) {
	c.prefix = le.AppendUint64(c.prefix[:0], uint64(len(b)))
	c.h.Write(c.prefix)
	c.h.Write(b)
}

func (c *contentHash) sum() (d Digest) {
	c.h.Sum(d[:0])
	return d
}
