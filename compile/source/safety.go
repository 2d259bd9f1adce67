package source

import "golang.org/x/sys/unix"

// Writable is a file or directory of a source that others than root and the
// caller can write to.
type Writable struct {
	// Path is the first one in the order of definitions, or the source directory;
	// By is who can, in words.
	Path, By string
	// Source is the index of the source, Definitions how many of its definitions
	// have such a file.
	Source, Definitions int
}

// noteWritable keeps the first file of a definition that others can write to.
func (w *worker) noteWritable(st *unix.Stat_t, path string) {
	if w.writable.Path != "" {
		return
	}
	if by := w.others.By(st.Uid, st.Gid, st.Mode); by != "" {
		w.writable = Writable{Path: path, By: by, Source: w.src.index, Definitions: 1}
	}
}

// addWritable adds what was found in a definition, or of a source directory, to
// what is known of the source. Of one source the first is kept, or the directory
// itself.
func (s *Set) addWritable(found Writable) {
	if found.Path == "" {
		return
	}
	for i := range s.Writable {
		if known := &s.Writable[i]; known.Source == found.Source {
			if found.Definitions == 0 {
				known.Path, known.By = found.Path, found.By
			}
			known.Definitions += found.Definitions
			return
		}
	}
	s.Writable = append(s.Writable, found)
}
