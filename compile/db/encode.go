package db

import (
	"crypto/sha256"
	"encoding/binary"
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
	blobs    []Digest
	model    *Model
}

// newImage encodes a model. It depends on nothing but the model and tool, so that
// the same model gives the same bytes.
func newImage(m *Model, tool string) (*image, error) {
	a := newArrays(m)
	im := &image{model: m, records: make([][]byte, len(m.Services))}
	if err := im.encodeRecords(a); err != nil {
		return nil, err
	}
	// What readers would refuse is not written.
	f, err := newFlat(a)
	if err == nil {
		err = f.checkMeaning()
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

// encodeRecords fills in the records and the definitions' digests, on all
// processors.
func (im *image) encodeRecords(a *arrays) error {
	services := im.model.Services
	workers := runtime.GOMAXPROCS(0)
	bad := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(services); i += workers {
				record, digest, ok := encodeService(&services[i])
				if !ok {
					bad[w] = fmt.Errorf("the model is not valid: service %q has a value out of range", services[i].Name)
					return
				}
				im.records[i] = record
				copy(a.definitions[i*len(digest):], digest[:])
			}
		})
	}
	wg.Wait()
	for _, err := range bad {
		if err != nil {
			return err
		}
	}
	return nil
}

// collectBlobs lists the blobs that are used, sorted.
func (im *image) collectBlobs() error {
	used := map[Digest]bool{}
	for i := range im.model.Services {
		s := &im.model.Services[i]
		for d := range s.Blobs() {
			if used[d] {
				continue
			}
			content, ok := im.model.Blobs[d]
			if !ok || Digest(sha256.Sum256(content)) != d {
				return fmt.Errorf("the model is not valid: service %q uses content %s, which is not there", s.Name, d.Short())
			}
			used[d] = true
			im.blobs = append(im.blobs, d)
		}
	}
	slices.SortFunc(im.blobs, func(a, b Digest) int { return slices.Compare(a[:], b[:]) })
	return nil
}

// content computes the digest of everything but notes and tool.
func (im *image) content() Digest {
	h := newContentHash(im.model.Private)
	for _, s := range im.sections {
		hashChunk(h, s)
	}
	for _, r := range im.records {
		hashChunk(h, r)
	}
	for _, d := range im.blobs {
		hashChunk(h, d[:])
	}
	return Digest(h.Sum(nil))
}

// newContentHash begins a content digest; sections, records and the digests of
// the blobs follow.
func newContentHash(private bool) hash.Hash {
	h := sha256.New()
	h.Write([]byte("strata content 1\x00"))
	if private {
		h.Write([]byte{1})
	} else {
		h.Write([]byte{0})
	}
	return h
}

// hashChunk adds a chunk with its length, so that no two lists of chunks hash the
// same.
func hashChunk(h hash.Hash, b []byte) {
	var size [8]byte
	binary.LittleEndian.PutUint64(size[:], uint64(len(b)))
	h.Write(size[:])
	h.Write(b)
}
