package s6

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// descriptorReserve is how many descriptors are left to the rest of the program.
const descriptorReserve = 64

// Window gives how many things that hold perEach file descriptors each may be in
// flight at once: half of what RLIMIT_NOFILE allows, at least 1. Whether there is
// room for that one, [CheckRoom] says.
func Window(perEach int) int {
	const plenty = 1 << 20
	free := int(min(openFiles(), plenty))/2 - descriptorReserve
	return max(free/perEach, 1)
}

// openFiles is how many descriptors this process may have.
func openFiles() uint64 {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return 1024
	}
	return lim.Cur
}

// CheckRoom reports whether n more file descriptors can be opened, by opening them:
// how many there are already depends on the Go runtime, the kernel and who started
// us. The error wraps [unix.EMFILE] or what else the system said.
func CheckRoom(n int) error {
	fds := make([]int, 0, n)
	defer func() {
		for _, fd := range fds {
			unix.Close(fd)
		}
	}()
	for range n {
		fd, err := openRetry("/", unix.O_PATH|unix.O_DIRECTORY)
		if err != nil {
			return fmt.Errorf("%w: it takes %d file descriptors more than are in use, and RLIMIT_NOFILE (ulimit -n) is %d", err, n, openFiles())
		}
		fds = append(fds, fd)
	}
	return nil
}
