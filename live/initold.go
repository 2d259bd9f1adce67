package live

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"strata/compile/db"
	"strata/live/journal"
	"strata/live/s6"
)

// useExisting looks at what is there. If that is a live directory in use it is
// completed, and done is true. What is left of an earlier life is removed, and so is
// a directory with a half-applied patch in which nothing is up.
func (in *initer) useExisting(ctx context.Context, content db.Digest) (r InitResult, done bool, err error) {
	current, err := in.current()
	if err != nil {
		return r, false, err
	}
	if current == nil {
		return r, false, in.removeRemains(ctx, "")
	}
	if err := in.matches(current); err != nil {
		return r, false, err
	}
	current.noDatabase = current.broken == nil && lacksDatabase(current.dir, current.journal.Head().Content)
	if dropped, err := in.dropDead(ctx, current); dropped || err != nil {
		return r, false, err
	}
	if current.broken != nil {
		return r, false, current.broken
	}
	d, j := current.dir, current.journal.Head()
	switch {
	case j.Content == content:
	case j.Patch != nil:
		return r, false, fmt.Errorf("%w, with another database than %s, and %w", ErrMismatch, in.DB, ErrHalfApplied)
	default:
		return r, false, fmt.Errorf("%w: it uses a database with another content than %s: an update goes from one to the other", ErrMismatch, in.DB)
	}
	if err := in.removeRemains(ctx, d.real); err != nil {
		return r, false, err
	}
	if current.lost {
		if err := replaceLink(filepath.Base(d.real), in.live()); err != nil {
			return r, false, err
		}
	}
	r = InitResult{Real: d.real, Existing: true, Patched: j.Patch != nil}
	if r.Patched {
		return r, true, nil
	}
	if current.noDatabase {
		if err := in.restoreDatabase(ctx, d); err != nil {
			return r, false, err
		}
	}
	return r, true, in.complete(ctx, d)
}

// matches refuses a directory in use that is for something else.
func (in *initer) matches(f *found) error {
	switch d := f.dir; {
	case f.broken != nil && d.scandir == "":
		return nil
	case d.scandir != in.Scandir:
		return fmt.Errorf("%w: it uses scandir %s and not %s", ErrMismatch, d.scandir, in.Scandir)
	case d.prefix != in.Prefix:
		return fmt.Errorf("%w: it uses prefix %q and not %q", ErrMismatch, d.prefix, in.Prefix)
	}
	return nil
}

// found is a live directory in use.
type found struct {
	dir     *Dir
	journal *journal.Folder
	lost    bool // the link to it is missing
	// broken says why neither the journal nor anything that depends on it can be
	// used. noDatabase is set if the copy of the database cannot.
	broken     error
	noDatabase bool
}

// current finds the live directory in use: the one that the link points to, or one
// beside whose link was lost. It is nil if there is none, and an error if something
// else is in the way.
func (in *initer) current() (*found, error) {
	target, err := in.target()
	if err != nil {
		return nil, err
	}
	if target != "" {
		f, err := in.inUse(target)
		if f != nil || err != nil {
			return f, err
		}
	}
	siblings, err := in.siblings()
	if err != nil {
		return nil, err
	}
	for _, real := range siblings {
		if real == target {
			continue
		}
		f, err := in.inUse(real)
		if err != nil {
			return nil, err
		}
		// A directory that was only being built has no supervisor.
		if f != nil && len(supervised(f.dir.real)) > 0 {
			f.lost = true
			return f, nil
		}
	}
	return nil, nil
}

// target is the real directory that the link points to, or empty if there is none.
func (in *initer) target() (string, error) {
	info, err := os.Lstat(in.live())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case info.IsDir():
		if os.Remove(in.live()) == nil {
			return "", nil // it was empty
		}
		return "", errors.New("a directory is there that is not a live directory: remove it")
	case info.Mode()&fs.ModeSymlink == 0:
		return "", errors.New("a file is there that is not a live directory: remove it")
	}
	target, err := os.Readlink(in.live())
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(target, in.realPrefix()) || strings.Contains(target, "/") {
		return "", fmt.Errorf("a link to %s is there that is not to a live directory: remove it", target)
	}
	real := filepath.Join(in.parent, target)
	if _, err = os.Lstat(real); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err == nil && !ours(real) {
		err = fmt.Errorf("a link to %s is there that is not a live directory of this kind: remove it", target)
	}
	return real, err
}

