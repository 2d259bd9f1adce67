package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Sizes in bytes.
const (
	reserveBase  = 64 << 10 // reserved ahead, and for each service ...
	reserveEach  = 256      // ... about two records
	reserveLimit = 4 << 20
)

// Writer appends to a journal. Whoever has one holds the live directory's lock.
// Its methods may be called from several goroutines.
type Writer struct {
	path string

	mu      sync.Mutex
	f       *os.File // nil if the file was replaced and could not be opened
	size    int64
	more    int   // records that a fold reads after its first
	compact int64 // size from which a compaction cannot wait
	folder  Folder
}

// OpenWriter opens the journal at path, cuts a torn tail off, and reserves space.
func OpenWriter(path string) (*Writer, error) {
	a, err := ReadAhead(path)
	if err != nil {
		return nil, err
	}
	return a.open()
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
	if w.f == nil {
		if err := w.open(w.size); err != nil {
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

// Close closes the file and writes nothing.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f == nil {
		return nil
	}
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
