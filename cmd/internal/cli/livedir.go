package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"strata/cmd/internal/ui"
	"strata/live"
	"strata/live/change"
)

// timeoutHelp describes the option -t of all tools that change something.
const timeoutHelp = "give up after `TIME`: 30s, or a number of milliseconds; 0 is never"

// hurry lets garbage be for longer than usual: what a command reads it needs to its
// end, which mostly comes before a collection would pay. The first one comes at 64 MiB,
// and from the limit on they come as often as they have to.
func hurry() {
	const percent, limit = 1600, 512 << 20
	debug.SetGCPercent(percent)
	debug.SetMemoryLimit(limit)
}

// hurryIn is hurry where there is much to read: to say so takes as long as to read some
// dozens of services.
func hurryIn(d *live.Dir) {
	const much = 1 << 20 // bytes: thousands of services
	if info, err := os.Stat(d.JournalPath()); err == nil && info.Size() >= much {
		hurry()
	}
}

// openLive opens a live directory that is going to be changed. Root does not use
// one that others can write to; under s6-rc's names, which do not look, it is a
// warning.
func openLive(s ui.Streams, path string) (*live.Dir, error) {
	d, err := live.Open(path)
	if err != nil {
		return nil, err
	}
	if err := lenient(s, d.Trust()); err != nil {
		return nil, fmt.Errorf("cannot use live directory %s: %w", path, err)
	}
	return d, nil
}

// hinted adds to an error what to do with a live directory of another release.
func hinted(err error) error {
	if errors.Is(err, live.ErrFormat) {
		return fmt.Errorf("%w; use the commands of that release, or stop everything with rc-ctl change -d -a and make it anew with rc-init", err)
	}
	return err
}

// trustDatabase is the same for a database from outside that is going to count.
func trustDatabase(s ui.Streams, path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "db")
	}
	if err := lenient(s, live.Trust(path)); err != nil {
		return fmt.Errorf("cannot use database: %w", err)
	}
	return nil
}

// lenient turns an error into a warning under s6-rc's names.
func lenient(s ui.Streams, err error) error {
	if _, dropin := dropins()[s.Tool]; err == nil || !dropin {
		return err
	}
	s.Warnf("%s", ui.ErrorText(err))
	return nil
}

// interruptible gives a context that the first SIGINT or SIGTERM ends, and a
// channel that the second one closes.
func interruptible() (ctx context.Context, abandon <-chan struct{}, stop func()) {
	ctx, interrupt := context.WithCancelCause(context.Background())
	second := make(chan struct{})
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, unix.SIGTERM)
	go func() {
		select {
		case <-signals:
			interrupt(change.ErrInterrupted)
		case <-ctx.Done():
			return
		}
		<-signals
		close(second)
	}()
	return ctx, second, func() {
		signal.Stop(signals)
		interrupt(nil)
	}
}

// timeoutFlag is a limit: a Go duration, or s6's milliseconds.
type timeoutFlag time.Duration

func (t *timeoutFlag) String() string { return time.Duration(*t).String() }
func (t *timeoutFlag) Type() string   { return "time" }

// Set reads a value.
func (t *timeoutFlag) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "ms")
	}
	if err != nil || d < 0 {
		return errors.New("want a time such as 30s, or a number of milliseconds")
	}
	*t = timeoutFlag(d)
	return nil
}
