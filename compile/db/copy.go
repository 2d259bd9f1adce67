package db

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	d, err := Take(src, dir, "")
	if err != nil {
		return nil, "", err
	}
	if err := errors.Join(d.keep(durable), d.Close()); err != nil {
		return nil, "", err
	}
	return &Info{Content: d.DB.Content(), File: d.DB.File(), Size: d.DB.Size()}, d.DB.path, nil
}

// Draft is a copy that is still being checked and has no name yet. Its database can be
// read meanwhile as one of [OpenLive], but nothing may come of that before
// [Draft.Keep].
type Draft struct {
	DB *DB

	src     string
	temp    *os.File // nil once it has its name
	checked chan error
	damage  error
}

// Take begins [Copy]: what it returns is to be kept or not, and closed. like is the path
// of a copy that was checked before, or empty: what is byte by byte as there takes less
// time to check. Nothing depends on like otherwise: it may be damaged or not be there.
func Take(src, dir, like string) (*Draft, error) {
	from, name, err := openFile(src)
	if err != nil {
		return nil, fmt.Errorf("cannot open database %s: %w", name, err)
	}
	defer from.Close()
	d := &Draft{src: name}
	if d.temp, err = os.CreateTemp(dir, ".new-*"); err != nil {
		return nil, fmt.Errorf("cannot copy database %s to %s: %w", name, dir, atomicfs.Cause(err))
	}
	if _, err := io.Copy(d.temp, from); err != nil {
		err = fmt.Errorf("cannot copy database %s to %s: %w", name, dir, atomicfs.Cause(err))
		return nil, errors.Join(err, d.Close())
	}
	if d.DB, err = openDraft(d.temp); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot use database %s: %w", name, err), d.Close())
	}
	d.DB.path = filepath.Join(dir, d.DB.Content().String()+".db")
	checked := make(chan error, 1)
	go func() { checked <- d.DB.checkLike(like) }()
	d.checked = checked
	return d, nil
}

// Kept is a draft of which nothing is to be done any more, of a database that has its
// name.
func Kept(db *DB) *Draft { return &Draft{DB: db} }

// IsKept reports whether the copy has its name.
func (d *Draft) IsKept() bool { return d.temp == nil }

// openDraft opens a copy. The digest of the whole is checked with the rest.
func openDraft(f *os.File) (*DB, error) {
	data, release, err := mapFile(f, mmap)
	if err != nil {
		return nil, err
	}
	db, err := openBytes(data, false)
	if err != nil {
		_, _, damage := splitTrailer(data, true)
		return nil, errors.Join(cmp.Or(damage, err), release())
	}
	db.release = release
	return db, nil
}

// Keep waits until all is checked and gives the copy its name. The error is one of
// [Copy].
func (d *Draft) Keep() error { return d.keep(false) }

func (d *Draft) keep(durable bool) error {
	if d.temp == nil {
		return nil
	}
	if err := d.check(); err != nil {
		return fmt.Errorf("cannot use database %s: %w", d.src, err)
	}
	if err := d.temp.Chmod(mode(d.DB.Private())); err != nil {
		return err
	}
	if durable {
		if err := d.temp.Sync(); err != nil {
			return fmt.Errorf("cannot copy database %s to %s: %w", d.src, filepath.Dir(d.DB.path), atomicfs.Cause(err))
		}
	}
	if err := os.Rename(d.temp.Name(), d.DB.path); err != nil {
		return err
	}
	temp := d.temp
	d.temp = nil
	return temp.Close()
}

// check waits for what the check says.
func (d *Draft) check() error {
	if d.checked != nil {
		d.damage, d.checked = <-d.checked, nil
	}
	return d.damage
}

// Close closes the database, and removes a copy that was not kept.
func (d *Draft) Close() (err error) {
	_ = d.check() // nobody may read it any more
	if d.DB != nil {
		err = d.DB.Close()
	}
	if d.temp != nil {
		removed := os.Remove(d.temp.Name())
		if errors.Is(removed, fs.ErrNotExist) {
			removed = nil // somebody has swept it up
		}
		err = errors.Join(err, d.temp.Close(), removed)
		d.temp = nil
	}
	return err
}