// ours reports whether a real directory was made by Init, whole or not: format is
// the first thing in it. It may have been lost since.
func ours(real string) bool {
	format, err := os.ReadFile(filepath.Join(real, "format"))
	if err == nil && strings.HasPrefix(string(format), formatName) || looksLive(real) {
		return true
	}
	if err == nil {
		return false
	}
	info, err := os.Lstat(real)
	if err != nil || !info.IsDir() {
		return false
	}
	entries, err := os.ReadDir(real)
	return err == nil && len(entries) == 0
}

// siblings are our real directories beside the link.
func (in *initer) siblings() ([]string, error) {
	entries, err := os.ReadDir(in.parent)
	var list []string
	for _, e := range entries {
		real := filepath.Join(in.parent, e.Name())
		if strings.HasPrefix(e.Name(), in.realPrefix()) && e.IsDir() && ours(real) {
			list = append(list, real)
		}
	}
	return list, err
}

// inUse looks at a real directory. The result is nil if it is of an earlier life,
// or was never completed.
func (in *initer) inUse(real string) (*found, error) {
	d, err := openReal(in.live(), real)
	var known *journal.Folder
	if err == nil {
		last := d.summarySeq() // a writer goes on meanwhile
		if known, err = journal.Load(d.JournalPath()); err == nil {
			err = endsAt(known.Head().Seq, last)
		}
	}
	if err != nil {
		if running := supervised(real); len(running) == 0 {
			return nil, nil
		}
		err = fmt.Errorf("%w: supervisors are running in %s, and %w; first stop everything with rc-ctl change -D -a", ErrCorrupt, real, err)
		return &found{dir: openDamaged(in.live(), real), broken: err}, nil
	}
	err = d.CheckEpoch(known.Head().Epoch)
	if errors.Is(err, ErrStale) || errors.Is(err, s6.ErrNotRunning) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &found{dir: d, journal: known}, nil
}

// supervised gives the service directories of a real directory on which a
// supervisor is running.
func supervised(real string) []string {
	entries, _ := os.ReadDir(filepath.Join(real, "sv"))
	var list []string
	for _, e := range entries {
		dir := filepath.Join(real, "sv", e.Name())
		if up, err := s6.Supervised(dir); err == nil && up {
			list = append(list, dir)
		}
	}
	return list
}

// complete brings up the supervisors that are missing in a directory in use.
func (in *initer) complete(ctx context.Context, d *Dir) error {
	j, missing, err := in.missing(d)
	if err != nil || len(missing) == 0 {
		return err
	}
	w, err := d.Lock(ctx, in.Block)
	if err != nil {
		return err
	}
	defer w.Close()
	if j, missing, err = in.missing(d); err != nil || len(missing) == 0 {
		return err
	}
	v, err := d.View(j.Content, j.Table)
	if err != nil {
		return err
	}
	defer v.DB.Close()
	slots := make(map[Slot]bool)
	for _, n := range missing {
		slots[n.Slot] = true
	}
	for i, e := range j.Table {
		if !slots[e.Slot] {
			continue
		}
		if err := w.MakeServicedir(v, db.ServiceID(i)); err != nil {
			return err
		}
		if err := w.LinkName(Named{e.Name, e.Slot}); err != nil {
			return err
		}
	}
	if err := w.UpdateInternals(in.Program); err != nil {
		return err
	}
	return in.supervise(ctx, d, missing)
}

// missing gives the longruns without a supervisor.
func (in *initer) missing(d *Dir) (journal.State, []Named, error) {
	known, err := journal.Load(d.JournalPath())
	if err != nil {
		return journal.State{}, nil, err
	}
	j := known.Head()
	var list []Named
	for _, n := range longruns(j.Table) {
		up, err := s6.Supervised(d.Servicedir(n.Slot))
		if err != nil {
			return j, nil, err
		}
		if !up {
			list = append(list, n)
		}
	}
	return j, list, nil
}
