package s6

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Perms says who may do what with a service: the modes of the three things that
// s6-supervise takes as it finds them, and their group.
type Perms struct {
	// GID is the group of all three, or -1 for the one the caller makes files with.
	GID int
	// Event is the mode of event/: 03730, the group may listen; 01733, everyone may.
	Event uint32
	// Supervise is the mode of supervise/: 0700; 0710, the group may read the status;
	// 0711, everyone may.
	Supervise uint32
	// Control is the mode of supervise/control: 0600, or 0620, the group may send
	// commands, which takes search permission on supervise/ too.
	Control uint32
}

// OwnerOnly gives the permissions that s6-supervise itself would make.
func OwnerOnly() Perms { return Perms{GID: -1, Event: 0o3730, Supervise: 0o700, Control: 0o600} }

// check refuses modes that s6-svperms would warn about.
func (p Perms) check() error {
	switch {
	case p.Event != 0o3730 && p.Event != 0o1733:
		return fmt.Errorf("mode %#o for event is neither 03730 nor 01733", p.Event)
	case p.Supervise != 0o700 && p.Supervise != 0o710 && p.Supervise != 0o711:
		return fmt.Errorf("mode %#o for supervise is none of 0700, 0710, 0711", p.Supervise)
	case p.Control != 0o600 && p.Control != 0o620:
		return fmt.Errorf("mode %#o for control is neither 0600 nor 0620", p.Control)
	}
	return nil
}

// Seed makes event/, supervise/ and supervise/control in the service directory
// dir, with these permissions whatever the umask, before a supervisor comes: it
// takes them as they are. Listeners can subscribe from then on. What exists gets
// the permissions too, so Seed can be repeated. A logger in dir/log has its own.
func Seed(dir string, p Perms) error {
	if err := p.check(); err != nil {
		return fmt.Errorf("cannot prepare %s: %w", dir, err)
	}
	parts := []struct {
		name string
		typ  uint32
		make func(string, uint32) error
		mode uint32
	}{
		{"event", unix.S_IFDIR, unix.Mkdir, p.Event},
		{"supervise", unix.S_IFDIR, unix.Mkdir, p.Supervise},
		{"supervise/control", unix.S_IFIFO, unix.Mkfifo, p.Control},
	}
	for _, part := range parts {
		path := filepath.Join(dir, part.name)
		if err := seedOne(path, part.typ, part.make, part.mode, p.GID); err != nil {
			return fmt.Errorf("cannot prepare %s: %s: %w", dir, part.name, err)
		}
	}
	return nil
}

// seedOne makes one of the three, without following a link that stands there.
func seedOne(path string, typ uint32, create func(string, uint32) error, mode uint32, gid int) error {
	// Others must not come in before group and mode are right.
	if err := create(path, mode&0o700); err != nil && err != unix.EEXIST {
		return err
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != typ {
		return errors.New("exists and is something else")
	}
	if gid >= 0 && st.Gid != uint32(gid) {
		if err := unix.Lchown(path, -1, gid); err != nil {
			return err
		}
	} else if st.Mode&0o7777 == mode {
		return nil
	}
	return unix.Chmod(path, mode) // last, since chown clears the setgid bit
}
