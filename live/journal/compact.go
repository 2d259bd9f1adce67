package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// When a journal is compacted.
const (
	// keepRecords are as they are in a compaction, for people: see [Read].
	keepRecords = 1000
	// A fold is to read few records beside those of its beginning: so many, or as many
	// as make it longer by a part. To read one takes as long as to read some services in
	// a snapshot, and a compaction as long as to read two of these some times.
	fewRecords = 200
	partOfMany = 32
	// While a command runs the file may grow to so many bytes, or so many times what it
	// was.
	compactAbove = 3 << 20
	compactTimes = 4
)

// compacted is the content of a compacted file, of which a fold begins with the
// snapshot of now. In front of that stand the last records as they are, and in front of
// them the snapshot that they follow. History that is damaged is dropped: it would keep
// the file from ever being compacted.
func (w *Writer) compacted() ([]byte, error) {
	b, err := os.ReadFile(w.path)
	if err != nil {
		return nil, err
	}
	begin, err := parseHeader(b)
	if err != nil {
		return nil, err
	}
	lines := b[len(Header):min(int64(len(b)), w.size)]
	at := begin - len(Header)
	if at >= len(lines) {
		return nil, fmt.Errorf("%w: it ends before a fold begins", ErrCorrupt)
	}
	if at > 0 { // a snapshot in the middle goes
		lines = append(lines[:at:at], lines[lineEnd(lines, at):]...)
	}
	content, err := kept(lines)
	if errors.Is(err, ErrCorrupt) {
		content, err = []byte(Header), nil
	}
	if err != nil {
		return nil, err
	}
	return appendSnapshot(content, &w.folder)
}

// kept is what stands in front of the snapshot of now, for a journal of these lines.
func kept(lines []byte) ([]byte, error) {
	keep := lastLines(lines, keepRecords)
	if keep == len(lines) {
		return []byte(Header), nil
	}
	var base Folder
	walk := walker{visit: base.Apply}
	if err := walk.walk(lines[:keep]); err != nil {
		return nil, err
	}
	content, err := appendSnapshot([]byte(Header), &base)
	if err != nil {
		return nil, err
	}
	content = append(content, lines[keep:]...)
	copy(content, header(len(content)))
	return content, nil
}

func appendSnapshot(to []byte, f *Folder) ([]byte, error) {
	now, boot := clock()
	return appendLine(to, Record{Seq: f.Seq(), At: now, Boot: boot, Event: Snapshot{State: f.State()}})
}

// lastLines gives where the last n lines begin that follow the first record.
func lastLines(b []byte, n int) int {
	first, at := lineEnd(b, 0), len(b)
	for ; n > 0 && at > first; n-- {
		at = bytes.LastIndexByte(b[:at-1], '\n') + 1
	}
	return at
}

// lineEnd gives where the line ends that begins at from.
func lineEnd(b []byte, from int) int { return from + bytes.IndexByte(b[from:], '\n') + 1 }

// Tidy compacts the file if that makes it much shorter to fold. It is called when
// there is time.
func (w *Writer) Tidy() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.more <= max(fewRecords, len(w.folder.services)/partOfMany) {
		return nil
	}
	if err := w.rewrite(); err != nil {
		return fmt.Errorf("cannot compact journal %s: %w", w.path, err)
	}
	return nil
}

// Compact replaces the file by one of which a fold begins with a snapshot. The last
// records are kept beside it as they were.
func (w *Writer) Compact() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.rewrite(); err != nil {
		return fmt.Errorf("cannot compact journal %s: %w", w.path, err)
	}
	return nil
}

func (w *Writer) rewrite() error {
	content, err := w.compacted()
	if err != nil {
		return err
	}
	if err := replace(w.path, content); err != nil {
		return err
	}
	// From here on the new file counts, also if it cannot be opened yet.
	if w.f != nil {
		err = w.f.Close()
	}
	w.f, w.size, w.more = nil, int64(len(content)), 0
	w.compact = max(compactAbove, compactTimes*w.size)
	return errors.Join(err, w.open(w.size))
}
