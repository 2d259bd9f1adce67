package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	part := flag.String("part", "all", "measure one `part`: plan or apply")
	runs := flag.Int("runs", 15, "measure each thing `N` times")
	flag.Parse()
	if err := bench(*part, *runs, flag.Args()); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "benchupdate:", err)
		os.Exit(1)
	}
}

// parts are what can be measured, each in a directory that is gone afterwards.
var parts = []struct {
	name    string
	measure func(strata, dir string, runs int) error
}{
	{"plan", plans},
	{"apply", updates},
}

func bench(part string, runs int, args []string) error {
	if len(args) != 1 || runs < 1 {
		return errors.New("usage: benchupdate [-part plan|apply] [-runs N] STRATA")
	}
	strata, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	known := false
	for _, p := range parts {
		if part != "all" && part != p.name {
			continue
		}
		known = true
		dir, err := os.MkdirTemp("", "strata-bench-")
		if err != nil {
			return err
		}
		if err := errors.Join(p.measure(strata, dir, runs), os.RemoveAll(dir)); err != nil {
			return err
		}
	}
	if !known {
		return fmt.Errorf("there is no part %q", part)
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// best is the shortest time: a machine that does something else meanwhile only
// lengthens them.
func best(times []time.Duration) time.Duration { return slices.Min(times) }
