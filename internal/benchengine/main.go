package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	part := flag.String("part", "all", "measure one `part`: updown, reading or many")
	services := flag.Int("services", 1000, "bring `N` services up and down")
	runs := flag.Int("runs", 5, "measure each thing `N` times")
	read := flag.String("read", "", "only read the status files in `DIRECTORY`: the floor of reading")
	flag.Parse()
	if *read != "" {
		if err := readStatuses(*read); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, "benchengine:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	if err := bench(ctx, flag.Arg(0), *part, *services, *runs); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "benchengine:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, strata, part string, services, runs int) error {
	if strata == "" || runs < 1 {
		return errors.New("usage: benchengine [-part updown|reading|many] [-services N] [-runs N] STRATA")
	}
	strata, err := filepath.Abs(strata)
	if err != nil {
		return err
	}
	parts := []struct {
		name    string
		measure func() error
	}{
		{"updown", func() error {
			return onSystem(ctx, strata, services, func(s *system) error { return updown(ctx, s, runs) })
		}},
		{"reading", func() error {
			return onSystem(ctx, strata, services, func(s *system) error { return reading(ctx, s, runs) })
		}},
		{"many", func() error {
			return onSystem(ctx, strata, 10*services, func(s *system) error { return reading(ctx, s, runs) })
		}},
	}
	_, _ = fmt.Printf("%-30s %10s %10s %7s %7s\n", "", "floor", "engine", "ratio", "limit")
	known := part == "all"
	for _, p := range parts {
		if part != "all" && part != p.name {
			continue
		}
		known = true
		if err := p.measure(); err != nil {
			return err
		}
	}
	if !known {
		return fmt.Errorf("there is no part %q", part)
	}
	return nil
}

// onSystem measures something on a system of n services, which is gone afterwards.
func onSystem(ctx context.Context, strata string, n int, measure func(*system) error) error {
	root, err := os.MkdirTemp("", "strata-bench-")
	if err != nil {
		return err
	}
	s, err := newSystem(ctx, strata, root, n)
	if err == nil {
		err = measure(s)
	}
	return errors.Join(err, s.stop())
}

// result is one line of the table: a thing that was measured several times, and
// its floor as often.
type result struct {
	what          string
	floor, engine []time.Duration
	limit         float64 // on the ratio of the medians
	// most is the limit on the engine's median where there is none on the ratio.
	most time.Duration
}

func (r result) print() {
	floor, engine := median(r.floor), median(r.engine)
	ratio, verdict := engine.Seconds()/floor.Seconds(), ""
	limit := fmt.Sprintf("%.2f", r.limit)
	if r.limit == 0 {
		limit = r.most.String()
	}
	switch {
	case r.most > 0 && floor > r.most:
		verdict = "not on this machine: the floor is over"
	case r.limit > 0 && ratio > r.limit, r.most > 0 && engine > r.most:
		verdict = "over"
	}
	_, _ = fmt.Printf("%-30s %8.1fms %8.1fms %7.2f %7s %s\n", r.what, milliseconds(floor), milliseconds(engine), ratio, limit, verdict)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}
