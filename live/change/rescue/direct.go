package rescue

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"strata/live/change"
	"strata/live/journal"
	"strata/live/runner"
	"strata/live/s6"
)

// direct runs a down program in this process, as the oneshot runner would. When ctx
// ends it runs on.
func (s *supervisor) direct(ctx context.Context, t change.Target, limit time.Duration) error {
	cfg := runner.Config{
		Environ: s.environment(),
		Lookup:  func(runner.Request) (runner.Program, error) { return s.down[t.Slot], nil },
	}
	r, err := runner.Local(ctx, cfg, runner.Request{
		ID: t.Name, Service: t.Name, Slot: uint32(t.Slot), Phase: journal.PhaseDown, LimitMS: limit.Milliseconds(),
	}, s.Streams)
	switch {
	case ctx.Err() != nil:
		return change.ErrAbandoned
	case err != nil:
		return err
	case r.TimedOut:
		return change.ErrTimedOut
	case !r.OK():
		return errors.New(r.String())
	}
	return nil
}

// environment is that of s6-svscan, which the runner has too. If it cannot be read
// there is none, and programs get the usual PATH.
func (s *supervisor) environment() []string {
	s.once.Do(func() {
		s.environ = []string{}
		pid, err := svscanPID(s.dir.Scandir())
		if err != nil {
			return
		}
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
		s.environ = strings.Split(string(text), "\x00")
	})
	return s.environ
}

// svscanUmask is the umask of s6-svscan, and so of all that runs in the tree.
func svscanUmask(scandir string) (int, bool) {
	pid, err := svscanPID(scandir)
	if err != nil {
		return 0, false
	}
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	_, rest, ok := bytes.Cut(text, []byte("\nUmask:"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	umask, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 8, 16)
	return int(umask), ok && err == nil
}

func svscanPID(scandir string) (int, error) {
	if scandir == "" {
		return 0, s6.ErrNotRunning
	}
	pid, err := s6.Svscan{Dir: scandir}.PID()
	if err == nil && pid == 0 {
		err = s6.ErrNotRunning
	}
	return pid, err
}
