package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"strata/internal/atomicfs"
)

// Read reads the journal at path. It needs no lock: see [Parse].
func Read(path string) ([]Record, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read journal: %w", err)
	}
	records, _, err := Parse(b)
	if err != nil {
		return records, fmt.Errorf("cannot read journal %s: %w", path, err)
	}
	return records, nil
}

// Load reads the journal at path and folds it. It is Read and [Fold] for those who
// need no records: that takes less, as what is kept for people is left out.
func Load(path string) (*Folder, error) {
	raw, err := Open(path)
	if err != nil {
		return nil, err
	}
	return raw.Fold()
}

// Raw is what a journal held at one moment, from where a fold begins.
type Raw struct {
	path  string
	begin int
	b     []byte
}

// Open reads the journal at path and leaves the rest of [Load] for later: what is
// asked of the supervisors after it is not older than what the journal says.
func Open(path string) (Raw, error) {
	f, err := os.Open(path)
	if err != nil {
		return Raw{}, fmt.Errorf("cannot read journal: %w", err)
	}
	defer f.Close()
	r := Raw{path: path}
	if r.begin, err = readHeader(f); err == nil {
		r.b, err = readFrom(f, int64(r.begin))
	}
	if err != nil {
		return Raw{}, fmt.Errorf("cannot read journal %s: %w", path, err)
	}
	return r, nil
}

// readHeader gives where a fold of the file begins.
func readHeader(f *os.File) (begin int, err error) {
	head := make([]byte, len(Header))
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	return parseHeader(head[:n])
}

// readFrom reads a file from a place to its end.
func readFrom(f *os.File, from int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	const more = 512 // that may have been appended since
	b := bytes.NewBuffer(make([]byte, 0, max(0, info.Size()-from)+more))
	_, err = b.ReadFrom(io.NewSectionReader(f, from, math.MaxInt64-from))
	return b.Bytes(), err
}

// Fold folds its records.
func (r Raw) Fold() (*Folder, error) {
	f := new(Folder)
	w := walker{visit: f.Apply, good: r.begin}
	if err := w.walk(r.b); err != nil {
		return nil, fmt.Errorf("cannot read journal %s: %w", r.path, err)
	}
	return f, nil
}

// Create writes a new journal with its first record, which has the number 1. It
// replaces a file that is there.
func Create(path string, first Init) error {
	now, boot := clock()
	line, err := appendLine([]byte(Header), Record{Seq: 1, At: now, Boot: boot, Event: first})
	if err != nil {
		return fmt.Errorf("cannot write journal %s: %w", path, err)
	}
	return replace(path, line)
}

const perm = 0o644 // it holds no values, only names and digests

func replace(path string, content []byte) error {
	return atomicfs.WriteFile(path, perm, func(f *os.File) error {
		_, err := f.Write(content)
		return err
	})
}
