package s6test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// insideEnv says that the test runs in a mount namespace of its own.
const insideEnv = "STRATA_S6TEST_MOUNTS"

// Mounts reports whether the test, which must not be a subtest, may mount file
// systems that nobody else sees. Where it may not, Mounts runs it again where it
// may, as root or as root of a user namespace, and returns false when that is over.
// It skips the test if neither is allowed.
func Mounts(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideEnv) == "1" {
		return true
	}
	own := []string{"-m"}
	if os.Geteuid() != 0 {
		own = []string{"-Urm"}
	}
	if err := exec.Command("unshare", append(own, "true")...).Run(); err != nil {
		t.Skip("needs root: a mount namespace of its own")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(own, self, "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	cmd := exec.CommandContext(t.Context(), "unshare", args...)
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name()+" ")) {
		t.Errorf("in its own mount namespace: %v\n%s", err, out)
	}
	return false
}

// Disk is a small tmpfs.
type Disk struct {
	// Dir is where it is mounted.
	Dir string
	t   testing.TB
}

// NewDisk mounts a tmpfs of so many bytes and inodes until the end of the test, in
// which [Mounts] has reported true.
func NewDisk(t testing.TB, size, inodes int) *Disk {
	t.Helper()
	dir := TempDir(t)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,nr_inodes=%d,mode=0755", size, inodes)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("cannot unmount %s: %v", dir, err)
		}
	})
	return &Disk{dir, t}
}

// Fill takes all the space that is left. Each call needs another name.
func (d *Disk) Fill(name string) {
	d.t.Helper()
	f, err := os.OpenFile(filepath.Join(d.Dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, os.Getpagesize())
	for err == nil {
		_, err = f.Write(page)
	}
	if !errors.Is(err, unix.ENOSPC) {
		d.t.Fatal(err)
	}
}

// FillInodes takes all the inodes that are left, with files in a new directory.
func (d *Disk) FillInodes(name string) {
	d.t.Helper()
	dir := filepath.Join(d.Dir, name)
	err := os.Mkdir(dir, 0o755)
	for i := 0; err == nil; i++ {
		err = os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o644)
	}
	if !errors.Is(err, unix.ENOSPC) {
		d.t.Fatal(err)
	}
}

// Free gives back what a Fill has taken.
func (d *Disk) Free(name string) {
	d.t.Helper()
	if err := os.RemoveAll(filepath.Join(d.Dir, name)); err != nil {
		d.t.Fatal(err)
	}
}
