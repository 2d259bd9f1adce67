package generation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/internal/atomicfs"
	"strata/internal/failpoint"
)

// ErrStore says that something in a store is not what it should be.
var ErrStore = errors.New("not a valid store of generations")

// Format is the format of the file generations.
const Format = "strata-generations/1"

// Names in a store.
const (
	currentName = "current"
	historyName = "generations"
	lockName    = ".lock"
	nextName    = ".current.new"
	suffix      = ".db"
)

// Store is a directory of generations.
type Store struct {
	Path string
	// Hooks are for tests.
	Hooks failpoint.Hooks
}

// State is what is in a store.
type State struct {
	History History
	Files   []db.Digest // sorted
	// Link is what current leads to, empty if there is none, and Current the
	// generation that it names, which need not be there; zero if it names none.
	Link    string
	Current db.Digest
}

// File is where a generation is kept.
func (s Store) File(content db.Digest) string { return filepath.Join(s.Path, fileName(content)) }

func fileName(content db.Digest) string { return content.String() + suffix }

func (s Store) file(name string) string { return filepath.Join(s.Path, name) }

func (s Store) failed(verb string, err error) error {
	return fmt.Errorf("cannot %s store %s: %w", verb, s.Path, atomicfs.Cause(err))
}

// Read looks at a store, without a lock: everything in it is replaced atomically. The
// error wraps [fs.ErrNotExist] if there is none, or [ErrStore].
func (s Store) Read() (*State, error) {
	entries, err := os.ReadDir(s.Path)
	if err != nil {
		return nil, s.failed("read", err)
	}
	st := new(State)
	for _, e := range entries {
		if d, ok := parseName(e.Name()); ok && !e.IsDir() {
			st.Files = append(st.Files, d)
		}
	}
	if err := st.readLink(s); err != nil {
		return nil, s.failed("read", err)
	}
	if st.History, err = readHistory(s.file(historyName)); err != nil {
		return nil, s.failed("read", err)
	}
	return st, nil
}

// parseName reads the name of a generation's file.
func parseName(name string) (db.Digest, bool) {
	text, ok := strings.CutSuffix(name, suffix)
	if !ok {
		return db.Digest{}, false
	}
	d, err := db.ParseDigest(text)
	return d, err == nil && fileName(d) == name
}

// target is the generation that a link in the store names, zero if it names none.
func (s Store) target(link string) db.Digest {
	var d db.Digest
	if dir := filepath.Dir(link); dir == "." || dir == filepath.Clean(s.Path) {
		d, _ = parseName(filepath.Base(link))
	}
	return d
}

func (st *State) readLink(s Store) error {
	link, err := os.Readlink(s.file(currentName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w: %s is there and no link to a generation", ErrStore, currentName)
	case err != nil:
		return err
	}
	st.Link = link
	st.Current = s.target(link)
	return nil
}

// historyFile is the file generations.
type historyFile struct {
	Format      string  `json:"format"`
	Generations History `json:"generations"`
}

func readHistory(path string) (History, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseHistory(text)
}

func parseHistory(text []byte) (History, error) {
	var f historyFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("%w: its file %s: %w", ErrStore, historyName, err)
	}
	if f.Format != Format {
		return nil, fmt.Errorf("%w: its file %s has the format %q, this release reads %q", ErrStore, historyName, f.Format, Format)
	}
	for i, e := range f.Generations {
		if f.Generations.position(e.Content) != i {
			return nil, fmt.Errorf("%w: its file %s has %s twice", ErrStore, historyName, e.Content.Short())
		}
	}
	return f.Generations, nil
}

// record writes the history, unless it is as it was.
func (s Store) record(was, h History) error {
	if slices.Equal(was, h) {
		return nil
	}
	if err := s.Hooks.Hit("store-record"); err != nil {
		return err
	}
	text, err := json.MarshalIndent(historyFile{Format, h}, "", "  ")
	if err != nil {
		return err
	}
	return atomicfs.WriteFile(s.file(historyName), 0o644, func(f *os.File) error {
		_, err := f.Write(append(text, '\n'))
		return atomicfs.Cause(err)
	})
}

