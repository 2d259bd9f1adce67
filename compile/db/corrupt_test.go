package db

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// refused fails the test unless err is what a tool can print for a damaged file:
// ErrCorrupt in one line.
func refused(t *testing.T, what string, at int, err error) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%s at %d: accepted", what, at)
	case !errors.Is(err, ErrCorrupt):
		t.Errorf("%s at %d: %v, want ErrCorrupt", what, at, err)
	case strings.Contains(err.Error(), "\n"):
		t.Errorf("%s at %d: more than one line: %q", what, at, err)
	}
}

// parallel calls f for 0 to n-1 on all processors, each with a buffer of its own.
func parallel(n int, content []byte, f func(i int, buffer []byte)) {
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			buffer := bytes.Clone(content)
			for i := w; i < n; i += workers {
				f(i, buffer)
			}
		})
	}
	wg.Wait()
}

func TestEveryFlippedByte(t *testing.T) {
	t.Parallel()
	content := fileOf(t, tiny(t))
	t.Logf("%d bytes", len(content))
	parallel(len(content), content, func(i int, b []byte) {
		flip := byte(1) << (i % 8)
		if i%3 == 0 {
			flip = 0xff
		}
		b[i] ^= flip
		_, err := openBytes(b, true)
		refused(t, "byte flipped", i, err)
		b[i] ^= flip
	})
}

func TestEveryCut(t *testing.T) {
	t.Parallel()
	content := fileOf(t, tiny(t))
	parallel(len(content), content, func(i int, b []byte) {
		_, err := openBytes(b[:i], true)
		refused(t, "cut", i, err)
		_, err = openBytes(b[:i], false)
		refused(t, "live copy cut", i, err)
	})
	for _, more := range []string{"\x00", "\n", strings.Repeat("\x00", pageSize), string(content)} {
		_, err := openBytes(append(bytes.Clone(content), more...), true)
		refused(t, "garbage added", len(more), err)
	}
}

// A damaged copy in a live directory is found where it is read: whatever is
// answered is right.
func TestEveryFlippedByteLive(t *testing.T) {
	t.Parallel()
	m := tiny(t)
	m.Services = append(m.Services, Service{Name: "c", Type: Oneshot, Up: m.Services[0].Up, Consumer: None})
	complete(t, m, "b>a", "", "")
	content := fileOf(t, m)
	want := fingerprint(t, m)
	accepted := make([]bool, len(content))
	parallel(2*len(content), content, func(i int, b []byte) {
		flip := byte(1)
		if i >= len(content) {
			i, flip = i-len(content), 0xff
		}
		b[i] ^= flip
		defer func() { b[i] ^= flip }()
		db, err := openBytes(b, false)
		if err == nil {
			var got *Model
			if got, err = db.Load(); err == nil {
				accepted[i] = true
				refused(t, "byte of a live copy flipped, check", i, db.check(nil))
				if fingerprint(t, got) != want {
					t.Errorf("byte %d flipped: wrong answer:\n%s", i, diffModels(m, got))
				}
				return
			}
		}
		if !errors.Is(err, ErrFormat) {
			refused(t, "byte of a live copy flipped", i, err)
		}
	})
	n := 0
	for _, ok := range accepted {
		if ok {
			n++
		}
	}
	// What nobody reads: padding, and bbolt's spare meta page.
	t.Logf("%d of %d flipped bytes concern nothing that is read", n, len(content))
}

func TestForeignFiles(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	for name, content := range map[string]string{
		"empty": "", "text": "hello\n", "zeroes": strings.Repeat("\x00", 100000), "elf": "\x7fELF" + strings.Repeat("x", 5000),
		"trailer": trailerMagic + strings.Repeat("\x00", trailerSize),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		refused(t, name, 0, err)
		_, _, err = Copy(path, dir)
		refused(t, "copy of "+name, 0, err)
	}
	_, err := Open(os.DevNull)
	refused(t, os.DevNull, 0, err)
}

func TestOtherFormat(t *testing.T) {
	t.Parallel()
	content := fileOf(t, tiny(t))
	content[len(content)-trailerSize+len(trailerMagic)]++
	if _, err := openBytes(resign(content), true); !errors.Is(err, ErrFormat) || errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v, want ErrFormat", err)
	}
}

// resign computes the file digest anew.
func resign(file []byte) []byte {
	n := len(file) - sha256.Size
	d := sha256.Sum256(file[:n])
	copy(file[n:], d[:])
	return file
}

// A file that is cut while it is mapped makes reads fail, not the process.
func TestCutWhileMapped(t *testing.T) {
	t.Parallel()
	path := write(t, large(t, 500))
	db := mustOpen(t, path)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 2*pageSize); err != nil {
		t.Fatal(err)
	}
	_, err := db.Service(300)
	refused(t, "service of a cut file", 0, err)
	refused(t, "check of a cut file", 0, db.Check())
	_, err = db.Load()
	refused(t, "load of a cut file", 0, err)
	// What was checked when the file was opened stays right.
	if got := db.Name(300); got != "service-000300" {
		t.Errorf("name is %q", got)
	}
	if _, ok := db.Lookup("service-000499"); !ok {
		t.Error("a name is gone")
	}
}
