package main

import (
	"context"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"strata/live/change"
	"strata/live/s6"
)

// floor is the least that bringing all services up, or down, can take: all at
// once.
func (s *system) floor(ctx context.Context, op change.Op) error {
	var g errgroup.Group
	var loop s6.Loop
	for _, sv := range s.services {
		g.Go(func() error {
			if sv.oneshot {
				return exec.CommandContext(ctx, program).Run()
			}
			goal, cmd := s6.GoalDownReady(), s6.CmdDown
			if op == change.Start {
				goal, cmd = s6.GoalUp(), s6.CmdUp
				if sv.ready {
					goal = s6.GoalUpReady()
				}
			}
			_, err := loop.WaitFor(ctx, filepath.Join(s.path("live"), "servicedirs", sv.name), goal, cmd)
			return err
		})
	}
	return g.Wait()
}
