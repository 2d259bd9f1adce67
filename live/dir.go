package live

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"strata/compile/db"
)

// DefaultPath is where the live directory is if nobody says otherwise.
var DefaultPath = "/run/strata/live"

// Format is the content of the file format in a live directory.
const Format = formatName + "1\n"

const formatName = "strata-live/"

// Dir is a live directory that is open for reading. It holds no lock and no
// descriptor, and its methods may be called from several goroutines at once.
type Dir struct {
	path, real, scandir, prefix string
	damaged                     bool // see [OpenDamaged]
}

// Open looks at the live directory at path and reads what does not change in it.
// It does not say whether the directory is of this life of the supervision tree:
// see [Dir.CheckEpoch]. The error wraps [ErrNoLive] if there is nothing or
// something else at path, [ErrFormat] if it is of another release, [ErrCorrupt] if
// it is broken.
func Open(path string) (*Dir, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot open live directory %s: %w", path, ErrNoLive)
	}
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open live directory %s: %w", path, err)
	}
	d, err := openReal(path, real)
	if err != nil {
		return nil, fmt.Errorf("cannot open live directory %s: %w", path, err)
	}
	return d, nil
}

// openReal opens the real directory behind path.
func openReal(path, real string) (*Dir, error) {
	format, err := os.ReadFile(filepath.Join(real, "format"))
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err == nil && string(format) == Format:
	case strings.HasPrefix(string(format), formatName):
		return nil, fmt.Errorf("%w: %q", ErrFormat, strings.TrimSpace(string(format)))
	case !looksLive(real):
		return nil, ErrNoLive
	default:
		return nil, fmt.Errorf("%w: its file format says %q", ErrCorrupt, strings.TrimSpace(string(format)))
	}
	scandir, err := os.Readlink(filepath.Join(real, "scandir"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	prefix, err := os.ReadFile(filepath.Join(real, "prefix"))
	if err != nil {
		return nil, damaged(err)
	}
	if err := checkNames(scandir, string(prefix)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return &Dir{path: path, real: real, scandir: scandir, prefix: string(prefix)}, nil
}

// checkNames refuses a scandir or a prefix that cannot be.
func checkNames(scandir, prefix string) error {
	switch {
	case !filepath.IsAbs(scandir):
		return fmt.Errorf("scandir %q is not an absolute path", scandir)
	case strings.ContainsAny(prefix, "/\n\x00"):
		return fmt.Errorf("prefix %q contains a slash, a newline or a null", prefix)
	case strings.HasPrefix(prefix, "."):
		return fmt.Errorf("prefix %q begins with a dot, so that s6-svscan would pass the services over", prefix)
	}
	return nil
}

// Path is the path the directory was opened by.
func (d *Dir) Path() string { return d.path }

// Real is the absolute path of the real directory, which has no link in it.
func (d *Dir) Real() string { return d.real }

// Scandir is the absolute path of the directory that s6-svscan watches.
func (d *Dir) Scandir() string { return d.scandir }

// Prefix is what our names in the scandir begin with.
func (d *Dir) Prefix() string { return d.prefix }

// Servicedir is the directory that s6-supervise runs in for the service with
// this slot, if it is a longrun: what package s6 takes.
func (d *Dir) Servicedir(s Slot) string { return filepath.Join(d.real, "sv", slotName(s)) }

// DefinitionDir is the directory of a definition: of a oneshot it holds the
// programs up, down and reload (see package servicedir), data and env.
func (d *Dir) DefinitionDir(s Slot, def db.Digest) string {
	return filepath.Join(d.real, "defs", slotName(s), def.String())
}

// DatabasePath is where the copy of the database with this content is kept.
func (d *Dir) DatabasePath(content db.Digest) string {
	return filepath.Join(d.real, "db", content.String()+".db")
}

// RunnerSocket is the socket on which the oneshot runner listens.
func (d *Dir) RunnerSocket() string { return filepath.Join(d.Servicedir(RunnerSlot), "s") }

// HolderSocket is the socket on which the fd-holder listens.
func (d *Dir) HolderSocket() string { return filepath.Join(d.Servicedir(HolderSlot), "s") }

// EventDir is the fifodir that is notified with one byte, 'j', after each append
// to the journal. What it means stands in the journal.
func (d *Dir) EventDir() string { return d.file("event") }

// JournalPath is the path of the journal.
func (d *Dir) JournalPath() string { return d.file("journal") }

func (d *Dir) file(name string) string { return filepath.Join(d.real, name) }
