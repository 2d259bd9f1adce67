package atomicfs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What is no regular file is not replaced: whoever is root and names /dev/null
// would else lose it.
func TestNotReplaced(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.Mkdir(at("dir"), 0o755), unix.Mkfifo(at("fifo"), 0o644),
		os.Symlink("/dev/null", at("null")), os.Symlink("dir", at("todir")), os.Symlink("nothing", at("dangling")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	fill := func(f *os.File) error {
		_, err := f.WriteString("new")
		return err
	}
	for name, want := range map[string]error{
		"dir": unix.EISDIR, "todir": unix.EISDIR, "fifo": errNotRegular, "null": errNotRegular, "missing/x": os.ErrNotExist, "fifo/x": unix.ENOTDIR,
	} {
		err := WriteFile(at(name), 0o644, fill)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		} else if text := err.Error(); !strings.HasPrefix(text, "cannot write "+at(name)+": ") || strings.Contains(text, ".new-") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := WriteFile(at("dangling"), 0o644, fill); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(at("dangling")); err != nil || string(b) != "new" {
		t.Errorf("%q, %v", b, err)
	}
	left, err := filepath.Glob(at("*.new-*"))
	if hidden, _ := filepath.Glob(at(".*.new-*")); err != nil || len(left)+len(hidden) != 0 {
		t.Errorf("left: %q %q", left, hidden)
	}
}
