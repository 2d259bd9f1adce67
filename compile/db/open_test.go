package db

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// What is wrong with a file system is not called damage.
func TestOpenErrors(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	path := write(t, tiny(t))
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	for want, name := range map[error]string{
		fs.ErrNotExist: "missing", unix.ENOTDIR: "file/x", unix.ELOOP: "loop", unix.ENAMETOOLONG: strings.Repeat("x", 300),
	} {
		_, err := Open(filepath.Join(dir, name))
		if !errors.Is(err, want) || errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	for _, errno := range []error{unix.ENOMEM, unix.EMFILE, unix.EACCES} {
		_, err := open(path, true, func(*os.File, int) ([]byte, error) { return nil, errno })
		if !errors.Is(err, errno) || errors.Is(err, ErrCorrupt) {
			t.Errorf("got %v, want %v", err, errno)
		}
	}
	if os.Getuid() == 0 {
		return
	}
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, want %v", err, fs.ErrPermission)
	}
}

// A file system without maps is read into memory.
func TestOpenWithoutMap(t *testing.T) {
	t.Parallel()
	m := rich(t)
	path := write(t, m)
	for _, errno := range []error{unix.ENODEV, unix.EINVAL} {
		db, err := open(path, true, func(*os.File, int) ([]byte, error) { return nil, errno })
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.Load()
		if err != nil {
			t.Fatal(err)
		}
		if d := diffModels(m, got); d != "" {
			t.Error(d)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A FIFO does not block.
func TestOpenFIFO(t *testing.T) {
	t.Parallel()
	path := filepath.Join(tempDir(t), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path)
	refused(t, "fifo", 0, err)
}

// bbolt reads what this package reads.
func TestBboltAgrees(t *testing.T) {
	t.Parallel()
	for _, m := range []*Model{tiny(t), rich(t), large(t, 8000)} {
		path := write(t, m)
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := splitTrailer(file, true)
		if err != nil {
			t.Fatal(err)
		}
		root, err := p.root()
		if err != nil {
			t.Fatal(err)
		}
		b, err := bolt.Open(path, 0, &bolt.Options{ReadOnly: true, Timeout: 1e9})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		err = b.View(func(tx *bolt.Tx) error {
			for err := range tx.Check() {
				t.Error(err)
			}
			return tx.ForEach(func(name []byte, theirs *bolt.Bucket) error {
				ours, err := root.sub(string(name))
				if err != nil {
					return err
				}
				c := theirs.Cursor()
				k, v := c.First()
				err = ours.each(func(key, value []byte) error {
					if !bytes.Equal(k, key) || !bytes.Equal(v, value) {
						t.Fatalf("bucket %s: bbolt says %x, we say %x", name, k, key)
					}
					if got, _, err := ours.get(key); err != nil || !bytes.Equal(got, value) {
						t.Fatalf("bucket %s: key %x is not found: %v", name, key, err)
					}
					k, v = c.Next()
					return nil
				})
				if k != nil {
					t.Errorf("bucket %s: bbolt has more keys", name)
				}
				return err
			})
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// A writer somewhere that holds bbolt's lock does not hold a reader up.
func TestOpenTakesNoLock(t *testing.T) {
	t.Parallel()
	path := write(t, tiny(t))
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if db := mustOpen(t, path); db.Len() != 2 {
		t.Error("wrong database")
	}
}

// TestDraft: a copy can be read before it is checked, and leaves nothing unless it is
// kept, which one that is damaged cannot be.
func TestDraft(t *testing.T) {
	t.Parallel()
	src, dir := write(t, rich(t)), tempDir(t)
	for name, c := range map[string]struct {
		src  string
		like string
		keep bool
		err  error
	}{
		"kept":             {src, "", true, nil},
		"not kept":         {src, "", false, nil},
		"like itself":      {src, src, true, nil},
		"like itself not":  {src, src, false, nil},
		"like none":        {src, filepath.Join(dir, "none"), true, nil},
		"like no database": {src, "/dev/null", true, nil},
		"damaged":          {spoiled(t, rich(t), true, func(im *image) { im.model.Blobs[im.model.Services[2].Run.Script] = []byte("other") }), src, true, ErrCorrupt},
	} {
		d, err := Take(c.src, dir, c.like)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := d.DB.Service(0); err != nil || s.Name != d.DB.Name(0) {
			t.Errorf("%s: read as %v, %v", name, s, err)
		}
		path := filepath.Join(dir, d.DB.Content().String()+".db")
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: it has its name already: %v", name, err)
		}
		if c.keep {
			for range 2 {
				if err := d.Keep(); !errors.Is(err, c.err) {
					t.Errorf("%s: %v, want %v", name, err, c.err)
				}
			}
		}
		if err := d.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.keep && c.err == nil {
			alone(t, path)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: it has left %v, %v", name, left, err)
		}
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	m := rich(t)
	src, dir := write(t, m), tempDir(t)
	for range 2 {
		info, path, err := Copy(src, dir)
		if err != nil {
			t.Fatal(err)
		}
		if path != filepath.Join(dir, info.Content.String()+".db") {
			t.Errorf("copied to %s", path)
		}
		alone(t, path)
		if st, err := os.Stat(path); err != nil || st.Mode() != 0o400 {
			t.Errorf("mode is %v, %v", st.Mode(), err)
		}
		db, err := OpenLive(path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if db.Content() != info.Content || db.File() != info.File || !db.Private() || db.Tool() != "test 1" {
			t.Error("the copy says something else")
		}
	}
	if _, _, err := Copy(src, filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
}
