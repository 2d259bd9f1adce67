package live

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/live/journal"
	"strata/live/s6"
)

// AddDB takes a verified copy of the database at src, a file or a directory with
// a file db, into the live directory, and opens it. The caller closes it. If src says
// that it is the file that the current database was copied from, byte by byte, it is
// not read any further.
func (w *Writer) AddDB(src string) (*db.DB, error) {
	d, err := w.TakeDB(src)
	if err != nil {
		return nil, err
	}
	if err := d.Keep(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d.DB, nil
}

// TakeDB begins [Writer.AddDB], for who has the lock: the copy can be read while it is
// checked, is to be kept or not, and closed. What is as in the current database, which was
// checked when it was taken, takes less time to check.
func (d *Dir) TakeDB(src string) (*db.Draft, error) {
	current := d.current()
	if own := d.own(src, current); own != nil {
		return db.Kept(own), nil
	}
	return db.Take(src, d.file("db"), d.DatabasePath(current))
}

// PreviewDB opens the database at src as [Writer.AddDB] does, but changes nothing: it is
// read where it is. current is the content of the current database.
func (d *Dir) PreviewDB(src string, current db.Digest) (*db.DB, error) {
	if own := d.own(src, current); own != nil {
		return own, nil
	}
	return db.Open(src)
}

// own opens our copy of the database at src if that is the current one. If not, or if
// our copy is damaged, it is nil.
func (d *Dir) own(src string, current db.Digest) *db.DB {
	claim, err := db.Claim(src)
	if err != nil || claim.Content != current {
		return nil // who opens src will say what is wrong with it
	}
	own, err := d.OpenDatabase(current)
	if err != nil {
		return nil
	}
	if own.File() != claim.File {
		_ = own.Close() // only a map is given back
		return nil
	}
	return own
}

// NewTable gives the services of a database slots: same says which slot a service
// keeps, because it was there under this or another name; all others get slots
// that were never given. next is the lowest slot not given then; the journal has
// to learn both ([journal.PatchBegin], [journal.Switch]).
func (w *Writer) NewTable(d *db.DB, same func(db.ServiceID) (Slot, bool)) (t journal.Table, next Slot) {
	t = make(journal.Table, d.Len())
	for i := range t {
		id := db.ServiceID(i)
		slot, ok := same(id)
		if !ok {
			slot = w.next
			w.next++
		}
		t[i] = journal.Entry{Slot: slot, Name: d.Name(id), Type: d.Type(id)}
	}
	return t, w.next
}

// SwitchCompiled makes the link compiled point to the copy with this content. It
// is the moment of an update after which the new database counts; the journal's
// [journal.Switch] goes before it.
func (w *Writer) SwitchCompiled(content db.Digest) error {
	if err := replaceLink(compiledTarget(content), w.file("compiled")); err != nil {
		return fmt.Errorf("cannot switch database: %w", err)
	}
	return w.settle()
}

// current is the content of the current database by the link compiled, zero if that
// leads nowhere.
func (d *Dir) current() (content db.Digest) {
	target, err := os.Readlink(d.file("compiled"))
	name, ok := strings.CutSuffix(filepath.Base(target), ".db")
	if err != nil || !ok {
		return content
	}
	content, err = db.ParseDigest(name)
	if err != nil {
		return db.Digest{}
	}
	return content
}

func compiledTarget(content db.Digest) string { return "db/" + content.String() + ".db" }

// Databases gives the contents of the databases that the directory has copies of: the
// current one, and during a patch the one before or the one after too.
func (d *Dir) Databases() ([]db.Digest, error) {
	entries, err := os.ReadDir(d.file("db"))
	if err != nil {
		return nil, fmt.Errorf("cannot find the databases in use: %w", err)
	}
	var out []db.Digest
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".db"); ok {
			if content, err := db.ParseDigest(name); err == nil {
				out = append(out, content)
			}
		}
	}
	return out, nil
}

