package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"strata/internal/benchtree"
	"strata/live/change"
)

// readingLimit is that on the ratio to the floor, fewLimit that on the time for
// 1,000 services.
const (
	readingLimit = 1.5
	fewLimit     = 5 * time.Millisecond
)

// readingRuns is how often the short commands are measured for each run asked for.
const readingRuns = 20

// reading measures commands that find everything up and change nothing, against a
// process that reads the status files and knows nothing of what they mean. All are
// whole processes.
func reading(ctx context.Context, s *system, runs int) error {
	if err := s.engine(ctx, change.Start); err != nil {
		return err
	}
	n := len(s.services)
	out, err := exec.CommandContext(ctx, s.strata, "ctl", "list", "-l", s.path("live")).Output()
	if lines := bytes.Count(out, []byte("\n")); err == nil && lines != n {
		err = fmt.Errorf("%d services are up instead of %d", lines, n)
	}
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	floor := func(ctx context.Context) error {
		return benchtree.Run(ctx, self, "-read", s.path("live/sv"))
	}
	for _, c := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"list", func(ctx context.Context) error { return s.run(ctx, "ctl", "list", "-l", s.path("live")) }},
		{"start, all up", func(ctx context.Context) error { return s.engine(ctx, change.Start) }},
	} {
		r := result{what: fmt.Sprintf("%d services, %s", n, c.what), limit: readingLimit}
		if n <= 1000 {
			r.limit, r.most = 0, fewLimit
		}
		for range runs * readingRuns {
			for _, m := range []struct {
				to *[]time.Duration
				do func(context.Context) error
			}{{&r.floor, floor}, {&r.engine, c.do}} {
				begin := time.Now()
				if err := m.do(ctx); err != nil {
					return err
				}
				*m.to = append(*m.to, time.Since(begin))
			}
		}
		r.print()
	}
	return nil
}

// readStatuses is the floor: it reads the status file of each service directory in
// dir.
func readStatuses(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var buf [64]byte
	for _, e := range entries {
		path := filepath.Join(dir, e.Name(), "supervise/status")
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("cannot open %s: %w", path, err)
		}
		_, err = unix.Read(fd, buf[:])
		_ = unix.Close(fd)
		if err != nil {
			return fmt.Errorf("cannot read %s: %w", path, err)
		}
	}
	return nil
}
