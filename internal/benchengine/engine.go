package main

import (
	"context"
	"fmt"
	"time"

	"strata/live/change"
)

// engine has the state engine do the same as floor does.
func (s *system) engine(ctx context.Context, op change.Op) error {
	return s.run(ctx, "ctl", op.String(), "-l", s.path("live"), bundle)
}

// The limits on the ratio of engine to floor.
const (
	upLimit   = 1.4
	downLimit = 3
)

// updown measures all services up and down.
func updown(ctx context.Context, s *system, runs int) error {
	up := result{what: fmt.Sprintf("%d services up", len(s.services)), limit: upLimit}
	down := result{what: fmt.Sprintf("%d services down", len(s.services)), limit: downLimit}
	steps := []struct {
		times *[]time.Duration
		do    func(context.Context, change.Op) error
		op    change.Op
	}{
		{&up.engine, s.engine, change.Start},
		{&down.engine, s.engine, change.Stop},
		{&up.floor, s.floor, change.Start},
		{&down.floor, s.floor, change.Stop},
	}
	for range runs {
		for _, step := range steps {
			begin := time.Now()
			if err := step.do(ctx, step.op); err != nil {
				return err
			}
			*step.times = append(*step.times, time.Since(begin))
		}
	}
	up.print()
	down.print()
	return nil
}
