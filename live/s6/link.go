package s6

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// DefaultStall is the usual stall limit of [Link].
const DefaultStall = 10 * time.Second

// ErrStalled is wrapped by the error of [Link] when no awaited supervisor at all
// has appeared for a whole stall limit.
var ErrStalled = errors.New("no further supervisor appears")

// ErrDangling is wrapped by the error of [Link] when the scandir holds a dangling
// link.
var ErrDangling = errors.New("is a dangling link, over which s6-svscan can give its whole scan up: remove it")

// An Entry is one service in a scandir: a link named Name to the service directory
// Dir, an absolute path. If Dir/log is a directory, s6-svscan supervises it too.
type Entry struct {
	Name string
	Dir  string
}

// check refuses what s6-svscan would pass over or choke on.
func (e Entry) check() error {
	switch {
	case e.Name == "" || e.Name[0] == '.':
		return fmt.Errorf("%q cannot be the name of a service", e.Name)
	case strings.ContainsAny(e.Name, "/\n\x00"):
		return fmt.Errorf("name %q contains a slash, a newline or a null", e.Name)
	case len(e.Name) > MaxNameLen:
		return fmt.Errorf("name %q is longer than %d bytes", e.Name, MaxNameLen)
	case !filepath.IsAbs(e.Dir):
		return fmt.Errorf("service directory %q is not an absolute path", e.Dir)
	}
	return nil
}

// dirs gives the directories that get a supervisor each.
func (e Entry) dirs() []string {
	dirs := []string{e.Dir}
	if log := filepath.Join(e.Dir, "log"); isDir(log) {
		dirs = append(dirs, log)
	}
	return dirs
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Link puts the entries into the scandir with one rescan (a few for thousands,
// see [Window]), and waits until each has its supervisor. The service directories
// must be complete, event/ included (see [Seed]), and hold a file down if the
// service must not start yet.
//
// A dangling link in the scandir, whoever made it, is an error beforehand: s6-svscan
// 2.15 would give up halfway, and not start what it had met so far even when the
// link is gone.
//
// An entry that is there already is fine, and so is one that has its supervisor.
// If nothing at all happens for the time stall, the error wraps [ErrStalled] and
// says what may be the cause; 0 is no limit but that of ctx. After any error the
// links that this call made are removed again and their supervisors ended.
func Link(ctx context.Context, scandir string, entries []Entry, stall time.Duration) error {
	sc := Svscan{Dir: scandir}
	running, err := sc.Running()
	if err == nil && !running {
		err = ErrNotRunning
	}
	if err != nil {
		return fmt.Errorf("cannot add services to %s: %w", scandir, err)
	}
	for _, e := range entries {
		if err := e.check(); err != nil {
			return fmt.Errorf("cannot add services to %s: %w", scandir, err)
		}
		if !isDir(e.Dir) {
			return fmt.Errorf("cannot add service %s to %s: %s is not a directory", e.Name, scandir, e.Dir)
		}
	}
	if path := firstDangling(scandir); path != "" {
		return fmt.Errorf("cannot add services to %s: %s %w", scandir, path, ErrDangling)
	}
	l := linker{scandir: sc, stall: stall}
	for batch := range slices.Chunk(entries, Window(2)) {
		if err := l.batch(ctx, batch); err != nil {
			return errors.Join(fmt.Errorf("cannot add services to %s: %w", scandir, err), l.rollBack(ctx))
		}
	}
	return nil
}

// linker is one call of Link: what it has made so far.
type linker struct {
	scandir Svscan
	stall   time.Duration
	made    []Entry
}

// awaited is a supervisor that is to appear.
type awaited struct {
	dir string
	sub *Subscription
}

// batch links some entries and waits for their supervisors.
func (l *linker) batch(ctx context.Context, entries []Entry) error {
	var waits []awaited
	defer func() {
		for _, w := range waits {
			w.sub.Close()
		}
	}()
	for _, e := range entries {
		for _, dir := range e.dirs() {
			if up, err := Supervised(dir); err != nil || up {
				if err != nil {
					return err
				}
				continue
			}
			sub, err := Subscribe(filepath.Join(dir, "event"))
			if err != nil {
				return err
			}
			waits = append(waits, awaited{dir, sub})
		}
	}
	changed := len(waits) > 0
	for _, e := range entries {
		made, err := link(l.scandir.Dir, e)
		if err != nil {
			return err
		}
		if made {
			changed = true
			l.made = append(l.made, e)
		}
	}
	if !changed {
		return nil
	}
	if err := l.scandir.Rescan(); err != nil {
		return err
	}
	return l.await(ctx, waits)
}

// link makes the link of one entry, and reports false if it was there.
func link(scandir string, e Entry) (bool, error) {
	path := filepath.Join(scandir, e.Name)
	err := os.Symlink(e.Dir, path)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, os.ErrExist) {
		return false, err
	}
	there, err1 := os.Stat(path)
	mine, err2 := os.Stat(e.Dir)
	if err := errors.Join(err1, err2); err != nil {
		return false, err
	}
	if !os.SameFile(there, mine) {
		return false, fmt.Errorf("%s exists and is not %s", path, e.Dir)
	}
	return false, nil
}

// await waits until each of the supervisors has appeared, in any order.
func (l *linker) await(ctx context.Context, waits []awaited) error {
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan error)
	for _, w := range waits {
		go func() { results <- appeared(ctx, w) }()
	}
	pending := len(waits)
	defer func() {
		cancel()
		for range pending {
			<-results //nolint:errcheck // too late to count
		}
	}()
	var stalled <-chan time.Time
	var timer *time.Timer
	if l.stall > 0 {
		timer = time.NewTimer(l.stall)
		defer timer.Stop()
		stalled = timer.C
	}
	for pending > 0 {
		select {
		case err := <-results:
			pending--
			if err != nil {
				return err
			}
			if timer != nil {
				timer.Reset(l.stall)
			}
		case <-stalled:
			return l.whyStalled(waits, pending)
		}
	}
	return nil
}

