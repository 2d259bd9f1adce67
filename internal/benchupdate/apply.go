package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"strata/internal/benchtree"
	"strata/live/s6"
)

// oneLimit is how long an update of one service among 10,000 may take, beside what its
// own stop and start do.
const oneLimit = 50 * time.Millisecond

// machine is a live directory in which everything is up: oneshots, and one longrun,
// which is the last service. Each longrun more would add the reading of its status
// file, which the engine's benchmark measures.
type machine struct {
	strata, dir string
	services    int
	size        int // of a file in each service
	svscan      *benchtree.Svscan
}

func (m *machine) path(name string) string { return filepath.Join(m.dir, name) }

// program is what the services run: the longrun sleeps. Which of two it is does not
// matter to anybody but rc-update.
func (m *machine) program(seconds int) func(int) string {
	return func(i int) string {
		if i == m.services-1 {
			return fmt.Sprintf("exec sleep %d\n", seconds)
		}
		return ":\n"
	}
}

// start makes the machine. The caller stops it, also after an error.
func (m *machine) start(ctx context.Context) error {
	last := func(i int) bool { return i == m.services-1 }
	err := errors.Join(
		os.Mkdir(m.dir, 0o700),
		write(m.path("old.db"), model{m.services, m.size, last, m.program(1e6)}),
		write(m.path("new.db"), model{m.services, m.size, last, m.program(1e6 + 1)}),
	)
	if err == nil {
		m.svscan, err = benchtree.Start(m.path("scan"), m.path("live"))
	}
	if err == nil {
		err = m.run(ctx, "init", "-c", m.path("old.db"), "-l", m.path("live"), m.path("scan"))
	}
	if err != nil {
		return err
	}
	all := make([]string, m.services)
	for i := range all {
		all[i] = name(i)
	}
	return m.run(ctx, append([]string{"ctl", "start", "-l", m.path("live")}, all...)...)
}

func (m *machine) run(ctx context.Context, args ...string) error {
	return benchtree.Run(ctx, m.strata, args...)
}

// restart is the floor: the longrun's own stop and start, as s6 does them.
func (m *machine) restart(ctx context.Context) error {
	dir := filepath.Join(m.path("live"), "servicedirs", name(m.services-1))
	if _, err := s6.WaitFor(ctx, dir, s6.GoalDownReady(), s6.CmdDown); err != nil {
		return err
	}
	_, err := s6.WaitFor(ctx, dir, s6.GoalUp(), s6.CmdUp)
	return err
}

// updates measures whole commands: an update to what there is already, and one of the
// longrun's program, applied in the supervision tree and in the foreground.
func updates(strata, dir string, runs int) error {
	_, _ = fmt.Printf("%-32s %8s %9s %11s %9s %7s\n", "apply: what differs", "services", "all", "stop, start", "beside it", "limit")
	for i, c := range []struct{ services, size int }{{2_500, 0}, {5_000, 0}, {10_000, 0}, {10_000, largeFile}} {
		m := &machine{strata: strata, dir: filepath.Join(dir, fmt.Sprint(i)), services: c.services, size: c.size}
		if err := errors.Join(m.measure(context.Background(), runs), m.svscan.Stop()); err != nil {
			return err
		}
	}
	return nil
}

func (m *machine) measure(ctx context.Context, runs int) error {
	if err := m.start(ctx); err != nil {
		return err
	}
	target := "old.db" // is current
	update := func(flags ...string) error {
		args := append([]string{"update", "-l", m.path("live")}, flags...)
		return m.run(ctx, append(args, m.path(target))...)
	}
	turn := func() {
		if target == "old.db" {
			target = "new.db"
		} else {
			target = "old.db"
		}
	}
	for _, c := range []struct {
		what  string
		do    func() error
		one   bool
		limit time.Duration
	}{
		{"nothing", func() error { return update() }, false, emptyLimit},
		{"one service", func() error { turn(); return update() }, true, oneLimit},
		{"one, in foreground", func() error { turn(); return update("--foreground") }, true, oneLimit},
	} {
		var all, own []time.Duration
		for range runs {
			begin := time.Now()
			if err := c.do(); err != nil {
				return err
			}
			all = append(all, time.Since(begin))
			if begin = time.Now(); c.one {
				if err := m.restart(ctx); err != nil {
					return err
				}
				own = append(own, time.Since(begin))
			}
		}
		m.print(c.what, all, own, c.limit)
	}
	return nil
}

func (m *machine) print(what string, all, own []time.Duration, limit time.Duration) {
	if m.size > 0 {
		what += ", large files"
	}
	var floor time.Duration
	if len(own) > 0 {
		floor = best(own)
	}
	verdict := ""
	// A new database with large files takes as long to copy and to check as it is large.
	if m.services == 10_000 && (m.size == 0 || len(own) == 0) {
		verdict = fmt.Sprintf("%.0fms", milliseconds(limit))
		if best(all)-floor > limit {
			verdict += " over"
		}
	}
	_, _ = fmt.Printf("%-32s %8d %7.1fms %9.1fms %7.1fms %7s\n", what, m.services,
		milliseconds(best(all)), milliseconds(floor), milliseconds(best(all)-floor), verdict)
}
