package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"strata/live/journal"
)

// Lock takes the lock and gives the directory's only writer. If another process
// has it the error is a [*BusyError], at once, or with block when ctx ends. A call
// that comes from a oneshot's program never waits.
//
// The lock is never inherited and ends with the process. The lock file can be
// opened by the owner alone, so that nobody else can keep writers out.
func (d *Dir) Lock(ctx context.Context, block bool) (*Writer, error) {
	return d.LockAnd(ctx, block, func() {})
}

// LockAnd is [Dir.Lock] for who has to do something that needs the lock and not what the
// journal says: held is called before that is read, which takes long where there are
// thousands of services.
func (d *Dir) LockAnd(ctx context.Context, block bool, held func()) (*Writer, error) {
	if d.damaged {
		return nil, fmt.Errorf("cannot lock %s: %w", d.path, ErrCorrupt)
	}
	var ahead *journal.Ahead
	f, err := lockFile(ctx, d.file("lock"), block, func() {
		ahead, _ = journal.ReadAhead(d.JournalPath()) // what is wrong is found again
	})
	if err != nil {
		return nil, err
	}
	held()
	w, err := newWriter(d, f, ahead)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

// lock is a lock file that is held.
type lock struct{ *os.File }

// Close gives the lock back. To close the file is not enough: while this process
// forks, the child has a copy of the descriptor, and would hold the lock until its
// exec.
func (l *lock) Close() error {
	return errors.Join(flock(l.File, unix.LOCK_UN), l.File.Close())
}

// lockFile opens path and locks it, and leaves in it who did. If it has to wait it does
// something useful first.
func lockFile(ctx context.Context, path string, block bool, meanwhile func()) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot lock: %w", err)
	}
	err = flock(f, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		busy := &BusyError{Path: path, Who: readHolder(f), Nested: nestedIn()}
		if !block || busy.Nested != "" {
			return nil, errors.Join(busy, f.Close())
		}
		meanwhile()
		return waitLock(ctx, f, busy)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot lock %s: %w", path, err), f.Close())
	}
	return hold(f)
}

// hold makes a lock of a file that has just been locked.
func hold(f *os.File) (*lock, error) {
	held := &lock{f}
	if err := writeHolder(f); err != nil {
		return nil, errors.Join(err, held.Close())
	}
	return held, nil
}

// waitLock waits for the lock of f. When ctx ends first, the waiting goes on in
// the background until it can end, and closes f then: a lock that is waited for
// cannot be given up otherwise.
func waitLock(ctx context.Context, f *os.File, busy *BusyError) (*lock, error) {
	got := make(chan error)
	go func() {
		err := flock(f, unix.LOCK_EX)
		select {
		case got <- err:
		case <-ctx.Done():
			_ = f.Close()
		}
	}()
	select {
	case err := <-got:
		if err != nil {
			return nil, errors.Join(fmt.Errorf("cannot lock %s: %w", busy.Path, err), f.Close())
		}
		return hold(f)
	case <-ctx.Done():
		return nil, errors.Join(busy, context.Cause(ctx))
	}
}

// flock is an open file description's lock: another descriptor of the same file in
// this process neither shares nor drops it.
func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err != unix.EINTR {
			return err
		}
	}
}

// writeHolder leaves the name and pid of this process in the lock file, for those
// who find it locked.
func writeHolder(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("cannot write %s: %w", f.Name(), err)
	}
	// A full disk must not keep anybody from stopping services: the name is not
	// needed.
	_, _ = f.WriteAt([]byte(filepath.Base(os.Args[0])+"\n"+strconv.Itoa(os.Getpid())+"\n"), 0)
	return nil
}

func readHolder(f *os.File) string {
	var buf [512]byte
	n, _ := f.ReadAt(buf[:], 0)
	name, rest, ok := strings.Cut(string(buf[:n]), "\n")
	pid, _, ok2 := strings.Cut(rest, "\n")
	if _, err := strconv.Atoi(pid); err != nil || !ok || !ok2 {
		return ""
	}
	return fmt.Sprintf("%s (pid %s)", name, pid)
}

// nestedIn gives the name of the oneshot whose program this process is part of.
// The runner and s6-rc's both put it into the environment.
func nestedIn() string { return os.Getenv("RC_NAME") }
