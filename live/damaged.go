package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"strata/compile/db"
	"strata/live/s6"
)

// OpenDamaged opens a live directory that [Open] does not: one of another release,
// or one whose format, scandir or prefix cannot be read. What is not known of these
// is empty. It is for stopping what runs there: with [Dir.Hold], [Dir.StopOrder],
// [Dir.Supervised] and what else can be read. [Dir.Lock] refuses it. The error wraps
// [ErrNoLive] if there is no live directory at all.
func OpenDamaged(path string) (*Dir, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open live directory %s: %w", path, ErrNoLive)
	}
	if !looksLive(real) {
		return nil, fmt.Errorf("cannot open live directory %s: %w", path, ErrNoLive)
	}
	return openDamaged(path, real), nil
}

func openDamaged(path, real string) *Dir {
	d := &Dir{path: path, real: real, damaged: true}
	scandir, err := os.Readlink(filepath.Join(real, "scandir"))
	if err == nil && checkNames(scandir, "") == nil {
		d.scandir = scandir
	}
	prefix, err := os.ReadFile(filepath.Join(real, "prefix"))
	if err == nil && checkNames("/", string(prefix)) == nil {
		d.prefix = string(prefix)
	}
	return d
}

// looksLive reports whether a directory is a live directory, damaged or not.
func looksLive(real string) bool {
	if info, err := os.Stat(filepath.Join(real, "sv")); err != nil || !info.IsDir() {
		return false
	}
	format, err := os.ReadFile(filepath.Join(real, "format"))
	if err == nil && strings.HasPrefix(string(format), formatName) {
		return true
	}
	for _, name := range []string{"stop-order", "journal"} {
		if info, err := os.Lstat(filepath.Join(real, name)); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}

// Supervised gives all longruns of the directory, internal ones apart, that have a
// supervisor. The name of one to which no name leads is "slot" and its number.
func (d *Dir) Supervised() ([]Named, error) {
	names := d.slotNames()
	entries, err := os.ReadDir(d.file("sv"))
	if err != nil {
		return nil, fmt.Errorf("cannot look for services: %w", err)
	}
	var list []Named
	for _, e := range entries {
		slot, ok := parseSlot(e.Name())
		if !ok || slot == RunnerSlot || slot == HolderSlot {
			continue
		}
		if up, err := s6.Supervised(d.Servicedir(slot)); err != nil || !up {
			continue
		}
		name, ok := names[slot]
		if !ok {
			name = "slot " + slotName(slot)
		}
		list = append(list, Named{name, slot})
	}
	return list, nil
}

// slotNames gives the names of slots by the links in servicedirs.
func (d *Dir) slotNames() map[Slot]string {
	names := make(map[Slot]string)
	entries, _ := os.ReadDir(d.file("servicedirs"))
	for _, e := range entries {
		target, err := os.Readlink(d.NamePath(e.Name()))
		if err != nil {
			continue
		}
		if slot, ok := parseSlot(filepath.Base(target)); ok {
			names[slot] = e.Name()
		}
	}
	return names
}

// MarkStopped leaves the file stopped, which says that all was stopped in a
// directory whose journal cannot be used: nothing can be started in it any more. It
// is for the holder of the lock.
func (d *Dir) MarkStopped() error {
	if err := writeText(d.file("stopped"), ""); err != nil {
		return fmt.Errorf("cannot note that everything is down: %w", err)
	}
	return nil
}

// Stopped reports whether [Dir.MarkStopped] was called and nothing was started
// since. Longruns may run all the same: s6 knows.
func (d *Dir) Stopped() bool {
	_, err := os.Lstat(d.file("stopped"))
	return err == nil
}

// unmarkStopped is for who may start something again.
func (d *Dir) unmarkStopped() error { return removeIfThere(d.file("stopped")) }

// stoppedAll reports whether everything was stopped and no longrun runs.
func (d *Dir) stoppedAll() bool {
	running, err := d.Supervised()
	return err == nil && d.Stopped() && !slices.ContainsFunc(running, func(n Named) bool { return d.Runs(n.Slot) })
}

// lacksDatabase reports whether the copy of a database is missing or damaged.
func lacksDatabase(d *Dir, content db.Digest) bool {
	base, err := d.OpenDatabase(content)
	if err == nil {
		_ = base.Close() // only a map is given back
	}
	return errors.Is(err, ErrCorrupt) || errors.Is(err, db.ErrCorrupt) || errors.Is(err, db.ErrFormat)
}

// restoreDatabase replaces the copy of the database by one of the same content.
func (in *initer) restoreDatabase(ctx context.Context, d *Dir) error {
	w, err := d.Lock(ctx, in.Block)
	if err != nil {
		return err
	}
	in.warn("the database in %s is damaged: replacing it", d.path)
	_, _, err = db.Copy(in.DB, w.file("db"))
	return errors.Join(err, w.Close())
}
