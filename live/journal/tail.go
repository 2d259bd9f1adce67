package journal

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// Tail reads a journal as it grows, also across compactions. It needs no lock, and
// is used by one goroutine at a time. Whoever waits for records listens to the live
// directory's event directory first and then calls Next.
type Tail struct {
	path string
	f    *os.File
	off  int64  // of what follows the last record that was read
	seq  uint64 // of that record
}

// NewTail reads the journal at path. The caller closes it.
func NewTail(path string) *Tail { return &Tail{path: path} }

// Tail reads what is appended from now on. The caller closes it.
func (w *Writer) Tail() (*Tail, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f, err := os.Open(w.path)
	if err != nil {
		return nil, fmt.Errorf("cannot read journal: %w", err)
	}
	return &Tail{path: w.path, f: f, off: w.size, seq: w.folder.Seq()}, nil
}

// Next returns what has been appended since the last call, possibly nothing; the
// first call returns everything. If more was appended than a compaction keeps, the
// first record is the [Snapshot] of what was missed. The errors are those of [Read].
func (t *Tail) Next() ([]Record, error) {
	records, err := t.next()
	if err != nil {
		return records, fmt.Errorf("cannot read journal %s: %w", t.path, err)
	}
	return records, nil
}

func (t *Tail) next() ([]Record, error) {
	var all []Record
	if t.f != nil {
		records, err := t.more()
		if err != nil {
			return records, err
		}
		all = records
	}
	// What was appended to the old file after that is in the new one too.
	replaced, err := t.replaced()
	if err != nil || !replaced {
		return all, err
	}
	records, err := t.reopen()
	return append(all, records...), err
}

// more reads what has been appended to the file that is open.
func (t *Tail) more() ([]Record, error) {
	b, err := io.ReadAll(io.NewSectionReader(t.f, t.off, 1<<62))
	if err != nil {
		return nil, err
	}
	var records []Record
	for {
		n := bytes.IndexByte(b, '\n')
		if n < 0 {
			return records, nil
		}
		r, err := parseLine(b[:n], "", new(calendar))
		if err == nil && r.Seq != t.seq+1 {
			err = fmt.Errorf("%w: record %d follows record %d", ErrCorrupt, r.Seq, t.seq)
		}
		if err != nil {
			return records, err
		}
		records = append(records, r)
		t.seq, t.off, b = r.Seq, t.off+int64(n)+1, b[n+1:]
	}
}

// replaced reports whether the path leads to another file than the open one, or to
// that one cut short: a writer without space takes back what it could not finish.
func (t *Tail) replaced() (bool, error) {
	now, err := os.Stat(t.path)
	if err != nil || t.f == nil {
		return true, err
	}
	mine, err := t.f.Stat()
	return !os.SameFile(now, mine) || now.Size() < t.off, err
}

// reopen reads the file at the path from its beginning.
func (t *Tail) reopen() ([]Record, error) {
	f, err := os.Open(t.path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	var records []Record
	var good int
	if err == nil {
		records, good, err = Parse(b)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	_ = t.Close()
	t.f, t.off = f, int64(good)
	known := t.seq
	t.seq = records[len(records)-1].Seq
	for len(records) > 0 && records[0].Seq <= known {
		records = records[1:]
	}
	return records, nil
}

// Close closes the file.
func (t *Tail) Close() error {
	if t.f == nil {
		return nil
	}
	err := t.f.Close()
	t.f = nil
	return err
}
