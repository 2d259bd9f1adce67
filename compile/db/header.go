package db

import (
	"crypto/sha256"
	"io"
)

// FormatVersion is the version of the file format that this release writes.
const FormatVersion = 1

// The buckets of the file and the keys of the first. Services are keyed by their
// number (u32, big-endian), notes by a letter and a number, blobs by their digest,
// sections of the graph by their place in [arrays.sections].
const (
	bucketMeta     = "meta"
	bucketGraph    = "graph"
	bucketServices = "services"
	bucketNotes    = "notes"
	bucketBlobs    = "blobs"

	keyHeader = "header"
)

func serviceKey(i int) []byte { return be.AppendUint32(nil, uint32(i)) }

func noteKey(kind byte, i int) []byte {
	return be.AppendUint32(append(make([]byte, 0, 5), kind), uint32(i))
}

const (
	noteService = 's'
	noteBundle  = 'b'
)

// header is the record that says what the file holds.
type header struct {
	private  bool
	tool     string
	services uint32
	bundles  uint32
	blobs    uint32
	content  Digest
	sections []sectionSum
}

// sectionSum is the length of a section, without padding, and its checksum.
type sectionSum struct{ size, sum uint32 }

func (h *header) layout(c *codec) {
	c.flag(&h.private)
	c.str(&h.tool)
	c.u32(&h.services)
	c.u32(&h.bundles)
	c.u32(&h.blobs)
	c.digest(&h.content)
	list(c, &h.sections, func(c *codec, s *sectionSum) { c.u32(&s.size); c.u32(&s.sum) })
}

func (h *header) encode() []byte {
	c := codec{b: make([]byte, sumSize), writing: true}
	h.layout(&c)
	seal([]byte(keyHeader), c.b)
	return c.b
}

func decodeHeader(value []byte) (header, error) {
	var h header
	body, ok := unseal([]byte(keyHeader), value)
	c := codec{b: body}
	h.layout(&c)
	if !ok || c.bad || len(c.b) != 0 {
		return header{}, corruptf("the header is damaged")
	}
	return h, nil
}

// The trailer stands behind bbolt's pages: magic, format version, a zero, the
// length of the pages (u64), and the SHA-256 of everything before that digest.
const (
	trailerMagic = "STRATADB"
	trailerSize  = len(trailerMagic) + 4 + 4 + 8 + sha256.Size
)

// newTrailer returns the trailer for pages whose bytes have gone into h.
func newTrailer(h interface {
	io.Writer
	Sum([]byte) []byte
}, length int64,
) ([]byte, Digest) {
	t := append([]byte(nil), trailerMagic...)
	t = le.AppendUint32(t, FormatVersion)
	t = le.AppendUint32(t, 0)
	t = le.AppendUint64(t, uint64(length))
	_, _ = h.Write(t) // a hash never fails
	t = h.Sum(t)
	return t, Digest(t[len(t)-sha256.Size:])
}

// splitTrailer parts a file into bbolt's pages and the digest that its trailer
// claims. With whole, the digest is checked first, so that any change of any byte
// is told as damage and not as another version.
func splitTrailer(file []byte, whole bool) (pages, Digest, error) {
	n := len(file) - trailerSize
	if n < 0 || string(file[n:n+len(trailerMagic)]) != trailerMagic {
		if len(file) > 20 && le.Uint32(file[16:]) == boltMagic {
			return nil, Digest{}, corruptf("it is cut short or something was added at its end")
		}
		return nil, Digest{}, corruptf("it is not a compiled database")
	}
	digest := Digest(file[len(file)-sha256.Size:])
	if whole && sha256.Sum256(file[:len(file)-sha256.Size]) != digest {
		return nil, Digest{}, corruptf("its bytes do not match its digest")
	}
	t := file[n+len(trailerMagic):]
	if v := le.Uint32(t); v != FormatVersion {
		return nil, Digest{}, formatf(v)
	}
	if le.Uint32(t[4:]) != 0 || le.Uint64(t[8:]) != uint64(n) || n%pageSize != 0 {
		return nil, Digest{}, corruptf("its length is not what it says")
	}
	return file[:n:n], digest, nil
}
