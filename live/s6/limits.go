package s6

import "golang.org/x/sys/unix"

// descriptorReserve is how many descriptors are left to the rest of the program.
const descriptorReserve = 64

// Window gives how many things that hold perEach file descriptors each may be in
// flight at once: half of what RLIMIT_NOFILE allows, at least 1.
func Window(perEach int) int {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		lim.Cur = 1024
	}
	const plenty = 1 << 20
	free := int(min(lim.Cur, plenty))/2 - descriptorReserve
	return max(free/perEach, 1)
}
