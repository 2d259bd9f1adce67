package live_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// A child that is being forked has a copy of every descriptor until its exec. It
// must not keep a lock that was given back.
func TestLockIsNotLeftToAChild(t *testing.T) {
	tr := newTree(t)
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "db"), longrun("a")))
	w := lock(t, d)
	copied := copyOfOpenFile(t, filepath.Join(d.Real(), "lock"))
	defer unix.Close(copied)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := d.Lock(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// copyOfOpenFile gives a second descriptor of the file that this process has open
// at path, as a child would have it.
func copyOfOpenFile(t *testing.T, path string) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		link := filepath.Join("/proc/self/fd", e.Name())
		if target, err := os.Readlink(link); err != nil || target != path {
			continue
		}
		number, err := strconv.Atoi(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Dup(number)
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	t.Fatalf("%s is not open", path)
	return -1
}
