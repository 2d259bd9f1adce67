package source

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"

	"strata/internal/diag"
	"strata/internal/writable"
)

// worker reads one definition after the other. Its buffers are used again, so
// that what it keeps of a file must be copied.
type worker struct {
	opts    Options
	blobs   *blobStore
	content []byte // of the file being read
	names   []byte // of the directory being listed
	others  writable.Checker

	// The definition being read.
	item
	path    string // of its directory or TOML file
	fd      int    // of its directory, or -1
	entries []dirent
	def     *Definition
	result
}

// read reads one definition.
func (w *worker) read(it item) result {
	w.item, w.result = it, result{}
	w.path, w.fd, w.entries = it.src.path+"/"+it.file, -1, nil
	w.def = &Definition{Name: it.name, Source: it.src.index}
	ok := false
	if it.toml {
		ok = w.readTOML(it.src.fd, it.file, w.path)
	} else {
		ok = w.readDir()
	}
	if ok {
		w.result.def = w.def
	}
	return w.result
}

// file returns the path of a file in the definition's directory.
func (w *worker) file(name string) string { return w.path + "/" + name }

func (w *worker) at(name string) diag.Position { return diag.Position{File: w.file(name)} }

// find looks for a file in the definition's directory. A file that is not in the
// listing is not there, which saves trying to open it.
func (w *worker) find(name string) (dirent, bool) {
	lo, hi := 0, len(w.entries)
	for lo < hi {
		mid := (lo + hi) / 2
		if w.entries[mid].name < name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(w.entries) && w.entries[lo].name == name {
		return w.entries[lo], true
	}
	return dirent{}, false
}

// get reads up to limit bytes of a file of the definition, all of it if limit is
// negative. It returns nil without an error if there is no such file. The content
// is valid until the next call.
func (w *worker) get(name string, limit int) ([]byte, error) {
	if _, ok := w.find(name); !ok {
		return nil, nil
	}
	b, err := w.readFile(w.fd, name, w.file(name), 0, limit)
	if absent(err) {
		return nil, nil
	}
	return b, err
}

// readFile reads a file below the directory at. It notes whether others could
// have read it. The content is not nil unless there is an error.
func (w *worker) readFile(at int, name, path string, flags, limit int) ([]byte, error) {
	fd, err := openat(at, name, unix.O_RDONLY|flags)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		return nil, unix.EISDIR
	default:
		if nullDevice(&st) {
			return []byte{}, nil
		}
		return nil, errNotRegular
	}
	w.note(&st, unix.S_IROTH, path)
	if limit < 0 && st.Size > maxFile {
		return nil, errTooLarge
	}
	if cap(w.content) > 1<<20 {
		w.content = nil // of a rare large file; it need not be kept for the small ones
	}
	b, err := readFD(fd, st.Size, limit, &w.content)
	if err == nil && b == nil {
		b = []byte{}
	}
	return b, err
}

// note keeps the path of the first file that others lack the right bits for.
func (w *worker) note(st *unix.Stat_t, bits uint32, path string) {
	w.noteWritable(st, path)
	if w.unreadable == "" && st.Mode&bits != bits {
		w.unreadable = path
	}
}

// cannot adds an error about a file that could not be read.
func (w *worker) cannot(code diag.Code, verb, name string, err error) *diag.Diagnostic {
	d := w.diags.Errorf(code, w.at(name), "cannot %s %s of %s: %s", verb, name, w.name, cause(err))
	d.System = system(err)
	return d
}

// errorf adds an error about a file as a whole.
func (w *worker) errorf(code diag.Code, name, format string, args ...any) *diag.Diagnostic {
	return w.diags.Errorf(code, w.at(name), "%s: %s", w.name, fmt.Sprintf(format, args...))
}

// lineOf returns a line (counted from 1) of a text, without its end.
func lineOf(text []byte, line int) string {
	for ; line > 1; line-- {
		_, text, _ = bytes.Cut(text, []byte{'\n'})
	}
	text, _, _ = bytes.Cut(text, []byte{'\n'})
	return string(bytes.TrimSuffix(text, []byte{'\r'}))
}

// show gives a diagnostic a place in a text, with the line that stands there and
// the number of its bytes that are at fault, as far as they are on this line. A
// line too long to be of use is left out.
func show(d *diag.Diagnostic, text []byte, line, column, width int) {
	const most = 400
	d.Pos.Line, d.Pos.Column = line, column
	if d.Excerpt = lineOf(text, line); len(d.Excerpt) > most {
		d.Excerpt = d.Excerpt[:most]
	}
	if column > len(d.Excerpt)+1 {
		d.Excerpt, d.Width = "", 0
		return
	}
	d.Width = max(0, min(width, len(d.Excerpt)-column+1))
}
