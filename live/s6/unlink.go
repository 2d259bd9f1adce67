package s6

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Unlink takes the entries out of the scandir with one rescan (a few for
// thousands), which ends their supervisors and with them the services, and waits
// until no supervisor of theirs is left: then their directories can be removed.
// A logger ends when its service has ended and its input is at end of file.
//
// Bring services down first where their timeouts or outcomes matter; Unlink waits
// as long as ctx allows. An entry that is not there is fine, one that points to
// another service directory is an error. If no s6-svscan is running the links are
// removed, and the error wraps [ErrNotRunning] only if a supervisor is left.
func Unlink(ctx context.Context, scandir string, entries []Entry) error {
	sc := Svscan{Dir: scandir}
	for _, e := range entries {
		if err := e.check(); err != nil {
			return fmt.Errorf("cannot remove services from %s: %w", scandir, err)
		}
	}
	for batch := range slices.Chunk(entries, Window(2)) {
		if err := unlinkBatch(ctx, sc, batch); err != nil {
			return fmt.Errorf("cannot remove services from %s: %w", scandir, err)
		}
	}
	return nil
}

func unlinkBatch(ctx context.Context, sc Svscan, entries []Entry) error {
	// Only what is in the scandir, or was, is ours to wait for.
	var dirs []string
	changed := false
	for _, e := range entries {
		removed, err := unlinkOne(sc.Dir, e)
		if err != nil {
			return err
		}
		changed = changed || removed
		for _, dir := range e.dirs() {
			up, err := Supervised(dir)
			if err != nil {
				return err
			}
			if up {
				dirs = append(dirs, dir)
			}
		}
	}
	if !changed && len(dirs) == 0 {
		return nil
	}
	err := sc.RescanPrune()
	if errors.Is(err, ErrNotRunning) && len(dirs) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, dir := range dirs {
		g.Go(func() error { return ended(ctx, dir) })
	}
	return g.Wait()
}

// unlinkOne removes the link of one entry, and reports false if there was none.
func unlinkOne(scandir string, e Entry) (bool, error) {
	path := filepath.Join(scandir, e.Name)
	target, err := os.Readlink(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if target != e.Dir {
		there, err1 := os.Stat(path)
		mine, err2 := os.Stat(e.Dir)
		if err1 != nil || err2 != nil || !os.SameFile(there, mine) {
			return false, fmt.Errorf("%s points to %s and not to %s", path, target, e.Dir)
		}
	}
	err = ignoreMissing(os.Remove(path))
	return err == nil, err
}

// ended waits until no supervisor is left on dir. One that was killed may have
// been replaced in the moment before it was taken out.
func ended(ctx context.Context, dir string) error {
	for {
		sup, err := OpenSupervisor(dir)
		if errors.Is(err, ErrNotSupervised) {
			return nil
		}
		if err != nil {
			return err
		}
		err = sup.Dead(ctx)
		sup.Close()
		if err != nil {
			return fmt.Errorf("waiting for the end of the supervisor of %s: %w", dir, err)
		}
	}
}
