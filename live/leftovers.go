package live

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"strata/compile/db"
	"strata/live/journal"
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

// sweepPatience is how long it is waited for what still runs under a name that an update
// could not remove.
const sweepPatience = 10 * time.Second

// sweepNames removes links to slots that are not known: an update could not remove
// them. The scandir comes first, since s6-svscan must not meet a link to nothing.
func (w *Writer) sweepNames(t journal.Table, known map[Slot]bool) error {
	used := make(map[string]bool, len(t))
	for _, in := range Internals() {
		used[in.Name] = true
	}
	for _, e := range t {
		used[e.Name] = used[e.Name] || e.Type == db.Longrun
	}
	scan, err := w.strayNames(w.scandir, w.prefix, used, known)
	if err == nil && len(scan) > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), sweepPatience)
		defer cancel()
		err = w.Unsupervise(ctx, scan)
	}
	linked, linkedErr := w.strayNames(w.file("servicedirs"), "", used, known)
	errs := []error{err, linkedErr}
	for _, n := range linked {
		errs = append(errs, w.UnlinkName(n.Name))
	}
	return errors.Join(errs...)
}

// strayNames are the links in dir, under names with a prefix that are not used, to slots
// of ours that are not known.
func (w *Writer) strayNames(dir, prefix string, used map[string]bool, known map[Slot]bool) ([]Named, error) {
	entries, err := entryNames(dir)
	var stray []Named
	for _, entry := range entries {
		name, ours := strings.CutPrefix(entry, prefix)
		if !ours || used[name] || strings.HasPrefix(entry, ".") {
			continue
		}
		target, err := os.Readlink(filepath.Join(dir, entry))
		slot, ok := parseSlot(filepath.Base(target))
		if err == nil && ok && !known[slot] && (target == w.Servicedir(slot) || target == "../sv/"+slotName(slot)) {
			stray = append(stray, Named{Name: name, Slot: slot})
		}
	}
	return stray, err
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
