package s6

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Directory is a directory of service directories that is open, so that thousands of
// them can be looked at by short paths. Several goroutines can use it at once.
type Directory struct {
	path string
	fd   int
}

// OpenDirectory opens the directory at path. The caller closes it.
func OpenDirectory(path string) (*Directory, error) {
	fd, err := openRetry(path, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return nil, fmt.Errorf("cannot look at services: %w", &fs.PathError{Op: "open", Path: path, Err: err})
	}
	return &Directory{path, fd}, nil
}

// Close closes the directory.
func (d *Directory) Close() error { return unix.Close(d.fd) }

// Look asks whether the service directory with this name has a supervisor, and what
// that has written last, which is nothing if a full disk has kept it from writing. It
// is [Supervised] and [ReadStatus], with their errors.
func (d *Directory) Look(name string) (st Status, supervised bool, err error) {
	supervised, err = supervisedAt(d.fd, name)
	if err == nil && supervised {
		st, err = readStatusAt(d.fd, name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return Status{}, false, fmt.Errorf("cannot look at service in %s: %w", d.path, err)
	}
	return st, supervised, nil
}
