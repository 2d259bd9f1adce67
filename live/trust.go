package live

import (
	"fmt"
	"os"
	"syscall"

	"strata/internal/writable"
)

// Trust refuses, if we are root, a file or directory that others can write to: who
// can change what root acts on is root. For other users there is nothing to
// refuse.
func Trust(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if who := new(writable.Checker).By(st.Uid, st.Gid, st.Mode); who != "" {
		return fmt.Errorf("%s is writable by %s, and we are root", path, who)
	}
	return nil
}

// Trust is [Trust] for the live directory.
func (d *Dir) Trust() error { return Trust(d.real) }
