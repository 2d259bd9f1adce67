package source

import (
	"bytes"

	"golang.org/x/sys/unix"

	"strata/internal/diag"
)

// readNames reads a list of names: the directory, if there is one, else the file.
// dir is empty for a list that can only be a file. It returns false if there is
// neither.
func (w *worker) readNames(field, dir, file string, refs *[]Ref) bool {
	if dir != "" {
		if given := w.readNamesDir(field, dir, refs); given {
			return true
		}
	}
	return w.readNamesFile(field, file, refs)
}

// readNamesDir reads a directory whose entries are the names. What kind of file
// an entry is does not matter.
func (w *worker) readNamesDir(field, dir string, refs *[]Ref) bool {
	if _, ok := w.find(dir); !ok {
		return false
	}
	fd, err := openDir(w.fd, dir)
	if absent(err) {
		return false
	}
	if err != nil {
		d := w.cannot("list-unreadable", "read", dir, err)
		if err == unix.ENOTDIR {
			d.Hint = "make it a directory that holds an empty file for each name, or call the file " + file(dir)
		}
		return true
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil {
		w.note(&st, unix.S_IROTH, w.file(dir))
	}
	entries, err := list(fd, w.names, false)
	if err != nil {
		w.cannot("list-unreadable", "read", dir, err)
		return true
	}
	w.def.FieldPos[field] = w.at(dir)
	base := w.file(dir) + "/"
	*refs = make([]Ref, 0, len(entries))
	for _, e := range entries {
		path := base + e.name
		name := path[len(base):] // shares the path's memory
		w.addRef(refs, dir, Ref{name, diag.Position{File: path}}, "")
	}
	return true
}

// file returns the name of the file that a .d directory stands for.
func file(dir string) string { return dir[:len(dir)-len(".d")] }

// readNamesFile reads a file with one name a line. A line whose first character
// is # is a comment; blanks count as part of the name, except leading ones.
func (w *worker) readNamesFile(field, name string, refs *[]Ref) bool {
	b, err := w.get(name, -1)
	if err != nil {
		w.cannot("list-unreadable", "read", name, err)
		return true
	}
	if b == nil {
		return false
	}
	w.def.FieldPos[field] = w.at(name)
	path := w.file(name)
	for line := 1; len(b) > 0; line++ {
		text, rest, _ := bytes.Cut(b, []byte{'\n'})
		b = rest
		text, _, _ = bytes.Cut(text, []byte{0})
		ref := bytes.TrimLeft(text, " \t")
		if len(ref) == 0 || ref[0] == '#' {
			continue
		}
		pos := diag.Position{File: path, Line: line, Column: 1 + len(text) - len(ref)}
		w.addRef(refs, name, Ref{string(ref), pos}, string(text))
	}
	return true
}

// addRef adds a name to a list, if it is a good one and not there already.
func (w *worker) addRef(refs *[]Ref, file string, ref Ref, line string) {
	say := func(d *diag.Diagnostic) *diag.Diagnostic {
		if line != "" {
			column := d.Pos.Column
			show(d, []byte(line), 1, column, len(ref.Name))
			d.Pos = ref.Pos
		}
		return d
	}
	if p := reservedPrefix(ref.Name); p != "" {
		d := say(w.diags.Errorf("reserved-prefix", ref.Pos, "%s: %s in %s: a name must not begin with %s", w.name, ref.Name, file, p))
		d.Hint = "the tools add what they need by themselves"
		return
	}
	if n := len(ref.Name); ref.Name[n-1] == '\r' {
		say(w.diags.Warnf("crlf", ref.Pos, "%s: a name in %s ends with a carriage return", w.name, file)).
			Hint = "it counts as a part of the name: save the file with Unix line ends"
	}
	for _, r := range *refs {
		if r.Name == ref.Name {
			say(w.diags.Warnf("listed-twice", ref.Pos, "%s: %s is listed more than once in %s", w.name, ref.Name, file))
			return
		}
	}
	*refs = append(*refs, ref)
}
