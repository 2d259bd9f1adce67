package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

func main() {
	format := flag.String("format", "both", "the source `format`: toml, s6-rc or both")
	runs := flag.Int("runs", 5, "compilations of each size")
	flag.Parse()
	if err := bench(flag.Arg(0), *format, *runs); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// sizes are the numbers of services.
var sizes = []int{1_000, 10_000, 100_000}

func bench(compiler, format string, runs int) error {
	if compiler == "" {
		return errors.New("usage: bench [-format toml|s6-rc|both] [-runs N] RC-COMPILE")
	}
	compiler, err := filepath.Abs(compiler)
	if err != nil {
		return err
	}
	formats := []string{format}
	if format == "both" {
		formats = []string{"toml", "s6-rc"}
	}
	_, _ = fmt.Printf("%-8s %9s %10s %12s %10s %14s %14s\n", "format", "services", "time", "peak memory", "database", "time x linear", "peak x linear")
	for _, f := range formats {
		var before result
		for _, n := range sizes {
			r, err := measure(compiler, f, n, runs)
			if err != nil {
				return err
			}
			r.print(f, before)
			before = r
		}
	}
	return nil
}

// result is one line of the table.
type result struct {
	services int
	time     time.Duration
	peakKiB  int64
	fileSize int64
}

func (r result) print(format string, before result) {
	timeGrowth, peakGrowth := "-", "-"
	if before.services > 0 {
		linear := float64(r.services) / float64(before.services)
		timeGrowth = fmt.Sprintf("%.2f", r.time.Seconds()/before.time.Seconds()/linear)
		peakGrowth = fmt.Sprintf("%.2f", float64(r.peakKiB)/float64(before.peakKiB)/linear)
	}
	_, _ = fmt.Printf("%-8s %9d %8.1fms %8.1f MiB %6.1f MiB %14s %14s\n", format, r.services,
		float64(r.time.Microseconds())/1000, float64(r.peakKiB)/1024, float64(r.fileSize)/(1<<20), timeGrowth, peakGrowth)
}

// measure makes a tree and compiles it; the tree is gone afterwards.
func measure(compiler, format string, n, runs int) (r result, err error) {
	dir, err := os.MkdirTemp("", "strata-bench-")
	if err != nil {
		return result{}, err
	}
	defer func() {
		if e := os.RemoveAll(dir); err == nil {
			err = e
		}
	}()
	if err := generate(filepath.Join(dir, "src"), format, n); err != nil {
		return result{}, err
	}
	var times []time.Duration
	r.services = n
	out := filepath.Join(dir, "db")
	for range runs {
		elapsed, peak, err := compile(compiler, out, filepath.Join(dir, "src"))
		if err != nil {
			return result{}, err
		}
		times = append(times, elapsed)
		r.peakKiB = max(r.peakKiB, peak)
	}
	slices.Sort(times)
	r.time = times[len(times)/2]
	info, err := os.Stat(out)
	if err != nil {
		return result{}, err
	}
	r.fileSize = info.Size()
	return r, nil
}

func compile(compiler, out, src string) (elapsed time.Duration, peakKiB int64, err error) {
	cmd := exec.Command(compiler, "-o", out, src)
	cmd.Stderr = os.Stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, 0, fmt.Errorf("cannot compile %s: %w", src, err)
	}
	elapsed = time.Since(start)
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		peakKiB = usage.Maxrss
	}
	return elapsed, peakKiB, nil
}
