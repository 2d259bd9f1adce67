package cli

import (
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/explain"
	"strata/live/s6"
)

// ctlOptions are the options of all commands of rc-ctl.
type ctlOptions struct {
	live      string
	timeout   timeoutFlag
	verbosity int
	dry       bool
	block     bool
	json      bool
	parallel  int
	// The request.
	up, down, allDown, prune, add, without, with bool
}

func newCtlCommand(s ui.Streams) *cobra.Command {
	var o ctlOptions
	c := &cobra.Command{
		Use:   "rc-ctl",
		Short: "Bring services up and down, and show them",
		Args:  usageArgs(cobra.NoArgs),
		RunE:  func(*cobra.Command, []string) error { return usagef("say what to do; rc-ctl --help lists it") },
	}
	c.PersistentFlags().StringVarP(&o.live, "live", "l", defaultLive, "work on the live directory `LIVE`")
	c.AddCommand(
		newCtlStart(s, &o), newCtlStop(s, &o), newCtlRestart(s, &o), newCtlReload(s, &o), newCtlChange(s, &o),
		newCtlList(s, &o), newCtlListAll(s, &o), newCtlDiff(s, &o),
		newCtlStatus(s, &o), newCtlWhy(s, &o), newCtlTree(s, &o), newCtlLog(s, &o),
		newCtlWait(s, &o), newCtlWatch(s, &o),
	)
	return describeExits(c, exitOK, exitFailed, exitTimeout, exitUnknown, exitInvalid, exitUsage, exitSystem)
}

// changeFlags adds the flags of the commands that change something.
func (o *ctlOptions) changeFlags(c *cobra.Command) *cobra.Command {
	f := c.Flags()
	f.VarP(&o.timeout, "timeout", "t", timeoutHelp)
	f.IntVarP(&o.verbosity, "verbosity", "v", 1, "say `LEVEL` much: 0 failures, 1 warnings and what takes long, 2 each service and a summary, 3 each step, and what is so already")
	f.BoolVarP(&o.dry, "dry-run", "n", false, "print the steps and do nothing")
	f.BoolVarP(&o.block, "block", "b", false, "wait while another process changes the live directory")
	f.IntVar(&o.parallel, "max-parallel", 0, "let at most `N` services be under way at once (0: any number)")
	f.BoolVar(&o.json, "json", false, "print JSON lines, format "+progressFormat+"; what oneshots print goes to standard error")
	return c
}

func newCtlStart(s ui.Streams, o *ctlOptions) *cobra.Command {
	return o.changeFlags(&cobra.Command{
		Use:   "start NAME...",
		Short: "Start services and bundles, with what they need",
		Example: `  rc-ctl start web
  rc-ctl start -v 2 multi-user         # each service, and what took longest
  rc-ctl start --json web | jq 'select(.kind == "failed")'`,
		Args: usageArgs(namesDue),
		RunE: func(_ *cobra.Command, args []string) error {
			return runChange(s, *o, change.Request{Op: change.Start}, args, "start")
		},
	})
}

func newCtlStop(s ui.Streams, o *ctlOptions) *cobra.Command {
	c := o.changeFlags(&cobra.Command{
		Use:   "stop NAME...",
		Short: "Stop services and bundles, with what needs them",
		Example: `  rc-ctl stop web
  rc-ctl stop -n network               # what would be stopped`,
		Args: usageArgs(namesDue),
		RunE: func(_ *cobra.Command, args []string) error {
			return runChange(s, *o, change.Request{Op: change.Stop, Essentials: o.without}, args, "stop")
		},
	})
	c.Flags().BoolVarP(&o.without, "essentials", "e", false, "stop essential services too")
	return c
}

func newCtlChange(s ui.Streams, o *ctlOptions) *cobra.Command {
	c := o.changeFlags(&cobra.Command{
		Use:   "change [-u | -d | -D] [-p] [-a] [NAME...]",
		Short: "Change the state of services as s6-rc does",
		Example: `  rc-ctl change -u -p multi-user    # these up, all else down
  rc-ctl change -D -a               # everything down`,
		RunE: func(_ *cobra.Command, args []string) error {
			req, err := o.request()
			if err != nil {
				return err
			}
			return runChange(s, *o, req, args, "change")
		},
	})
	f := c.Flags()
	f.BoolVarP(&o.up, "up", "u", false, "bring up (this is the default)")
	f.BoolVarP(&o.down, "down", "d", false, "bring down, but no essential service")
	f.BoolVarP(&o.allDown, "all-down", "D", false, "bring down, essential services too")
	f.BoolVarP(&o.prune, "prune", "p", false, "do the opposite to all other services")
	f.BoolVarP(&o.add, "add", "a", false, "add all services that are up to the names")
	f.BoolVarP(&o.without, "without-essentials", "e", false, "when stopping, stop essential services too")
	f.BoolVarP(&o.with, "with-essentials", "E", false, "when stopping, leave essential services up")
	return c
}

// namesDue refuses a command without names.
func namesDue(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("name at least one service or bundle")
	}
	return nil
}

// request is what the flags of change ask for.
func (o *ctlOptions) request() (change.Request, error) {
	req := change.Request{Op: change.Start, Prune: o.prune, Live: o.add}
	if o.up && (o.down || o.allDown) || o.down && o.allDown {
		return req, usagef("only one of -u, -d and -D can be given")
	}
	if o.with && o.without {
		return req, usagef("-e and -E contradict each other")
	}
	if o.down || o.allDown {
		req.Op = change.Stop
	}
	req.Essentials = o.allDown && !o.with || o.without
	return req, nil
}

// runChange does a request for names. verb is the command, for the journal.
func runChange(s ui.Streams, o ctlOptions, req change.Request, names []string, verb string) error {
	job, err := o.job(s, req, names, verb)
	if err != nil {
		return err
	}
	return job.do()
}

// job is what the flags say of a request.
func (o ctlOptions) job(s ui.Streams, req change.Request, names []string, verb string) (changeJob, error) {
	if o.parallel < 0 {
		return changeJob{}, usagef("--max-parallel %d is negative", o.parallel)
	}
	job := changeJob{
		s: s, live: o.live, req: req, names: names, block: o.block, verbosity: o.verbosity,
		run: tree.Options{Cause: explain.Command("rc-ctl", verb, names), Limit: time.Duration(o.timeout), MaxParallel: o.parallel, Dry: o.dry},
	}
	if o.dry {
		job.verbosity = max(job.verbosity, 2)
	}
	if o.json {
		// Standard output is for JSON alone.
		job.tell, job.own = &jsonTell{s: s, op: req.Op, dry: o.dry}, os.Stderr
	} else {
		job.tell = &peopleTell{s: s, op: req.Op, verbosity: job.verbosity, dry: o.dry}
	}
	return job, nil
}

// liveCode gives the exit code of an error about a live directory.
func liveCode(err error) int {
	var name *tree.NameError
	var down *change.NotUpError
	switch {
	case errors.As(err, &name):
		return exitUnknown
	case errors.As(err, &down):
		return exitFailed
	case errors.Is(err, s6.ErrNotRunning):
		return exitUsage
	}
	for _, invalid := range []error{
		db.ErrCorrupt, db.ErrFormat, live.ErrCorrupt, live.ErrFormat, live.ErrStale, s6.ErrBadStatus,
	} {
		if errors.Is(err, invalid) {
			return exitInvalid
		}
	}
	return exitSystem
}
