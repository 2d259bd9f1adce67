package atomicfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// WriteFile puts what fill writes at path, with exactly the permissions perm
// (the umask does not count), replacing a file that is there. On any error the
// old file is untouched and no temporary file is left. fill may seek and may use
// the file's name, but must not close it. A link is replaced, as by mv; a
// directory or a device is not, also if a link leads to it.
func WriteFile(path string, perm fs.FileMode, fill func(*os.File) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return fmt.Errorf("cannot write %s: %w", path, unix.EISDIR)
		}
		return fmt.Errorf("cannot write %s: %w", path, errNotRegular)
	}
	return write(path, perm, fill, os.Rename)
}

var errNotRegular = errors.New("it is there and not a regular file")

// Create is [WriteFile] for a path where nothing may stand yet: if something
// does, it is left alone and the error is [fs.ErrExist].
func Create(path string, perm fs.FileMode, fill func(*os.File) error) error {
	return write(path, perm, fill, func(from, to string) error {
		return unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	})
}

func write(path string, perm fs.FileMode, fill func(*os.File) error, place func(from, to string) error) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".new-*")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, cause(err))
	}
	temp := f.Name()
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("cannot write %s: %w", path, err), remove(temp))
		}
	}()
	if err := fillAndSync(f, perm, fill); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := place(temp, path); err != nil {
		return cause(err)
	}
	return SyncDir(dir)
}

// cause takes the temporary file's name out of an error.
func cause(err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		return pe.Err
	case errors.As(err, &le):
		return le.Err
	}
	return err
}

func fillAndSync(f *os.File, perm fs.FileMode, fill func(*os.File) error) error {
	if err := fill(f); err != nil {
		return err
	}
	if err := f.Chmod(perm); err != nil {
		return err
	}
	return f.Sync()
}

// Cause is the reason of an error of package os, without the operation and the path:
// for messages that name them already, or where the path is a temporary file's.
func Cause(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// remove deletes the temporary file; after a rename it is gone already.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// SyncDir makes the entries of a directory durable. A file system that cannot
// sync directories is not an error.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil
}
