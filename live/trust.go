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
//
// A directory with the sticky bit, such as /tmp, is fine if it is root's or ours:
// others can add to it, but not replace what we make there.
func Trust(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if info.IsDir() && info.Mode()&os.ModeSticky != 0 {
		st.Mode &^= 0o022
	}
	return trust(path, st)
}

// Trust is [Trust] for the live directory, to which nobody else must add either.
func (d *Dir) Trust() error {
	var st syscall.Stat_t
	if err := syscall.Stat(d.real, &st); err != nil {
		return &os.PathError{Op: "stat", Path: d.real, Err: err}
	}
	return trust(d.real, &st)
}

func trust(path string, st *syscall.Stat_t) error {
	if os.Geteuid() != 0 {
		return nil
	}
	if who := new(writable.Checker).By(st.Uid, st.Gid, st.Mode); who != "" {
		return fmt.Errorf("%s %w by %s, and we are root", path, ErrUntrusted, who)
	}
	return nil
}
