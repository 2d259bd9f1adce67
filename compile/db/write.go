package db

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"strata/internal/atomicfs"
)

// WriteOptions says how [Write] writes.
type WriteOptions struct {
	// Exclusive refuses a target that exists, with [fs.ErrExist].
	Exclusive bool
	// Tool is the name and version of the program, for people; only the file
	// digest covers it.
	Tool string
}

// Info describes a database that was written.
type Info struct {
	// Content covers what the services are, File every byte.
	Content, File Digest
	// Size is in bytes.
	Size int64
}

// Write writes a model as a database file at path: in a temporary file beside it,
// synced, renamed over it, and the directory synced. On an error the old file is
// as it was and no temporary file is left. The file can be read by everybody, or
// by its owner only if the model is private.
//
// The same model and tool give the same bytes, wherever and whenever.
func Write(path string, m *Model, o WriteOptions) (Info, error) {
	im, err := newImage(m, o.Tool)
	if err != nil {
		return Info{}, fmt.Errorf("cannot write %s: %w", path, err)
	}
	return im.place(path, o.Exclusive)
}

// place writes the image to path in one step.
func (im *image) place(path string, exclusive bool) (info Info, err error) {
	write := atomicfs.WriteFile
	if exclusive {
		write = atomicfs.Create
	}
	err = write(path, mode(im.model.Private), func(f *os.File) (err error) {
		info, err = im.write(f)
		return atomicfs.Cause(err) // the temporary file's name says nothing to anybody
	})
	return info, err
}

// mode is the permissions of a database.
func mode(private bool) fs.FileMode {
	if private {
		return 0o400
	}
	return 0o444
}

// WriteDir writes a database in the form that s6-rc's names use: a directory
// dest with one file, db, in it. An existing dest is refused with [fs.ErrExist];
// on an error nothing is left.
func WriteDir(dest string, m *Model, o WriteOptions) (info Info, err error) {
	dest = filepath.Clean(dest)
	if _, err := os.Lstat(dest); err == nil {
		return Info{}, fmt.Errorf("cannot write %s: %w", dest, fs.ErrExist)
	}
	im, err := newImage(m, o.Tool)
	if err != nil {
		return Info{}, fmt.Errorf("cannot write %s: %w", dest, err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dest), "."+filepath.Base(dest)+".new-*")
	if err != nil {
		return Info{}, fmt.Errorf("cannot write %s: %w", dest, atomicfs.Cause(err))
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("cannot write %s: %w", dest, atomicfs.Cause(err)), os.RemoveAll(temp))
		}
	}()
	if info, err = im.place(filepath.Join(temp, dirFile), false); err != nil {
		var errno unix.Errno
		if errors.As(err, &errno) {
			err = errno // the temporary directory's name says nothing to anybody
		}
		return Info{}, err
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return Info{}, err
	}
	if err := unix.Renameat2(unix.AT_FDCWD, temp, unix.AT_FDCWD, dest, unix.RENAME_NOREPLACE); err != nil {
		return Info{}, err
	}
	return info, atomicfs.SyncDir(filepath.Dir(dest))
}

// dirFile is the name of the file in a database's directory form.
const dirFile = "db"

// write puts the image into an empty file: bbolt's pages, then the trailer.
func (im *image) write(f *os.File) (Info, error) {
	length, err := im.writePages(f.Name())
	if err != nil {
		return Info{}, err
	}
	if err := f.Truncate(length); err != nil {
		return Info{}, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, length)); err != nil {
		return Info{}, err
	}
	trailer, digest := newTrailer(h, length)
	if _, err := f.WriteAt(trailer, length); err != nil {
		return Info{}, err
	}
	return Info{Content: im.header.content, File: digest, Size: length + int64(len(trailer))}, nil
}

// writePages fills a bbolt file, all keys in order, and
// returns the size of the pages in use. The page size is fixed and no list of
// free pages is kept, so that the bytes depend on the content alone.
func (im *image) writePages(path string) (size int64, err error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		Timeout: time.Second, PageSize: pageSize, FreelistType: bolt.FreelistArrayType,
		NoSync: true, NoGrowSync: true, NoFreelistSync: true, NoStatistics: true,
		// bbolt copies everything each time its map has to grow.
		InitialMmapSize: im.estimate(),
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := im.fill(db); err != nil {
		return 0, err
	}
	err = db.View(func(tx *bolt.Tx) error {
		size = tx.Size()
		return nil
	})
	return size, err
}

// estimate is about how many bytes the pages will take, a little more.
func (im *image) estimate() int {
	n := 64 * pageSize
	for _, s := range im.sections {
		n += len(s) + pageSize
	}
	for _, r := range im.records {
		n += 2*len(r) + 128
	}
	for _, r := range im.notes {
		n += 2*len(r) + 128
	}
	for _, d := range im.blobs {
		n += 2*len(im.model.Blobs[d]) + 2*pageSize
	}
	return n
}

// put writes a key; values must not change until the transaction has ended.
type put func(key, value []byte)

// fill writes the buckets, each in a transaction of its own: within one, bbolt
// gives out pages in the random order of a map of buckets.
func (im *image) fill(db *bolt.DB) error {
	for _, b := range []struct {
		name string
		each func(put)
	}{
		{bucketMeta, func(put put) { put([]byte(keyHeader), im.header.encode()) }},
		{bucketGraph, func(put put) { putAll(put, im.sections) }},
		{bucketServices, func(put put) { putAll(put, im.records) }},
		{bucketBlobs, func(put put) {
			for _, d := range im.blobs {
				put(d[:], im.model.Blobs[d])
			}
		}},
		{bucketNotes, im.putNotes},
	} {
		if err := db.Update(func(tx *bolt.Tx) error { return fillBucket(tx, b.name, b.each) }); err != nil {
			return err
		}
	}
	return nil
}

func fillBucket(tx *bolt.Tx, name string, each func(put)) error {
	b, err := tx.CreateBucket([]byte(name))
	if err != nil {
		return err
	}
	b.FillPercent = 1
	each(func(key, value []byte) {
		if err == nil {
			err = b.Put(key, value)
		}
	})
	return err
}

func putAll(put put, values [][]byte) {
	for i, v := range values {
		put(serviceKey(i), v)
	}
}

// putNotes writes the bundles' notes first: that is how the keys sort.
func (im *image) putNotes(put put) {
	bundles := len(im.model.Bundles)
	for i, n := range im.notes {
		if i < bundles {
			put(noteKey(noteBundle, i), n)
		} else {
			put(noteKey(noteService, i-bundles), n)
		}
	}
}
