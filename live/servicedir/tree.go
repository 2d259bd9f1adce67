package servicedir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"strata/compile/db"
)

// File is one entry of a [Tree].
type File struct {
	Path      string // relative, with slashes
	Kind      db.EntryKind
	Mode      uint32   // the 12 permission bits; none for a link
	Owner     db.Owner // zero: whoever writes the tree
	Content   []byte   // of a file
	Target    string   // of a link
	Generated bool     // nothing of it is the user's
}

// Tree is the content of a directory, sorted by path, so that a directory comes
// before what is in it.
type Tree []File

// Find returns the entry at a path, or nil.
func (t Tree) Find(path string) *File {
	i, ok := slices.BinarySearchFunc(t, path, func(f File, p string) int { return strings.Compare(f.Path, p) })
	if !ok {
		return nil
	}
	return &t[i]
}

// Size is about what the tree needs on a tmpfs: bytes in pages, and inodes.
func (t Tree) Size() (bytes, inodes int64) {
	const page = 4096
	for _, f := range t {
		if f.Kind == db.File {
			bytes += (int64(len(f.Content)) + page - 1) / page * page
		}
		inodes++
	}
	return bytes, inodes
}

// Top gives the names that stand directly in the directory.
func (t Tree) Top() []string {
	var names []string
	for _, f := range t {
		if !strings.Contains(f.Path, "/") {
			names = append(names, f.Path)
		}
	}
	return names
}

// Write makes the entries of the tree in the directory dir, which must exist and
// hold none of their names. Modes are exactly the tree's, whatever the umask. An
// owner other than the writer's is set if the writer is root, else left out, as
// with any copy. On error what was made stays for the caller to remove.
//
// A tree whose paths leave dir, or go through a link, is refused: databases come
// from outside.
func Write(dir string, t Tree) error {
	if err := t.check(); err != nil {
		return fmt.Errorf("cannot write service directory %s: %w", dir, err)
	}
	for _, f := range t {
		if err := writeEntry(filepath.Join(dir, f.Path), f); err != nil {
			return fmt.Errorf("cannot write service directory %s: %w", dir, err)
		}
	}
	// A directory gets its mode when it is full, since that may forbid writing.
	for _, f := range slices.Backward(t) {
		if f.Kind != db.Directory {
			continue
		}
		if err := chmod(filepath.Join(dir, f.Path), f.Mode); err != nil {
			return fmt.Errorf("cannot write service directory %s: %w", dir, err)
		}
	}
	return nil
}

// check holds the tree to what Render makes.
func (t Tree) check() error {
	dirs := map[string]bool{".": true}
	for _, f := range t {
		switch {
		case !filepath.IsLocal(f.Path), path.Clean(f.Path) != f.Path, strings.ContainsRune(f.Path, 0):
			return fmt.Errorf("path %q is not one within the directory", f.Path)
		case !dirs[path.Dir(f.Path)]:
			return fmt.Errorf("path %q is not in a directory of the tree", f.Path)
		case f.Kind == db.Link && (f.Target == "" || strings.ContainsRune(f.Target, 0)):
			return fmt.Errorf("link %q has no possible target", f.Path)
		}
		if f.Kind == db.Directory {
			dirs[f.Path] = true
		}
	}
	return nil
}

func writeEntry(path string, f File) error {
	var err error
	switch f.Kind {
	case db.Directory:
		err = os.Mkdir(path, 0o700)
	case db.Link:
		err = os.Symlink(f.Target, path)
	case db.FIFO:
		if err = unix.Mkfifo(path, 0o600); err != nil {
			err = &fs.PathError{Op: "mkfifo", Path: path, Err: err}
		}
	case db.File:
		err = writeFile(path, f.Content)
	default:
		err = fmt.Errorf("%s: unknown kind of entry %d", path, f.Kind)
	}
	if err == nil && f.Owner.Other && os.Geteuid() == 0 {
		err = os.Lchown(path, int(f.Owner.UID), int(f.Owner.GID))
	}
	// After the owner: a change of owner clears the set-id bits.
	if err == nil && (f.Kind == db.File || f.Kind == db.FIFO) {
		err = chmod(path, f.Mode)
	}
	return err
}

func writeFile(path string, content []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// chmod takes all 12 bits as the system call does, which os.Chmod does not.
func chmod(path string, mode uint32) error {
	if err := unix.Chmod(path, mode&0o7777); err != nil {
		return &fs.PathError{Op: "chmod", Path: path, Err: err}
	}
	return nil
}
