package live

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"strata/live/s6"
)

// Named is a longrun by name and slot.
type Named struct {
	Name string
	Slot Slot
}

// entry is the longrun in the scandir.
func (d *Dir) entry(n Named) s6.Entry {
	return s6.Entry{Name: d.prefix + n.Name, Dir: d.Servicedir(n.Slot)}
}

func (d *Dir) entries(list []Named) []s6.Entry {
	entries := make([]s6.Entry, len(list))
	for i, n := range list {
		entries[i] = d.entry(n)
	}
	return entries
}

// NamePath is the link servicedirs/NAME to a longrun's service directory.
func (d *Dir) NamePath(name string) string { return filepath.Join(d.real, "servicedirs", name) }

// NameOwner gives the slot that servicedirs/NAME leads to; known is false if there
// is no such link.
func (d *Dir) NameOwner(name string) (owner Slot, known bool) {
	target, err := os.Readlink(d.NamePath(name))
	if err != nil {
		return 0, false
	}
	return parseSlot(filepath.Base(target))
}

// LinkName makes servicedirs/NAME a link to the slot.
func (w *Writer) LinkName(n Named) error { return linkName(w.Dir, n) }

func linkName(d *Dir, n Named) error {
	if err := checkName(n.Name); err != nil {
		return err
	}
	return replaceLink("../sv/"+slotName(n.Slot), d.NamePath(n.Name))
}

// checkName refuses a name that would be a path.
func checkName(name string) error {
	if name == "" || name[0] == '.' || filepath.Base(name) != name {
		return fmt.Errorf("%w: %q cannot be the name of a service", ErrCorrupt, name)
	}
	return nil
}

// UnlinkName removes servicedirs/NAME. It is no error if there is none.
func (w *Writer) UnlinkName(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return removeIfThere(w.NamePath(name))
}

// settle lets s6-svscan see names that were changed, so that it uses the new ones
// when it has to start a supervisor again. It is done once after many changes: a
// name that vanishes under a look of s6-svscan 2.15 delays it for seconds.
func (w *Writer) settle() error {
	if !w.renamed {
		return nil
	}
	err := s6.Svscan{Dir: w.scandir}.Rescan()
	if err == nil || errors.Is(err, s6.ErrNotRunning) {
		w.renamed = false
		return nil // without one there is nobody to see them
	}
	return err
}

// Supervise links longruns, whose service directories are complete, into the
// scandir, and waits until each has its supervisor. They stay down. What is
// linked, or has its supervisor, is fine. On error what this call linked is taken
// back.
func (w *Writer) Supervise(ctx context.Context, list []Named) error {
	if err := s6.Link(ctx, w.scandir, w.entries(list), s6.DefaultStall); err != nil {
		return err
	}
	return w.settle()
}

// Unsupervise takes longruns out of the scandir and waits until their supervisors
// are gone, which ends what still runs: see [s6.Unlink].
func (w *Writer) Unsupervise(ctx context.Context, list []Named) error {
	if err := s6.Unlink(ctx, w.scandir, w.entries(list)); err != nil {
		return err
	}
	return w.settle()
}

// RemoveSlot removes service directory and definitions of a service that is no
// longer supervised.
func (w *Writer) RemoveSlot(s Slot) error {
	if up, err := s6.Supervised(w.Servicedir(s)); err != nil || up {
		if err == nil {
			err = errors.New("a supervisor is running on it")
		}
		return fmt.Errorf("cannot remove %s: %w", w.Servicedir(s), err)
	}
	if err := errors.Join(removeTree(w.Servicedir(s)), removeTree(filepath.Join(w.file("defs"), slotName(s)))); err != nil {
		return fmt.Errorf("cannot remove %s: %w", w.Servicedir(s), err)
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
