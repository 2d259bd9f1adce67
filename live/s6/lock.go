package s6

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Nothing in this program may hold a lock on the same files as s6: closing any
// descriptor of one would drop it.

// lockHolder tells who holds the POSIX lock on path: nobody if there is no file.
func lockHolder(path string) (pid int, held bool, err error) {
	return lockHolderAt(unix.AT_FDCWD, path)
}

// lockHolderAt is lockHolder for a path that may begin at the directory dir.
func lockHolderAt(dir int, path string) (pid int, held bool, err error) {
	fd, err := openLockAt(dir, path)
	if err != nil || fd < 0 {
		return 0, false, err
	}
	defer unix.Close(fd)
	return holder(fd)
}

// openLock opens a lock file; fd is -1 if there is none.
func openLock(path string) (fd int, err error) { return openLockAt(unix.AT_FDCWD, path) }

// openLockAt is openLock for a path that may begin at the directory dir.
func openLockAt(dir int, path string) (fd int, err error) {
	fd, err = openatRetry(dir, path, unix.O_RDONLY|unix.O_NONBLOCK)
	switch {
	case err == nil:
		return fd, nil
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return -1, nil
	}
	return -1, fmt.Errorf("cannot test lock: %w", &fs.PathError{Op: "open", Path: path, Err: err})
}

// holder tells who holds the POSIX lock on an open file. The pid is 0 if it cannot
// be seen from this PID namespace.
func holder(fd int) (pid int, held bool, err error) {
	lk := unix.Flock_t{Type: unix.F_RDLCK}
	if err := unix.FcntlFlock(uintptr(fd), unix.F_GETLK, &lk); err != nil {
		return 0, false, fmt.Errorf("cannot test lock: %w", err)
	}
	if lk.Type == unix.F_UNLCK {
		return 0, false, nil
	}
	return max(int(lk.Pid), 0), true, nil
}
