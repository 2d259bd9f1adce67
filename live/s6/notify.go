package s6

import (
	"strings"

	"golang.org/x/sys/unix"
)

// Notify writes one letter into each FIFO of an event directory, as s6's own
// notifiers do. A listener that is gone is removed; one that does not read misses
// it. There is no error: nobody may be listening.
func Notify(eventDir string, e Event) {
	dir, err := openRetry(eventDir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return
	}
	defer unix.Close(dir)
	eachName(dir, func(name string) {
		const length = 39
		if !strings.HasPrefix(name, "ftrig1:@") || len(name) != length {
			return
		}
		fd, err := openatRetry(dir, name, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW)
		if err == unix.ENXIO {
			_ = unix.Unlinkat(dir, name, 0)
		}
		if err != nil {
			return
		}
		_, _ = unix.Write(fd, []byte{byte(e)})
		unix.Close(fd)
	})
}

// eachName calls f with the names in an open directory.
func eachName(dir int, f func(name string)) {
	var buf [512]byte // small, since every wait has it on its stack
	for {
		n, err := unix.ReadDirent(dir, buf[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			f(name)
		}
	}
}
