package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

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
// need no records: that takes less.
func Load(path string) (*Folder, error) {
	raw, err := Open(path)
	if err != nil {
		return nil, err
	}
	return raw.Fold()
}

// Raw is what a journal held at one moment.
type Raw struct {
	path string
	b    []byte
}

// Open reads the journal at path and leaves the rest of [Load] for later: what is
// asked of the supervisors after it is not older than what the journal says.
func Open(path string) (Raw, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Raw{}, fmt.Errorf("cannot read journal: %w", err)
	}
	return Raw{path, b}, nil
}

// Fold folds its records.
func (r Raw) Fold() (*Folder, error) {
	f := new(Folder)
	if _, err := walk(r.b, f.Apply); err != nil {
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

// Sizes in bytes.
const (
	reserveBase  = 64 << 10 // reserved ahead, and for each service ...
	reserveEach  = 256      // ... about two records
	reserveLimit = 4 << 20
	compactAbove = 3 << 20
	keepRecords  = 1000 // as they are in a compaction
)

// Writer appends to a journal. Whoever has one holds the live directory's lock.
// Its methods may be called from several goroutines.
type Writer struct {
	path string

	mu      sync.Mutex
	f       *os.File
	size    int64
	first   int64 // size up to the end of the first record
	more    int   // records after that
	compact int64 // size from which a compaction cannot wait
	folder  Folder
}

// OpenWriter opens the journal at path, cuts a torn tail off, and reserves space.
func OpenWriter(path string) (*Writer, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open journal: %w", err)
	}
	w := &Writer{path: path, more: -1}
	good, err := walk(b, func(r Record) {
		w.folder.Apply(r)
		w.more++
	})
	if err != nil {
		return nil, fmt.Errorf("cannot open journal %s: %w", path, err)
	}
	if err := w.open(int64(good)); err != nil {
		return nil, fmt.Errorf("cannot open journal %s: %w", path, err)
	}
	w.first = int64(lineEnd(b, len(Header)))
	w.compact = max(compactAbove, 4*w.first) // of thousands of services the first record is long
	return w, nil
}

// open opens the file, of which size bytes count.
func (w *Writer) open(size int64) error {
	f, err := os.OpenFile(w.path, os.O_WRONLY|os.O_APPEND|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	if err := cut(f, size); err != nil {
		return errors.Join(err, f.Close())
	}
	w.f, w.size = f, size
	w.reserve()
	return nil
}

// cut takes away what the file has beyond size. If that is nothing it is left alone:
// also a truncation to the size that it has gives back what is reserved beyond, and on
// a full disk somebody else would take it.
func cut(f *os.File, size int64) error {
	info, err := f.Stat()
	if err != nil || info.Size() == size {
		return err
	}
	return f.Truncate(size)
}

// reserve asks the file system for space ahead, unless half of that is there already.
// Where there is none, appends may fail, which nothing that matters depends on.
func (w *Writer) reserve() {
	n := min(int64(reserveBase+reserveEach*len(w.folder.state.Table)), reserveLimit)
	const block = 512 // that st_blocks counts in, always
	var st unix.Stat_t
	if unix.Fstat(int(w.f.Fd()), &st) == nil && st.Blocks*block-w.size >= n/2 {
		return
	}
	for ; n >= 4096; n /= 2 {
		if err := unix.Fallocate(int(w.f.Fd()), unix.FALLOC_FL_KEEP_SIZE, w.size, n); !errors.Is(err, unix.ENOSPC) {
			return
		}
	}
}

// State is the fold of all records, those of this writer included.
func (w *Writer) State() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.folder.State()
}

// With calls read with the fold of all records. Nothing is appended meanwhile.
func (w *Writer) With(read func(*Folder)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	read(&w.folder)
}

// Seq is the number of the last record.
func (w *Writer) Seq() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.folder.Seq()
}

