package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"strata/cmd/internal/ui"
	"strata/live"
	"strata/live/holder"
	"strata/live/runner"
	"strata/update"
	"strata/update/applier"
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
	case live.ApplierCommand:
		return true, runApplier(args[1:])
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

// runApplier applies the patch that is under way. SIGTERM makes it leave off.
func runApplier(args []string) error {
	if len(args) != 1 {
		return usagef("usage: strata %s LIVE", live.ApplierCommand)
	}
	hurry()
	ctx, suspend := context.WithCancelCause(context.Background())
	defer suspend(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM, os.Interrupt)
	go func() {
		<-signals
		suspend(update.ErrSuspended)
	}()
	s := ui.Standard(live.Applier.Name)
	return applier.Main(ctx, args[0], func(err error) { s.Errorf("%s", ui.ErrorText(err)) })
}

// runRunner is the oneshot runner.
func runRunner(args []string) error {
	err := runner.Main(args)
	if errors.Is(err, runner.ErrUsage) {
		return withCode(exitUsage, err)
	}
	return err
}