// Sweep removes what nothing needs any more: databases that are not in use, slots
// that are in no table and the names of their services, definitions other than the ones
// that count or that something was started with, and what killed writers had begun to
// make. It is to be called when no patch is under way, and else does nothing.
func (w *Writer) Sweep() error {
	j := w.Head()
	if j.Patch != nil {
		return nil
	}
	known := make(map[Slot]bool)
	for _, in := range Internals() {
		known[in.Slot] = true
	}
	for _, e := range j.Table {
		known[e.Slot] = true
	}
	v, err := w.View(j.Content, j.Table)
	if err == nil {
		defer v.DB.Close()
		err = spread(len(v.Table), func(i int) error { return w.sweepDefinitions(v, db.ServiceID(i)) })
	}
	err = errors.Join(err, w.sweepDatabases(j.Content), w.sweepNames(j.Table, known), w.sweepSlots(known), w.sweepTemporary())
	if err != nil {
		return err // who sweeps next sees by the patches that there is more
	}
	return w.sweepPatches()
}

// SweepPatch is [Writer.Sweep] at the end of the patch with this digest, of which all
// was done at the first try, for the services v that it named. With thousands of others
// that saves looking at them, unless an earlier patch has left something.
func (w *Writer) SweepPatch(patch db.Digest, v View, services []db.ServiceID) error {
	if kept, err := entryNames(w.file("patches")); err != nil || len(kept) != 1 || kept[0] != filepath.Base(w.patchPath(patch)) {
		return w.Sweep()
	}
	errs := []error{w.sweepDatabases(v.DB.Content()), w.sweepTemporary()}
	for _, id := range services {
		errs = append(errs, w.sweepDefinitions(v, id))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return w.sweepPatches()
}

func (w *Writer) sweepDatabases(content db.Digest) error {
	entries, err := os.ReadDir(w.file("db"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != content.String()+".db" {
			err = errors.Join(err, os.Remove(filepath.Join(w.file("db"), e.Name())))
		}
	}
	return err
}

func (w *Writer) sweepSlots(known map[Slot]bool) error {
	var errs []error
	for _, dir := range []string{"sv", "defs"} {
		entries, err := os.ReadDir(w.file(dir))
		errs = append(errs, err)
		for _, e := range entries {
			remove := false
			switch slot, ok := parseSlot(e.Name()); {
			case !ok:
				remove = strings.HasPrefix(e.Name(), ".")
			case !known[slot]:
				up, err := s6.Supervised(w.Servicedir(slot))
				remove = err == nil && !up
			}
			if remove {
				errs = append(errs, removeTree(filepath.Join(w.file(dir), e.Name())))
			}
		}
	}
	return errors.Join(errs...)
}

// sweepDefinitions removes definitions of a service of the current database.
func (w *Writer) sweepDefinitions(v View, id db.ServiceID) error {
	e := v.Table[id]
	dir := filepath.Join(w.file("defs"), slotName(e.Slot))
	if fewDirectories(dir) {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) < 2 {
		return nil
	}
	errs := []error{err}
	keep := map[string]bool{v.Definition(id).String(): true, w.Known(e.Slot).Def.String(): true}
	if e.Type == db.Longrun {
		linked, err := w.linkedDefinition(e.Slot)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		keep[linked.String()] = true
	}
	for _, entry := range entries {
		if !keep[entry.Name()] {
			errs = append(errs, removeTree(filepath.Join(dir, entry.Name())))
		}
	}
	return errors.Join(errs...)
}

// fewDirectories says that there is at most one directory in dir, or no dir, if the file
// system counts them, as a tmpfs does: to look costs less than to read thousands.
func fewDirectories(dir string) bool {
	var st unix.Stat_t
	switch unix.Lstat(dir, &st) {
	case nil:
		return st.Nlink == 2 || st.Nlink == 3 // its own two, and one for each
	case unix.ENOENT:
		return true
	}
	return false
}
