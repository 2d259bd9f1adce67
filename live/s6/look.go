package s6

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"

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

// ShortPath gives a path of what is called name in the directory that is short enough
// for a socket's, and counts in this process.
func (d *Directory) ShortPath(name string) string {
	return "/proc/self/fd/" + strconv.Itoa(d.fd) + "/" + name
}

// Look asks whether the service directory with this name has a supervisor, which one,
// and what that has written last. It is [SupervisorPID] and [Directory.Status].
func (d *Directory) Look(name string) (st Status, pid int, supervised bool, err error) {
	pid, supervised, err = lockHolderAt(d.fd, name+"/supervise/lock")
	if err != nil {
		return Status{}, 0, false, fmt.Errorf("cannot look at service in %s: %w", d.path, err)
	}
	if supervised {
		st, err = d.Status(name)
	}
	return st, pid, supervised, err
}

// Status is [ReadStatus], but that the status is zero if there is none: a full disk
// can have kept the supervisor from writing it.
func (d *Directory) Status(name string) (Status, error) {
	st, err := readStatusAt(d.fd, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Status{}, nil
	case err != nil:
		return Status{}, fmt.Errorf("cannot look at service in %s: %w", d.path, err)
	}
	return st, nil
}

// UnmarkDown is [UnmarkDown] for the service directory with this name.
func (d *Directory) UnmarkDown(name string) error {
	// To look costs less than to try, and mostly there is nothing.
	var st unix.Stat_t
	if unix.Fstatat(d.fd, name+"/down", &st, unix.AT_SYMLINK_NOFOLLOW) == unix.ENOENT {
		return nil
	}
	return unmarkDownAt(d.fd, name)
}
