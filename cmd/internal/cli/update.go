package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/update"
)

type updateOptions struct {
	live, conversions, policy string
	timeout                   timeoutFlag
	dryRun, json, block       bool
	force, spare              bool
	respectStops              bool
	restart, keep             []string
	verbosity                 int
}

func newUpdateCommand(s ui.Streams) *cobra.Command {
	o := updateOptions{live: defaultLive, policy: string(update.Definition)}
	c := &cobra.Command{
		Use:   "rc-update [-n] [-f CONV] NEWDB",
		Short: "Take the live directory to another database, with as little disturbance as possible",
		Long: `Take the live directory to another database.

What is up stays up, under its new name if it has one. The policy definition
restarts what has changed in a way that asks for it, reloads what can reload, and
leaves everything else alone; the policy identity follows s6-rc-update, which does
not look at what a definition contains. Essential services are never stopped
without -e, and what an operator stopped stays down unless something needs it.

--restart and --keep name services as they are called now. They come before the
conversion file, that before on-change in a definition, and that before the class
of what has changed. What cannot be done is refused, and nothing is touched.

With -n the patch is shown, with the reason for each action, and nothing is done.`,
		Example: `  rc-update -n new.db
  rc-update -f renames /etc/strata/compiled/current
  rc-update -n --json new.db > patch.json`,
		Args: usageArgs(checkUpdateArgs),
		RunE: func(_ *cobra.Command, args []string) error { return runUpdate(s, o, args[0]) },
	}
	f := c.Flags()
	f.BoolVarP(&o.dryRun, "dry-run", "n", false, "show the patch and do nothing")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.StringVarP(&o.live, "live", "l", o.live, "update the live directory `LIVE`")
	f.StringVarP(&o.conversions, "conversion-file", "f", "", "rename and restart services as this `FILE` says")
	f.StringVar(&o.policy, "policy", o.policy, "plan by the rules of `POLICY`: definition or identity")
	f.VarP(&o.timeout, "timeout", "t", timeoutHelp)
	f.BoolVarP(&o.block, "block", "b", false, "wait while another process changes the live directory")
	f.BoolVarP(&o.force, "force-essentials", "e", false, "stop essential services like others")
	f.BoolVarP(&o.spare, "no-force-essentials", "E", false, "do not stop essential services (the default)")
	f.BoolVar(&o.respectStops, "respect-stops", false, "refuse to start what an operator stopped")
	f.StringArrayVar(&o.restart, "restart", nil, "restart the service `NAME` if it is up, changed or not; once for each service")
	f.StringArrayVar(&o.keep, "keep", nil, "keep the process of the service `NAME`, whatever has changed in its definition; once for each service")
	f.IntVarP(&o.verbosity, "verbosity", "v", 1, "say `LEVEL` much: 0 nothing but fatal errors, 1 warnings, 2 the patch and each action")
	return describeExits(c, exitOK, exitFailed, exitTimeout, exitUnknown, exitInvalid, exitWrongType, exitDuplicate,
		exitFailed+exitNotSwitched, exitTimeout+exitNotSwitched, exitUsage, exitSystem)
}

// openRCVerbs are what OpenRC's rc-update is called with.
var openRCVerbs = []string{"add", "del", "delete", "show"}

func checkUpdateArgs(_ *cobra.Command, args []string) error {
	switch {
	case len(args) > 0 && slices.Contains(openRCVerbs, args[0]):
		return fmt.Errorf("%q is a verb of OpenRC's rc-update, which keeps the lists of runlevels; this one takes a running machine to another compiled database (one of that name is ./%s)", args[0], args[0])
	case len(args) != 1:
		return fmt.Errorf("want one new database, not %d", len(args))
	}
	return nil
}

func (o updateOptions) plan() (update.Options, error) {
	if o.force && o.spare {
		return update.Options{}, usagef("cannot do both: -e and -E exclude each other")
	}
	p := update.Policy(o.policy)
	if p != update.Identity && p != update.Definition {
		return update.Options{}, usagef("there is no policy %q: use definition or identity", o.policy)
	}
	return update.Options{Policy: p, ForceEssentials: o.force, RespectStops: o.respectStops, Restart: o.restart, Keep: o.keep}, nil
}

func runUpdate(s ui.Streams, o updateOptions, newdb string) error {
	plan, err := o.plan()
	if err != nil {
		return err
	}
	conv, err := readConversions(o.conversions)
	if err != nil {
		return err
	}
	if !o.dryRun {
		return updateError(applyUpdate(s, o, newdb, conv, plan))
	}
	p, err := dryUpdate(o.live, newdb, conv, plan)
	if err != nil {
		return updateError(err)
	}
	if o.json {
		return s.JSON(p)
	}
	printPatch(s.Out, p)
	return nil
}

// applyUpdate plans and applies under the lock, and says what went wrong.
func applyUpdate(s ui.Streams, o updateOptions, newdb string, conv update.Conversions, plan update.Options) error {
	job := updateJob{
		s: s, live: o.live, newdb: newdb, conv: conv, plan: plan, block: o.block, limit: time.Duration(o.timeout), cause: s.Tool,
		planned: func(p *update.Patch) {
			if o.verbosity >= 2 && !o.json {
				printPatch(s.Err, p)
				return
			}
			for _, text := range p.Warnings {
				o.warn(s, text)
			}
		},
		warn: func(err error) { o.warn(s, err.Error()) },
	}
	if o.verbosity >= 2 && !o.json {
		job.observe = func(a update.Action) { s.Errorf("%s", strings.TrimSpace(string(a.Op)+" "+ui.Escape(a.Service))) }
	}
	p, r, err := job.run()
	if err != nil {
		return err
	}
	reportResult(s, r)
	switch {
	case o.json:
		if err := s.JSON(updateReport(p, r)); err != nil {
			return err
		}
	case r.Switched:
		s.Printf("%s\n", patchCounts(p.Counts))
	}
	return resultCode(r)
}

func (o updateOptions) warn(s ui.Streams, text string) {
	if o.verbosity >= 1 {
		s.Warnf("%s", ui.Escape(text))
	}
}
