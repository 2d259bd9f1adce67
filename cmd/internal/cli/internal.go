package cli

import (
	"context"
	"os/signal"
	"strconv"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/runner"
)

// runInternal runs a program that a live directory runs, without the weight of a
// command line for users: it may run for years. It reports false if args call none.
func runInternal(args []string) (bool, error) {
	if len(args) == 0 || args[0] != live.RunnerCommand {
		return false, nil
	}
	return true, runRunner(args[1:])
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
