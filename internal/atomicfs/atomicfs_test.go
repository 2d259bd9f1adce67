package atomicfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"strata/internal/atomicfs"
)

func text(s string) func(*os.File) error {
	return func(f *os.File) error {
		_, err := f.WriteString(s)
		return err
	}
}

// expect fails unless the directory holds exactly this file with this content.
func expect(t *testing.T, path, content string, perm fs.FileMode) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Fatalf("directory holds %v (%v), want one file", entries, err)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != content {
		t.Errorf("content %q (%v), want %q", got, err, content)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != perm {
		t.Errorf("mode %v (%v), want %v", info.Mode(), err, perm)
	}
}

func TestWriteFileReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, content := range []string{"one", "two"} {
		if err := atomicfs.WriteFile(path, 0o604, text(content)); err != nil {
			t.Fatal(err)
		}
		expect(t, path, content, 0o604)
	}
}

func TestCreateRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := atomicfs.Create(path, 0o600, text("one")); err != nil {
		t.Fatal(err)
	}
	if err := atomicfs.Create(path, 0o600, text("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want %v", err, fs.ErrExist)
	}
	expect(t, path, "one", 0o600)
}

func TestFailureLeavesTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := atomicfs.WriteFile(path, 0o600, text("old")); err != nil {
		t.Fatal(err)
	}
	err := atomicfs.WriteFile(path, 0o600, func(f *os.File) error {
		return errors.Join(text("half of the ne")(f), syscall.ENOSPC)
	})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "cannot write "+path) {
		t.Errorf("error %v, want one that names the file and wraps ENOSPC", err)
	}
	expect(t, path, "old", 0o600)
}

func TestTargetIsADirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := atomicfs.WriteFile(path, 0o600, text("x")); err == nil {
		t.Error("a directory was replaced")
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
}

func TestMissingDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "file")
	if err := atomicfs.WriteFile(path, 0o600, text("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
}

func ExampleWriteFile() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "greeting")
	err = atomicfs.WriteFile(path, 0o644, func(f *os.File) error {
		_, err := f.WriteString("hello\n")
		return err
	})
	b, _ := os.ReadFile(path)
	fmt.Printf("%s%v", b, err)
	// Output:
	// hello
	// <nil>
}
