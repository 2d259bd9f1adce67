package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"strata/live/s6"
)

// oldLimit is how long services of an earlier life may take to end.
const oldLimit = 30 * time.Second

// removeRemains removes all real directories but one, with their links in the
// scandir and supervisors that are left on them.
func (in *initer) removeRemains(ctx context.Context, keep string) error {
	siblings, err := in.siblings()
	if err != nil {
		return err
	}
	for _, scandir := range in.scandirs(siblings) {
		if err := in.removeLinks(scandir, keep); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, oldLimit, errors.New("it does not end"))
	defer cancel()
	for _, real := range siblings {
		if real == keep {
			continue
		}
		for _, dir := range supervised(real) {
			in.warn("ending what is left of an earlier life in %s", dir)
			if err := end(ctx, dir); err != nil {
				return err
			}
		}
		if err := in.removeReal(real); err != nil {
			return err
		}
	}
	return nil
}

// removeReal removes a real directory. format, which says that it is ours, goes
// last.
func (in *initer) removeReal(real string) error {
	entries, err := os.ReadDir(real)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "format" {
			continue
		}
		if err := in.Hooks.Hit("remove-old"); err != nil {
			return err
		}
		if err := removeTree(filepath.Join(real, e.Name())); err != nil {
			return err
		}
	}
	return removeTree(real)
}

// scandirs are the scandirs in which there can be links into the directories: ours,
// and where they were used with another one, that.
func (in *initer) scandirs(siblings []string) []string {
	list := []string{in.Scandir}
	for _, real := range siblings {
		scandir, err := os.Readlink(filepath.Join(real, "scandir"))
		if err != nil || slices.Contains(list, scandir) {
			continue
		}
		if info, err := os.Stat(scandir); err == nil && info.IsDir() && filepath.IsAbs(scandir) {
			list = append(list, scandir)
		}
	}
	return list
}

// removeLinks removes from a scandir what points into real directories of ours but
// one, dangling or not, and tells s6-svscan.
func (in *initer) removeLinks(scandir, keep string) error {
	entries, err := os.ReadDir(scandir)
	if err != nil {
		return err
	}
	removed := false
	for _, e := range entries {
		path := filepath.Join(scandir, e.Name())
		target, err := os.Readlink(path)
		if err != nil {
			continue // no link
		}
		real, ok := in.pointsInto(target)
		if !ok || real == keep {
			continue
		}
		if _, err := os.Lstat(real); err == nil && !ours(real) {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		removed = true
	}
	if !removed {
		return nil
	}
	err = s6.Svscan{Dir: scandir}.RescanPrune()
	if errors.Is(err, s6.ErrNotRunning) {
		return nil // then nobody will look at them again
	}
	return err
}

// pointsInto gives the real directory, there or not, that the target of a link
// into a service directory is in.
func (in *initer) pointsInto(target string) (real string, ok bool) {
	rest, ok := strings.CutPrefix(target, filepath.Join(in.parent, in.realPrefix()))
	if !ok {
		return "", false
	}
	name, _, ok := strings.Cut(rest, "/")
	return filepath.Join(in.parent, in.realPrefix()+name), ok
}

// end makes a supervisor, and what it runs, end, and waits for that.
func end(ctx context.Context, dir string) error {
	for {
		sup, err := s6.OpenSupervisor(dir)
		if errors.Is(err, s6.ErrNotSupervised) {
			return nil
		}
		if err != nil {
			return err
		}
		err = s6.SendControl(dir, s6.CmdDown, s6.CmdExit)
		// s6-svscan may have told it first.
		if err == nil || errors.Is(err, s6.ErrNotSupervised) {
			err = sup.Dead(ctx)
		}
		sup.Close()
		if err != nil {
			return fmt.Errorf("cannot end the supervisor of %s: %w", dir, err)
		}
	}
}