// appeared waits for one supervisor. Any event is worth a look: the first one may
// have been lost to a full FIFO, or s6-supervise may have been faster than us.
func appeared(ctx context.Context, w awaited) error {
	for {
		events, err := w.sub.Next(ctx)
		if err != nil {
			return fmt.Errorf("waiting for supervisor of %s: %w", w.dir, err)
		}
		if slices.Contains(events, EventStart) {
			return nil
		}
		if up, err := Supervised(w.dir); err != nil || up {
			return err
		}
	}
}

// whyStalled says what the supervisors that do not appear may have to do with.
func (l *linker) whyStalled(waits []awaited, pending int) error {
	if dangling := firstDangling(l.scandir.Dir); dangling != "" {
		return fmt.Errorf("%w within %v (%d missing): %s %w", ErrStalled, l.stall, pending, dangling, ErrDangling)
	}
	missing := ""
	for _, w := range waits {
		if up, err := Supervised(w.dir); err == nil && !up {
			missing = w.dir
			break
		}
	}
	return fmt.Errorf("%w within %v (%d missing, one is %s): s6-svscan may be at its limit of services: start it with a higher -c (s6 2.11; 500 by default) or -C (2.15; 1000)",
		ErrStalled, l.stall, pending, missing)
}

// firstDangling finds a dangling link in the scandir, "" if there is none.
func firstDangling(scandir string) string {
	entries, _ := os.ReadDir(scandir)
	for _, e := range entries {
		path := filepath.Join(scandir, e.Name())
		if e.Name()[0] == '.' || e.Type()&os.ModeSymlink == 0 {
			continue
		}
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return path
		}
	}
	return ""
}

// rollBackLimit is how long taking services back may take: they are new and
// normally down, so that their supervisors end at once.
const rollBackLimit = 10 * time.Second

// rollBack removes the links that were made and ends their supervisors.
func (l *linker) rollBack(ctx context.Context) error {
	if len(l.made) == 0 {
		return nil
	}
	// Also when it was ctx that ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollBackLimit)
	defer cancel()
	return Unlink(ctx, l.scandir.Dir, l.made)
}
