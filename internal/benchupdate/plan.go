package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"strata/compile/db"
	"strata/update"
)

// emptyLimit is how long an empty update of 10,000 services may take.
const emptyLimit = 30 * time.Millisecond

// largeFile is the size of the file that each service has where files are large.
const largeFile = 4096

// planCase is an update to plan.
type planCase struct {
	what    string
	size    int // of a file in each service
	program func(n int) func(i int) string
	limit   time.Duration // for 10,000 services; 0 is none
}

var planCases = []planCase{
	{"nothing", 0, func(int) func(int) string { return oldProgram }, emptyLimit},
	{"nothing, large files", largeFile, func(int) func(int) string { return oldProgram }, 0},
	{"one service", 0, lastChanged, 0},
	{"all services", 0, func(int) func(int) string { return newProgram }, 0},
}

// planTimes are those of one update, each measured several times.
type planTimes struct {
	openOld, openNew, plan, all []time.Duration
	actions                     int
}

// plans measures each case for three sizes.
func plans(_, dir string, runs int) error {
	_, _ = fmt.Printf("%-32s %8s %8s %9s %9s %9s %9s %7s\n", "plan: what differs", "services", "actions", "open old", "open new", "plan", "all", "limit")
	for _, c := range planCases {
		for _, n := range []int{10_000, 20_000, 40_000} {
			t, err := measurePlan(dir, n, runs, c)
			if err != nil {
				return err
			}
			limit := ""
			if n == 10_000 && c.limit > 0 {
				limit = fmt.Sprintf("%.0fms", milliseconds(c.limit))
				if best(t.all) > c.limit {
					limit += " over"
				}
			}
			_, _ = fmt.Printf("%-32s %8d %8d %7.1fms %7.1fms %7.1fms %7.1fms %7s\n", c.what, n, t.actions,
				milliseconds(best(t.openOld)), milliseconds(best(t.openNew)), milliseconds(best(t.plan)), milliseconds(best(t.all)), limit)
		}
	}
	return nil
}

func measurePlan(dir string, n, runs int, c planCase) (t planTimes, err error) {
	oldPath, newPath := filepath.Join(dir, "old.db"), filepath.Join(dir, "new.db")
	err = errors.Join(write(oldPath, model{n, c.size, mixed, oldProgram}), write(newPath, model{n, c.size, mixed, c.program(n)}))
	for range runs {
		if err == nil {
			err = t.measure(oldPath, newPath)
		}
	}
	return t, err
}

// measure plans once, with everything up.
func (t *planTimes) measure(oldPath, newPath string) (err error) {
	begin := time.Now()
	lap := func(to *[]time.Duration, since time.Time) time.Time {
		now := time.Now()
		*to = append(*to, now.Sub(since))
		return now
	}
	old, err := db.OpenLive(oldPath)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	at := lap(&t.openOld, begin)
	next, err := db.Open(newPath)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, next.Close()) }()
	at = lap(&t.openNew, at)
	changes, err := update.Diff(old, next, update.Conversions{})
	if err != nil {
		return err
	}
	state := update.State{Up: make([]bool, old.Len()), Stopped: make([]bool, old.Len())}
	for i := range state.Up {
		state.Up[i] = true
	}
	p, err := update.Plan(changes, state, update.Options{Policy: update.Definition})
	if err != nil {
		return err
	}
	lap(&t.plan, at)
	lap(&t.all, begin)
	t.actions = len(p.Actions)
	return nil
}
