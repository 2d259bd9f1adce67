package live

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"strata/live/s6"
)

// SweepSlots removes what killed processes have left at these longruns and the internal
// ones: what they listened with, also to the journal, and links half switched.
func (d *Dir) SweepSlots(slots ...Slot) error {
	s6.SweepListeners(d.EventDir())
	for _, in := range Internals() {
		slots = append(slots, in.Slot)
	}
	var errs []error
	for _, slot := range slots {
		dir := d.Servicedir(slot)
		s6.SweepListeners(filepath.Join(dir, "event"))
		for _, name := range []string{"def", "template"} {
			path := filepath.Join(dir, tempOf(name))
			if _, err := os.Lstat(path); err == nil {
				errs = append(errs, removeTree(path))
			}
		}
	}
	return errors.Join(errs...)
}

// sweepTemporary removes what writers that were killed had begun to make, under names
// that begin with a dot, beside the files and links that they were going to replace.
func (w *Writer) sweepTemporary() error {
	var errs []error
	for _, dir := range []string{w.real, w.file("servicedirs")} {
		names, err := entryNames(dir)
		errs = append(errs, err)
		for _, name := range names {
			if strings.HasPrefix(name, ".") {
				errs = append(errs, removeTree(filepath.Join(dir, name)))
			}
		}
	}
	return errors.Join(errs...)
}

// entryNames lists a directory in any order, which takes less than in one.
func entryNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// tempOf is the name under which something is made that is then renamed.
func tempOf(name string) string { return "." + name + ".new" }
