package live

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// Trust refuses, if we are root, a file or directory that others can write to: who
// can change what root acts on is root. For other users there is nothing to
// refuse.
func Trust(path string) error {
	if who := writableBy(path); who != "" && os.Geteuid() == 0 {
		return fmt.Errorf("%s is writable by %s, and we are root", path, who)
	}
	return nil
}

// Trust is [Trust] for the live directory.
func (d *Dir) Trust() error { return Trust(d.real) }

// writableBy says who but root and us can write to path, or nothing.
func writableBy(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	switch {
	case st.Uid != 0 && st.Uid != uint32(os.Geteuid()):
		return fmt.Sprintf("its owner, user %d", st.Uid)
	case info.Mode().Perm()&0o002 != 0:
		return "everyone"
	case info.Mode().Perm()&0o020 != 0 && st.Gid != 0 && strconv.Itoa(int(st.Gid)) != groupOf(st.Uid):
		return fmt.Sprintf("group %d", st.Gid)
	}
	return ""
}

// groupOf is the id of a user's own group.
func groupOf(uid uint32) string {
	u, err := user.LookupId(strconv.Itoa(int(uid)))
	if err != nil {
		return ""
	}
	return u.Gid
}
