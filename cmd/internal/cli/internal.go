package cli

import (
	"context"
	"errors"
	"os/signal"
	"strconv"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/holder"
	"strata/live/runner"
)

// runInternal runs a program that a live directory runs, without the weight of a
// command line for users: it may run for years. It reports false if args call none.
func runInternal(args []string) (bool, error) {
	if len(args) == 0 {
		return false, nil
	}
	switch args[0] {
	case live.RunnerCommand:
		return true, runRunner(args[1:])
	case live.HolderCommand:
		return true, runHolder(args[1:])
	}
	return false, nil
}

// runHolder becomes the fd-holder.
func runHolder(args []string) error {
	err := holder.Main(args)
	if errors.Is(err, holder.ErrGivesUp) {
		return withCode(live.HolderGivesUp, err)
	}
	return err
}

// runRunner is the oneshot runner. SIGTERM ends it, and with it the programs that
// run.
func runRunner(args []string) error {
	if len(args) != 3 || args[0] != "--fd" {
		return usagef("usage: strata %s --fd N LIVE", live.RunnerCommand)
	}
	fd, err := strconv.Atoi(args[1])
	if err != nil || fd < 0 {
		return usagef("%q is no descriptor", args[1])
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()
	return runner.Main(ctx, args[2], fd)
}
