package db

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// onTmpfs runs f with a new tmpfs on dir that nobody else sees.
func onTmpfs(t *testing.T, dir, options string, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a tmpfs")
	}
	done := make(chan error)
	go func() {
		// The thread has its own mounts from now on: it is never unlocked, so
		// that it ends with this goroutine.
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = unix.Mount("tmpfs", dir, "tmpfs", 0, options)
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Skipf("needs root with the right to mount: %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	onTmpfs(t, dir, "size=64k", func() {
		path := filepath.Join(dir, "x.db")
		if _, err := Write(path, tiny(t), WriteOptions{}); err != nil {
			t.Error(err)
			return
		}
		old, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			return
		}
		_, err = Write(path, large(t, 2000), WriteOptions{})
		if !errors.Is(err, unix.ENOSPC) {
			t.Errorf("got %v, want ENOSPC", err)
		}
		if want := "cannot write " + path + ": no space left on device"; err == nil || err.Error() != want {
			t.Errorf("message is %q, want %q", err, want)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(old, now) {
			t.Errorf("the old file was changed (%v)", err)
		}
		alone(t, path)
		big := write(t, large(t, 2000))
		if _, _, err := Copy(big, dir); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("copy: got %v, want ENOSPC", err)
		}
		alone(t, path)
		if _, err := WriteDir(filepath.Join(dir, "d"), large(t, 2000), WriteOptions{}); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("directory: got %v, want ENOSPC", err)
		}
		alone(t, path)
	})
}

func TestReadOnlyMount(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	onTmpfs(t, dir, "size=1m", func() {
		path := filepath.Join(dir, "x.db")
		if _, err := Write(path, tiny(t), WriteOptions{}); err != nil {
			t.Error(err)
			return
		}
		if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			t.Error(err)
			return
		}
		db, err := Open(path)
		if err != nil {
			t.Error(err)
			return
		}
		defer db.Close()
		if err := db.Check(); err != nil {
			t.Error(err)
		}
		if _, err := Write(path, tiny(t), WriteOptions{}); !errors.Is(err, unix.EROFS) {
			t.Errorf("write: got %v, want EROFS", err)
		}
	})
}
