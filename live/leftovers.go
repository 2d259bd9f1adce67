package live

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"strata/live/s6"
)

// SweepListeners removes what killed processes have left with which they listened to
// these longruns, to the internal ones and to the journal.
func (d *Dir) SweepListeners(slots ...Slot) {
	s6.SweepListeners(d.EventDir())
	for _, in := range Internals() {
		slots = append(slots, in.Slot)
	}
	for _, slot := range slots {
		s6.SweepListeners(filepath.Join(d.Servicedir(slot), "event"))
	}
}

// sweepTemporary removes what writers that were killed had begun to make, under names
// that begin with a dot, beside the files and links that they were going to replace.
func (w *Writer) sweepTemporary() error {
	var errs []error
	for _, dir := range []string{w.real, w.file("servicedirs")} {
		entries, err := os.ReadDir(dir)
		errs = append(errs, err)
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				errs = append(errs, removeTree(filepath.Join(dir, e.Name())))
			}
		}
	}
	sv, err := os.ReadDir(w.file("sv"))
	errs = append(errs, err)
	for _, e := range sv {
		for _, name := range []string{tempOf("def"), tempOf("template")} {
			path := filepath.Join(w.file("sv"), e.Name(), name)
			if _, err := os.Lstat(path); err == nil {
				errs = append(errs, removeTree(path))
			}
		}
	}
	return errors.Join(errs...)
}

// tempOf is the name under which something is made that is then renamed.
func tempOf(name string) string { return "." + name + ".new" }
