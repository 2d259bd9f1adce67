package journal

import (
	"bytes"
	"fmt"
	"os"
)

// Ahead is a journal that was read before it may be written: by somebody who waits for
// the lock.
type Ahead struct {
	path   string
	begin  int // where the fold begins
	folder Folder
	walk   walker
	first  int    // where the first record of a fold ends
	last   []byte // the last line
}

// ReadAhead reads the journal at path for a writer. The errors are those of [Read].
func ReadAhead(path string) (*Ahead, error) {
	raw, err := Open(path)
	if err != nil {
		return nil, err
	}
	a := &Ahead{path: path, begin: raw.begin}
	a.walk = walker{visit: a.folder.Apply, good: raw.begin}
	if err := a.walk.walk(raw.b); err != nil {
		return nil, fmt.Errorf("cannot read journal %s: %w", path, err)
	}
	a.first = raw.begin + lineEnd(raw.b, 0)
	a.last = lastLine(raw.b[:a.walk.good-raw.begin])
	return a, nil
}

func lastLine(b []byte) []byte { return b[bytes.LastIndexByte(b[:len(b)-1], '\n')+1:] }

// OpenWriter is the function of that name, for who has the lock now. What was not
// appended since is not read again, unless the file is another one by now.
func (a *Ahead) OpenWriter() (*Writer, error) {
	goesOn, err := a.catchUp()
	if err != nil {
		return nil, fmt.Errorf("cannot read journal %s: %w", a.path, err)
	}
	if !goesOn {
		return OpenWriter(a.path)
	}
	return a.open()
}

// catchUp reads what was appended. It reports false if the file does not go on where it
// ended: it was replaced, or a writer without space took back what it could not finish.
// Its inode does not tell the first, as that of a file that is gone is given again. But a
// compaction has every record that there was in front of where a fold begins, and no two
// appends have the same time since boot: if a fold begins at the same place and the last
// line is still there, it is the same file.
func (a *Ahead) catchUp() (goesOn bool, err error) {
	f, err := os.Open(a.path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	begin, err := readHeader(f)
	if err != nil || begin != a.begin {
		return false, err
	}
	b, err := readFrom(f, int64(a.walk.good-len(a.last)))
	if err != nil {
		return false, err
	}
	more, goesOn := bytes.CutPrefix(b, a.last)
	if !goesOn {
		return false, nil
	}
	return true, a.walk.walk(more)
}

// open opens the file, of which everything was read.
func (a *Ahead) open() (*Writer, error) {
	w := &Writer{path: a.path, folder: a.folder, more: a.walk.count - 1}
	if err := w.open(int64(a.walk.good)); err != nil {
		return nil, fmt.Errorf("cannot open journal %s: %w", a.path, err)
	}
	w.compact = max(compactAbove, compactTimes*int64(a.first)) // of thousands of services the first record is long
	return w, nil
}
