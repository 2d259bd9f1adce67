package db

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"strata/internal/atomicfs"
)

// Copy takes a database from outside into dir, as CONTENTDIGEST.db, for
// [OpenLive], and returns what it is and the path of the copy. The copy is made
// first and checked whole, with [DB.Check], before it gets its name, so that
// nothing that happens to src afterwards matters. A copy that is there already is
// replaced. Nothing is synced: dir is on a tmpfs.
func Copy(src, dir string) (info *Info, path string, err error) { return copyTo(src, dir, false) }

// Install is [Copy] into a directory that is to last: file and directory are synced.
func Install(src, dir string) (info *Info, path string, err error) {
	if info, path, err = copyTo(src, dir, true); err != nil {
		return nil, "", err
	}
	if err := atomicfs.SyncDir(dir); err != nil {
		return nil, "", fmt.Errorf("cannot copy database %s to %s: %w", src, dir, atomicfs.Cause(err))
	}
	return info, path, nil
}

func copyTo(src, dir string, durable bool) (info *Info, path string, err error) {
	from, name, err := openFile(src)
	if err != nil {
		return nil, "", fmt.Errorf("cannot open database %s: %w", name, err)
	}
	defer from.Close()
	temp, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return nil, "", fmt.Errorf("cannot copy database %s to %s: %w", name, dir, atomicfs.Cause(err))
	}
	defer func() {
		err = errors.Join(err, temp.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	if _, err := io.Copy(temp, from); err != nil {
		return nil, "", fmt.Errorf("cannot copy database %s to %s: %w", name, dir, atomicfs.Cause(err))
	}
	info, private, err := checkCopy(temp)
	if err != nil {
		return nil, "", fmt.Errorf("cannot use database %s: %w", name, err)
	}
	if err := temp.Chmod(mode(private)); err != nil {
		return nil, "", err
	}
	if durable {
		if err := temp.Sync(); err != nil {
			return nil, "", fmt.Errorf("cannot copy database %s to %s: %w", name, dir, atomicfs.Cause(err))
		}
	}
	path = filepath.Join(dir, info.Content.String()+".db")
	return info, path, os.Rename(temp.Name(), path)
}

func checkCopy(f *os.File) (info *Info, private bool, err error) {
	data, release, err := mapFile(f, mmap)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, release()) }()
	// The digest of the whole is checked with the rest, beside it.
	db, err := openBytes(data, false)
	if err != nil {
		_, _, damage := splitTrailer(data, true)
		return nil, false, cmp.Or(damage, err)
	}
	if err := protect(db.check); err != nil {
		return nil, false, err
	}
	return &Info{Content: db.Content(), File: db.File(), Size: db.Size()}, db.Private(), nil
}