// Append writes one record for each event, with one cause, and returns the number
// of the last. Either all of them are in the file or, with an error, none.
func (w *Writer) Append(cause string, events ...Event) (seq uint64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(events) == 0 {
		return w.folder.Seq(), nil
	}
	now, boot := clock()
	records := make([]Record, len(events))
	var lines []byte
	for i, e := range events {
		if i == 0 { // what comes after it may stand on it
			e = w.folder.lean(e)
		}
		records[i] = Record{Seq: w.folder.Seq() + uint64(i) + 1, At: now, Boot: boot, Cause: cause, Event: e}
		if lines, err = appendLine(lines, records[i]); err != nil {
			return 0, fmt.Errorf("cannot append to journal %s: %w", w.path, err)
		}
	}
	if _, err := w.f.Write(lines); err != nil {
		// A part may have been written: it is no record, and must not become one.
		err = errors.Join(err, cut(w.f, w.size))
		w.reserve()
		return 0, fmt.Errorf("cannot append to journal %s: %w", w.path, err)
	}
	w.size += int64(len(lines))
	w.more += len(records)
	for _, r := range records {
		w.folder.Apply(r)
	}
	if w.size > w.compact {
		// Without success the file only stays longer than it need be.
		_ = w.rewrite()
	}
	return w.folder.Seq(), nil
}

// compacted is the content of a compacted file: a snapshot, and the last records as
// they are, which are kept bytes.
func (w *Writer) compacted() (content []byte, kept int, err error) {
	b, err := os.ReadFile(w.path)
	if err != nil {
		return nil, 0, err
	}
	b = b[:min(int64(len(b)), w.size)]
	keep := lastLines(b, keepRecords)
	var base Folder
	if _, err := walk(b[:keep], base.Apply); err != nil {
		return nil, 0, err
	}
	now, boot := clock()
	content, err = appendLine([]byte(Header), Record{Seq: base.Seq(), At: now, Boot: boot, Event: Snapshot{State: base.State()}})
	return append(content, b[keep:]...), len(b) - keep, err
}

// lastLines gives where the last n lines begin that follow the header and the first
// record.
func lastLines(b []byte, n int) int {
	first, at := lineEnd(b, len(Header)), len(b)
	for ; n > 0 && at > first; n-- {
		at = bytes.LastIndexByte(b[:at-1], '\n') + 1
	}
	return at
}

// lineEnd gives where the line ends that begins at from.
func lineEnd(b []byte, from int) int { return from + bytes.IndexByte(b[from:], '\n') + 1 }

// Tidy compacts the file if that makes it much shorter to read. It is called when
// there is time; the cost is in proportion to what was appended.
func (w *Writer) Tidy() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.more <= 2*keepRecords {
		return nil
	}
	left := w.first + (w.size-w.first)*keepRecords/int64(w.more) // about
	if 2*w.size <= 3*left {
		return nil
	}
	if err := w.rewrite(); err != nil {
		return fmt.Errorf("cannot compact journal %s: %w", w.path, err)
	}
	return nil
}

// Compact replaces the file by one that begins with a snapshot. The last records
// follow it as they were.
func (w *Writer) Compact() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.rewrite(); err != nil {
		return fmt.Errorf("cannot compact journal %s: %w", w.path, err)
	}
	return nil
}

func (w *Writer) rewrite() error {
	content, kept, err := w.compacted()
	if err != nil {
		return err
	}
	if err := replace(w.path, content); err != nil {
		return err
	}
	old := w.f
	if err := w.open(int64(len(content))); err != nil {
		return err
	}
	w.first, w.more = w.size-int64(kept), min(w.more, keepRecords)
	w.compact = max(compactAbove, 4*w.size)
	err = old.Close()
	w.reserve() // what the old file had is free now
	return err
}

// Close closes the file and writes nothing.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.f.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return fmt.Errorf("cannot close journal: %w", err)
	}
	return nil
}

// clock gives the wall clock, and the time since boot, which nobody sets.
func clock() (time.Time, time.Duration) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return time.Now(), 0
	}
	return time.Now(), time.Duration(ts.Nano())
}