// locked does something with the store that nobody else changes meanwhile, after
// removing what was left by those who were killed. It waits for others, who are not
// long.
func (s Store) locked(do func(*State) error) error {
	// It can be opened by the owner alone, so that nobody else can keep others out.
	f, err := os.OpenFile(s.file(lockName), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return s.failed("change", err)
	}
	defer f.Close()
	for err = unix.EINTR; errors.Is(err, unix.EINTR); {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
	}
	if err == nil {
		// A child that is being forked has the descriptor too, until its exec.
		defer func() { _ = unix.Flock(int(f.Fd()), unix.LOCK_UN) }()
		err = s.sweep()
	}
	if err != nil {
		return s.failed("change", err)
	}
	st, err := s.Read()
	if err != nil {
		return err
	}
	return do(st)
}

// sweep removes temporary files.
func (s Store) sweep() error {
	var errs []error
	for _, pattern := range []string{".new-*", "." + historyName + ".new-*"} {
		left, err := filepath.Glob(filepath.Join(escapeGlob(s.Path), pattern))
		errs = append(errs, err)
		for _, path := range left {
			errs = append(errs, os.Remove(path))
		}
	}
	return errors.Join(errs...)
}

// escapeGlob makes a pattern that matches a path alone.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// Open opens a generation, checked whole. The error wraps [ErrStore] if it is another
// database than its name says.
func (s Store) Open(content db.Digest) (*db.DB, error) {
	d, err := db.Open(s.File(content))
	if err != nil {
		return nil, err
	}
	if d.Content() != content {
		err := fmt.Errorf("cannot use generation %s: %w: it holds the database %s", s.File(content), ErrStore, d.Content().Short())
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// keep puts a database into the store, if it is not there with every byte.
func (s Store) keep(d *db.DB) error {
	if there, err := s.Open(d.Content()); err == nil {
		same := there.File() == d.File()
		if err := there.Close(); err != nil || same {
			return err
		}
	}
	if err := s.Hooks.Hit("store-install"); err != nil {
		return err
	}
	info, _, err := db.Install(d.Path(), s.Path)
	if err == nil && info.Content != d.Content() {
		err = fmt.Errorf("cannot install %s: it was replaced meanwhile", d.Path())
	}
	return err
}

// layNext makes the link that is going to be current.
func (s Store) layNext(target string) error {
	next := s.file(nextName)
	if old, err := os.Readlink(next); err == nil && old == target {
		return nil
	}
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(target, next)
}

// link makes current lead to a target by one rename.
func (s Store) link(target string) error {
	if err := s.Hooks.Hit("store-link"); err != nil {
		return err
	}
	if err := s.layNext(target); err != nil {
		return err
	}
	if err := s.Hooks.Hit("store-switch"); err != nil {
		return err
	}
	if err := os.Rename(s.file(nextName), s.file(currentName)); err != nil {
		return err
	}
	return atomicfs.SyncDir(s.Path)
}

// Collect removes generations until at most keep are left, and gives those that it has
// removed: see [History.Surplus].
func (s Store) Collect(needed []db.Digest, keep int) (removed []db.Digest, err error) {
	err = s.locked(func(st *State) error {
		surplus := st.History.Surplus(st.Files, st.Current, needed, keep)
		if len(surplus) == 0 {
			return nil
		}
		left := slices.DeleteFunc(slices.Clone(st.Files), func(d db.Digest) bool { return slices.Contains(surplus, d) })
		// First, so that nobody goes back to what is not there.
		if err := s.record(st.History, st.History.Only(left, st.Current)); err != nil {
			return err
		}
		for _, d := range surplus {
			if err := s.Hooks.Hit("store-remove"); err != nil {
				return err
			}
			if err := os.Remove(s.File(d)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			removed = append(removed, d)
		}
		return atomicfs.SyncDir(s.Path)
	})
	if err != nil {
		return removed, fmt.Errorf("cannot remove old generations: %w", err)
	}
	return removed, nil
}
