package s6

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrNotRunning is wrapped by errors about a scandir on which no s6-svscan is
// running.
var ErrNotRunning = errors.New("no s6-svscan is running on it")

// What s6-svscan takes.
const (
	// MaxNameLen is the longest name of a scandir entry, in bytes, that every
	// version takes by default. s6 2.15 passes over longer ones with a warning.
	MaxNameLen = 251
	// DefaultServices211 is how many services s6-svscan 2.11 takes without -c,
	// loggers not counted.
	DefaultServices211 = 500
	// DefaultServices215 is how many services s6-svscan 2.15 takes without -C,
	// loggers counted.
	DefaultServices215 = 1000
)

// A ScanCommand is one byte for s6-svscan. The list is closed.
type ScanCommand byte

// The commands of s6-svscan. They act on the whole scandir.
const (
	ScanRescan   ScanCommand = 'a' // look at the scandir now
	ScanPrune    ScanCommand = 'n' // end what the last look did not find; loggers at end of file
	ScanPruneAll ScanCommand = 'N' // the same, loggers at once
	ScanReap     ScanCommand = 'z' // look for dead children
	ScanStop     ScanCommand = 't' // end everything, loggers at end of file, then s6-svscan
	ScanStopAll  ScanCommand = 'q' // the same, loggers at once
	ScanAbandon  ScanCommand = 'b' // end s6-svscan alone, leave everything running
)

func (c ScanCommand) valid() bool {
	switch c {
	case ScanRescan, ScanPrune, ScanPruneAll, ScanReap, ScanStop, ScanStopAll, ScanAbandon:
		return true
	}
	return false
}

// Svscan is the s6-svscan of one scandir.
type Svscan struct {
	// Dir is the scandir.
	Dir string
}

// Running reports whether an s6-svscan is running on the scandir. The error wraps
// fs.ErrPermission for those who may not know: .s6-svscan is private to the owner.
func (s Svscan) Running() (bool, error) {
	fd, err := openRetry(s.control(), unix.O_WRONLY|unix.O_NONBLOCK)
	switch {
	case err == nil:
		return true, unix.Close(fd)
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return false, nil
	}
	return false, fmt.Errorf("cannot ask s6-svscan on %s: %w", s.Dir, err)
}

// PID gives the pid of the s6-svscan, 0 if it cannot be seen from this PID
// namespace. The error wraps [ErrNotRunning] when there is none.
func (s Svscan) PID() (int, error) {
	pid, held, err := lockHolder(filepath.Join(s.Dir, ".s6-svscan/lock"))
	if err == nil && !held {
		err = ErrNotRunning
	}
	if err != nil {
		return 0, fmt.Errorf("cannot find s6-svscan on %s: %w", s.Dir, err)
	}
	return pid, nil
}

// Send writes the commands in one write. There is no answer. The error wraps
// [ErrNotRunning] when no s6-svscan is running there.
func (s Svscan) Send(cmds ...ScanCommand) error {
	b := make([]byte, 0, 4)
	for _, c := range cmds {
		if !c.valid() {
			return fmt.Errorf("cannot command s6-svscan on %s: %q is no command", s.Dir, byte(c))
		}
		b = append(b, byte(c))
	}
	if len(b) == 0 {
		return nil
	}
	err := writeControl(s.control(), b)
	switch {
	case errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return fmt.Errorf("cannot command s6-svscan on %s: %w", s.Dir, ErrNotRunning)
	case err != nil:
		return fmt.Errorf("cannot command s6-svscan on %s: %w", s.Dir, err)
	}
	return nil
}

// Rescan makes s6-svscan look at its scandir now and start supervisors for what
// is new there.
func (s Svscan) Rescan() error { return s.Send(ScanRescan) }

// RescanPrune is Rescan, and then ends the supervisors, and the services, of what
// is gone from the scandir. It is one write, so that no older look is meant.
func (s Svscan) RescanPrune() error { return s.Send(ScanRescan, ScanPrune) }

func (s Svscan) control() string { return filepath.Join(s.Dir, ".s6-svscan/control") }
