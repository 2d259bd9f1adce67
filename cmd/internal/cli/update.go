package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

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
	planFile, patchFile       string
	resume, abort, attach     bool
	store                     storeFlags
	foreground, showValues    bool
	verbosity                 int
}

func newUpdateCommand(s ui.Streams) *cobra.Command {
	o := updateOptions{live: defaultLive, policy: string(update.Definition)}
	c := &cobra.Command{
		Use:   "rc-update [-n | --plan FILE] [-f CONV] [--install] NEWDB | --rollback [N] | --apply FILE | --resume | --abort | --attach",
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

With -n the patch is shown, with the reason for each action, and nothing is done. Of
scripts, environment and files the lines that differ are shown, if everybody may read
both databases, and else digests.
With --plan it is kept in a file too, for --apply, which does exactly what it says or,
if it does not fit any more, nothing.

With --install the database is put into the store of installed databases, named by
its content, and the store's link current leads to it once it is live, and not before.
With --rollback the update goes back to the generation that was current N steps before
(1 if no N is given, 0 is the current one): a patch as any other, which can be shown,
kept and applied. What has failed to come up, or to stay up, is started again then.
Afterwards at most --generations of them are left; what is current
or live is never removed. rc-store lists them.

The patch is applied inside the supervision tree, and this command looks on: it may
be interrupted, and --attach looks on again. An update that was killed goes on by
itself, or with --resume, and --abort takes it back.`,
		Example: `  rc-update -n new.db
  rc-update --plan patch.json new.db && rc-update --apply patch.json
  rc-update -f renames /etc/strata/compiled/current
  rc-update --install new.db
  rc-update --rollback -n && rc-update --rollback
  rc-update -n --json new.db > patch.json`,
		Args: usageArgs(checkUpdateArgs),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.store.check(c.Flags(), &args); err != nil {
				return err
			}
			return o.store.hint(runUpdate(s, o, args))
		},
	}
	f := c.Flags()
	f.BoolVarP(&o.dryRun, "dry-run", "n", false, "show the patch and do nothing")
	f.StringVar(&o.planFile, "plan", "", "show the patch, keep it in `FILE`, and do nothing")
	f.StringVar(&o.patchFile, "apply", "", "apply the patch in `FILE`")
	f.BoolVar(&o.resume, "resume", false, "go on with an update that was left half applied")
	f.BoolVar(&o.abort, "abort", false, "take the update under way back")
	f.BoolVar(&o.attach, "attach", false, "look on at the update under way")
	f.BoolVar(&o.foreground, "foreground", false, "apply the patch in this process")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.showValues, "show-values", false, showValuesHelp)
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
	o.store.register(f)
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
	case len(args) > 1:
		return fmt.Errorf("want one new database, not %d", len(args))
	}
	return nil
}

// check refuses flags and arguments that do not go together.
func (o updateOptions) check(args []string) error {
	modes := 0
	for _, on := range []bool{o.dryRun || o.planFile != "", o.patchFile != "", o.resume, o.abort, o.attach} {
		if on {
			modes++
		}
	}
	switch {
	case modes > 1:
		return usagef("only one of -n or --plan, --apply, --resume, --abort and --attach can be given")
	case (o.resume || o.abort || o.attach) && len(args) > 0:
		return usagef("the update under way has its database: name none")
	case o.store.on() && (o.resume || o.abort || o.attach || o.patchFile != ""):
		return usagef("what becomes of the store stands in the patch: --install and --rollback do not go with --apply, --resume, --abort and --attach")
	case !o.store.rollback.on && !o.resume && !o.abort && !o.attach && o.patchFile == "" && len(args) == 0:
		return usagef("name the new database; usage: rc-update [-n] [-f CONV] NEWDB")
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
	return update.Options{Policy: p, ForceEssentials: o.force, RespectStops: o.respectStops, Restart: o.restart, Keep: o.keep, Revive: o.store.rollback.on}, nil
}

// outliveReaders keeps the command from ending because nobody reads what it says: it
// may be in the middle of something.
func outliveReaders() { signal.Ignore(unix.SIGPIPE) }

// runUpdate does what the flags ask for.
func runUpdate(s ui.Streams, o updateOptions, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	if err := checkShowValues(o.showValues); err != nil {
		return err
	}
	switch {
	case o.attach:
		return o.attendOnly(s)
	case o.resume || o.abort:
		outliveReaders()
		if !o.foreground {
			return o.ask(s, o.abort)
		}
		return o.askHere(s, o.abort)
	}
	if !o.dryRun && o.planFile == "" {
		outliveReaders()
	}
	plan, err := o.plan()
	if err != nil {
		return err
	}
	conv, err := readConversions(o.conversions)
	if err != nil {
		return err
	}
	newdb := ""
	if len(args) > 0 {
		newdb = args[0]
	}
	if o.dryRun || o.planFile != "" {
		return o.show(s, newdb, conv, plan)
	}
	job := o.job(s)
	job.newdb, job.conv, job.plan, job.store = newdb, conv, plan, o.store
	if o.patchFile != "" {
		if job.patch, err = readPatch(o.patchFile); err != nil {
			return updateError(err)
		}
		if newdb == "" {
			job.newdb = job.patch.New.Path
		}
	}
	if !o.foreground {
		return o.apply(s, job)
	}
	p, r, err := job.run()
	if err != nil {
		return updateError(err)
	}
	return o.finish(s, p, r, false)
}

// job is an update that tells what the verbosity asks for.
func (o updateOptions) job(s ui.Streams) updateJob {
	j := updateJob{
		s: s, live: o.live, block: o.block, limit: time.Duration(o.timeout), cause: s.Tool,
		planned: func(p *update.Patch) {
			if o.verbosity >= 2 && !o.json {
				printPatch(s.Err, p)
				return
			}
			for _, text := range p.Warnings {
				o.warn(s, text)
			}
		},
		warn: o.warner(s),
	}
	if o.verbosity >= 2 && !o.json {
		j.observe = func(a update.Action) { s.Errorf("%s", strings.TrimSpace(string(a.Op)+" "+ui.Escape(a.Service))) }
	}
	return j
}

// show plans and prints the patch, or keeps it in a file.
func (o updateOptions) show(s ui.Streams, newdb string, conv update.Conversions, plan update.Options) error {
	newdb, move, err := o.store.target(s, newdb)
	if err != nil {
		return updateError(err)
	}
	err = previewUpdate(o.live, newdb, conv, plan, func(p *update.Patch, c *update.Changes) error {
		if err := move.into(p); err != nil {
			return err
		}
		if o.planFile != "" {
			if err := writePatch(o.planFile, p); err != nil {
				return err
			}
		}
		if o.json {
			return s.JSON(p)
		}
		return output(s, func(w *bufio.Writer) error { return printPreview(w, p, c, o.showValues) })
	})
	return updateError(err)
}

func (o updateOptions) attendOnly(s ui.Streams) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	return o.attend(ctx, s, nil, false, lookout{})
}

func (o updateOptions) warn(s ui.Streams, text string) {
	if o.verbosity >= 1 {
		s.Warnf("%s", ui.Escape(text))
	}
}

// warner gives a function that warns of errors.
func (o updateOptions) warner(s ui.Streams) func(error) {
	return func(err error) {
		if o.verbosity >= 1 {
			s.Warnf("%s", ui.ErrorText(err))
		}
	}
}
