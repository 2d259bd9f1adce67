package live

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/live/s6"
)

// findSvscan looks whether an s6-svscan is there, and which.
func (in *initer) findSvscan() error {
	in.Scandir = filepath.Clean(in.Scandir)
	info, err := os.Stat(in.Scandir)
	if err != nil {
		return fmt.Errorf("cannot use scandir: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("cannot use scandir %s: it is not a directory", in.Scandir)
	}
	sc := s6.Svscan{Dir: in.Scandir}
	running, err := sc.Running()
	if err == nil && !running {
		err = fmt.Errorf("cannot use scandir %s: %w", in.Scandir, s6.ErrNotRunning)
	}
	if err == nil {
		in.epoch, err = CurrentEpoch(in.Scandir)
	}
	if err == nil && unix.Faccessat(unix.AT_FDCWD, in.Scandir, unix.W_OK|unix.X_OK, unix.AT_EACCESS) != nil {
		err = fmt.Errorf("cannot use scandir %s: it is not writable", in.Scandir)
	}
	return err
}

// findParent looks at the directory that is to hold the live directory, and makes
// it if it is missing.
func (in *initer) findParent() error {
	parent := filepath.Dir(filepath.Clean(in.Live))
	in.made = firstMissing(parent)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(parent)
	if err != nil {
		return err
	}
	in.parent = real
	var st unix.Statfs_t
	if err := unix.Statfs(real, &st); err != nil {
		return &fs.PathError{Op: "statfs", Path: real, Err: err}
	}
	switch {
	case st.Flags&unix.ST_RDONLY != 0:
		return fmt.Errorf("%s is on a read-only file system", real)
	case st.Flags&unix.ST_NOEXEC != 0:
		return fmt.Errorf("%s is mounted noexec: the run programs of services could not be executed there", real)
	case unix.Faccessat(unix.AT_FDCWD, real, unix.W_OK|unix.X_OK, unix.AT_EACCESS) != nil:
		return fmt.Errorf("%s is not writable: %w", real, fs.ErrPermission)
	}
	return in.trust(real)
}

// firstMissing gives the uppermost directory of a path that is not there.
func firstMissing(path string) string {
	missing := ""
	for {
		if _, err := os.Lstat(path); err == nil || path == "/" {
			return missing
		}
		missing = path
		path = filepath.Dir(path)
	}
}

// removeParents removes the directories that were made for the live directory if
// there is nothing in them after all.
func (in *initer) removeParents() {
	if in.made == "" {
		return
	}
	for path := filepath.Dir(filepath.Clean(in.Live)); len(path) >= len(in.made); path = filepath.Dir(path) {
		if os.Remove(path) != nil {
			return
		}
	}
}

// trust is [Trust], or under s6-rc's names a warning.
func (in *initer) trust(path string) error {
	err := Trust(path)
	if err != nil && in.Lenient {
		in.warn("%v", err)
		return nil
	}
	return err
}

// openDatabase opens the database from outside.
func (in *initer) openDatabase() (*db.DB, error) {
	database, err := db.Open(in.DB)
	if err != nil {
		return nil, err
	}
	if err := in.trust(database.Path()); err != nil {
		return nil, errors.Join(err, database.Close())
	}
	return database, nil
}

// lookAhead refuses what could not work: names that s6-svscan would pass over,
// names that are taken, and too little room.
func (in *initer) lookAhead(database *db.DB) error {
	longs := int64(0)
	for i := range database.Len() {
		id := db.ServiceID(i)
		name := database.Name(id)
		if err := checkName(name); err != nil {
			return err
		}
		if database.Type(id) != db.Longrun {
			continue
		}
		longs++
		if len(in.Prefix+name) > s6.MaxNameLen {
			return fmt.Errorf("the name of service %s, with the prefix %q, is longer than the %d bytes that s6-svscan takes", name, in.Prefix, s6.MaxNameLen)
		}
		if err := in.free(name); err != nil {
			return err
		}
	}
	for _, internal := range Internals() {
		if err := in.free(internal.Name); err != nil {
			return err
		}
	}
	in.warnRoom(database)
	return in.room(database, longs)
}

// free refuses a name that is taken in the scandir.
func (in *initer) free(name string) error {
	path := filepath.Join(in.Scandir, in.Prefix+name)
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s exists and is not ours: remove it, or use a prefix", path)
	}
	return nil
}

// room refuses a file system that cannot hold even the least that is needed.
func (in *initer) room(database *db.DB, longs int64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(in.parent, &st); err != nil || st.Blocks == 0 {
		return nil // a file system that does not count
	}
	const (
		page        = 4096
		pagesEach   = 4  // run, and what s6-supervise writes, the new beside the old
		pagesFixed  = 24 // the same for the internal services, their files, and our own
		inodesEach  = 25 // links, directories and files of a longrun
		inodesFixed = 100
	)
	need, free := database.Size()+(longs*pagesEach+pagesFixed)*page, int64(st.Bavail)*st.Bsize
	if free < need {
		return fmt.Errorf("%s has too little room: about %d KiB are needed and %d KiB free: %w", in.parent, need>>10, free>>10, unix.ENOSPC)
	}
	if inodes := longs*inodesEach + inodesFixed; st.Files > 0 && int64(st.Ffree) < inodes {
		return fmt.Errorf("%s has too few inodes: about %d are needed and %d free: %w", in.parent, inodes, st.Ffree, unix.ENOSPC)
	}
	return nil
}

// lockBeside takes a lock file that is there only while somebody has it.
func lockBeside(ctx context.Context, path string, block bool) (unlock func(), err error) {
	for {
		f, err := lockFile(ctx, path, block, func() {})
		if err != nil {
			return nil, err
		}
		// Whoever had it may have removed the file that we waited for.
		mine, err1 := f.Stat()
		there, err2 := os.Lstat(path)
		if err1 == nil && err2 == nil && os.SameFile(mine, there) {
			return func() {
				_ = os.Remove(path)
				_ = f.Close()
			}, nil
		}
		_ = f.Close()
	}
}

// makeFifodir makes a directory in which the owner's group may listen, as s6's
// own do.
func makeFifodir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	if err := unix.Chmod(path, 0o3730); err != nil {
		return &fs.PathError{Op: "chmod", Path: path, Err: err}
	}
	return nil
}
