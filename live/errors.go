package live

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Errors that callers decide on; they are wrapped.
var (
	// ErrNoLive: there is no live directory at this path.
	ErrNoLive = errors.New("no live directory there")
	// ErrStale: the directory was made for an s6-svscan, or a boot, that is over.
	ErrStale = errors.New("it belongs to an earlier life of the supervision tree")
	// ErrCorrupt: something in the directory is not what this package wrote.
	ErrCorrupt = errors.New("the live directory is damaged")
	// ErrFormat: the directory, or something in it, is of another release.
	ErrFormat = errors.New("it has the format of another release")
	// ErrUntrusted: others can write to it, and we are root.
	ErrUntrusted = errors.New("is writable")
	// ErrMismatch: a live directory with other properties is in use.
	ErrMismatch = errors.New("a live directory is in use there already")
	// ErrHalfApplied: a patch was left in the middle, or is being applied. It can be
	// gone on with or taken back, and everything can be stopped.
	ErrHalfApplied = errors.New("a patch is half applied: rc-update --resume goes on with it, --abort takes it back, --attach looks on; rc-ctl change -D -a stops everything")
	// ErrUsage: a parameter cannot be right.
	ErrUsage = errors.New("wrong parameter")
)

// damaged says of what could not be read that it is damaged, unless it was only not
// the moment: no descriptor or no memory was left.
func damaged(err error) error {
	for _, passing := range []error{unix.EMFILE, unix.ENFILE, unix.ENOMEM} {
		if errors.Is(err, passing) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// BusyError says that another process holds the lock.
type BusyError struct {
	Path string
	// Who is the holder as far as it can be known: "rc-update (pid 123)", or empty.
	Who string
	// Nested is the name of the oneshot whose program made the call, if it was one:
	// its own transition holds the lock, so that waiting would be for ever.
	Nested string
}

// Error says who holds the lock.
func (e *BusyError) Error() string {
	who := e.Who
	if who == "" {
		who = "another process"
	}
	if e.Nested != "" {
		return fmt.Sprintf("cannot lock %s: held by %s, and this call comes from the oneshot %s, which that may be waiting for", e.Path, who, e.Nested)
	}
	return fmt.Sprintf("cannot lock %s: held by %s", e.Path, who)
}
