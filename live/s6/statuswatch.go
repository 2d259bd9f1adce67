package s6

import (
	"context"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// statusWatch sees each replacement of a status file by inotify, those included of
// which no event tells. It takes read permission on supervise/, and a user may
// have few of them at once, so it serves where nothing else does.
type statusWatch struct {
	f *os.File
}

func newStatusWatch(dir string) (*statusWatch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	if _, err := unix.InotifyAddWatch(fd, filepath.Join(dir, "supervise"), unix.IN_MOVED_TO|unix.IN_ONLYDIR); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("inotify_add_watch", err)
	}
	return &statusWatch{os.NewFile(uintptr(fd), "inotify")}, nil
}

// next waits until something in supervise/ was replaced.
func (w *statusWatch) next(ctx context.Context) error {
	return withDeadline(ctx, w.f, func() error {
		var buf [4096]byte
		_, err := w.f.Read(buf[:])
		return err
	})
}

func (w *statusWatch) close() { w.f.Close() }
