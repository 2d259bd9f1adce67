package runner

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// Identity tells the files of programs apart. As long as one of them runs, no
// other file has its identity.
type Identity struct {
	Dev uint64 `json:"dev"`
	Ino uint64 `json:"ino"`
}

// Self is the identity of the program that runs here.
var Self = sync.OnceValues(func() (Identity, error) { return IdentityOf("/proc/self/exe") })

// IdentityOf gives the identity of the program at a path.
func IdentityOf(path string) (Identity, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return Identity{}, fmt.Errorf("cannot identify program %s: %w", path, err)
	}
	return Identity{Dev: st.Dev, Ino: st.Ino}, nil
}
