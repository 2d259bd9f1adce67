package scenario

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"strata/internal/atomicfs"
	"strata/live/change"
	"strata/live/s6/s6test"
)

// Control has programs of a real s6 go the ways of a scenario: they ask files in a
// directory how to go on.
type Control struct {
	t            testing.TB
	dir          string
	gates, begun map[string]*os.File
}

// NewControl makes the directory for some services, all of whose transitions work.
// It is gone at the end of the test.
func NewControl(t testing.TB, services []Service) *Control {
	t.Helper()
	c := &Control{t: t, dir: s6test.TempDir(t), gates: map[string]*os.File{}, begun: map[string]*os.File{}}
	c.fifo("never")
	for _, s := range services {
		c.gates[s.Name], c.begun[s.Name] = c.fifo("gate."+s.Name), c.fifo("begun."+s.Name)
		c.Set(Transition{s.Name, change.Start}, Works)
		c.Set(Transition{s.Name, change.Stop}, Works)
	}
	return c
}

func (c *Control) path(name string) string { return filepath.Join(c.dir, name) }

// fifo makes a FIFO that this process has open, so that nobody waits to open it.
func (c *Control) fifo(name string) *os.File {
	c.t.Helper()
	if err := syscall.Mkfifo(c.path(name), 0o600); err != nil {
		c.t.Fatal(err)
	}
	f, err := os.OpenFile(c.path(name), os.O_RDWR, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { f.Close() })
	return f
}

// Set is that of [World].
func (c *Control) Set(tr Transition, w Way) {
	c.t.Helper()
	err := atomicfs.WriteFile(c.path(tr.Op.String()+"."+tr.Service), 0o644, func(f *os.File) error {
		_, err := fmt.Fprintln(f, w)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// Begun is that of [World].
func (c *Control) Begun(ctx context.Context, service string) {
	f := c.begun[service]
	stop := context.AfterFunc(ctx, func() { f.SetReadDeadline(time.Now()) })
	_, err := f.Read(make([]byte, 1))
	if !stop() {
		f.SetReadDeadline(time.Time{})
	} else if err != nil {
		c.t.Error(err)
	}
}

// Let is that of [World].
func (c *Control) Let(service string) {
	if _, err := c.gates[service].WriteString("\n"); err != nil {
		c.t.Error(err)
	}
}

// Completed says of the oneshots whose programs have ended well what the last one
// was.
func (c *Control) Completed() map[string]change.Op {
	c.t.Helper()
	last := map[string]change.Op{}
	text, err := os.ReadFile(c.path("completed"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		t := transitions(line)[0]
		last[t.Service] = t.Op
	}
	return last
}

const head = `#!/bin/sh
me=%s
cd %s
wait_here() {
	echo >"begun.$me"
	read _ <"gate.$me"
}
`

// TimeoutKill is the timeout-kill of a longrun, in milliseconds: after it one ends
// that has missed its signal. It is longer than anything that a scenario waits for.
const TimeoutKill = 20_000

// Run is the text of run for a longrun with notification-fd 3. It takes a signal
// where it waits to stop as having been told already. A shell that is about to read
// does not hear a signal that comes just before: see [TimeoutKill].
func (c *Control) Run(service string) string {
	return fmt.Sprintf(head, service, c.dir) + `stop() {
	read how <"stop.$me"
	case $how in
	hangs) return ;;
	waits) trap '' TERM; wait_here ;;
	esac
	exit 0
}
read how <"start.$me"
case $how in
fails|crashes) exit 1 ;;
hangs) exec sleep 100000 ;;
waits) wait_here ;;
esac
trap stop TERM
echo >&3
exec 3>&-
while :; do read _ <never; done
`
}

// Finish is the text of finish of a longrun.
func (c *Control) Finish(service string) string {
	return fmt.Sprintf(head, service, c.dir) + `read how <"start.$me"
[ "$1$how" != 1fails ] || exit 125
`
}

// Oneshot is the text of a oneshot's program.
func (c *Control) Oneshot(t Transition) string {
	return fmt.Sprintf(head, t.Service, c.dir) + "op=" + t.Op.String() + `
read how <"$op.$me"
case $how in
fails) exit 1 ;;
hangs) read _ <never ;;
waits) wait_here ;;
esac
echo "$op $me" >>completed
`
}
