package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/compile"
	"strata/compile/db"
	"strata/live"
	"strata/update"
)

// diffFormat is the version of what rc-diff prints as JSON.
const diffFormat = "strata-diff/1"

type diffOptions struct {
	live, database, conversions string
	sources                     []string
	json, showValues            bool
}

func newDiffCommand(s ui.Streams) *cobra.Command {
	o := diffOptions{live: defaultLive, database: defaultDatabase}
	c := &cobra.Command{
		Use:   "rc-diff [OLD NEW]",
		Short: "Compare two databases, a database with what is running, or sources with a database",
		Long: `Compare service definitions field by field.

With OLD and NEW, two databases are compared. With --source, the sources are
compiled, and compared with the database of -c. Else the live directory is
compared with the database of -c: its definitions, and which processes are older
than theirs or are down though they are wanted.

Of scripts, environment and files the texts are shown only if everybody may read
both databases.`,
		Example: `  rc-diff old.db new.db
  rc-diff --source /etc/strata/source -c /etc/strata/compiled/current
  rc-diff --json`,
		Args: usageArgs(cobra.MatchAll(cobra.MaximumNArgs(2), func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return errors.New("one database alone cannot be compared: give OLD and NEW")
			}
			return nil
		})),
		RunE: func(c *cobra.Command, args []string) error { return runDiff(c.Context(), s, o, args) },
	}
	f := c.Flags()
	f.StringVarP(&o.live, "live", "l", o.live, "the live `DIRECTORY`")
	f.StringVarP(&o.database, "compiled", "c", o.database, "the compiled `DATABASE`")
	f.StringVarP(&o.conversions, "conversion-file", "f", "", "match services as this `FILE` says")
	f.StringArrayVar(&o.sources, "source", nil, "compare this source `DIRECTORY`; once for each source, in order")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.showValues, "show-values", false, showValuesHelp)
	return describeExits(c, exitOK, exitFailed, exitUnknown, exitInvalid, exitWrongType, exitDuplicate, exitUsage, exitSystem)
}

// defaultDatabase is the installed database.
var defaultDatabase = "/etc/strata/compiled/current"

func runDiff(ctx context.Context, s ui.Streams, o diffOptions, args []string) error {
	if err := checkShowValues(o.showValues); err != nil {
		return err
	}
	conv, err := readConversions(o.conversions)
	if err != nil {
		return err
	}
	pair, err := openPair(ctx, s, o, args)
	if err != nil {
		return updateError(err)
	}
	differs, err := pair.compare(s, o, conv)
	if err := errors.Join(err, pair.close()); err != nil {
		return updateError(err)
	}
	if differs {
		return silent(exitFailed)
	}
	return nil
}

// databasePair is what is compared. state is set if old is that of a live
// directory.
type databasePair struct {
	old, new *db.DB
	state    *live.State
	view     live.View
	temp     string
}

func (p *databasePair) close() error {
	var errs []error
	for _, d := range []*db.DB{p.old, p.new} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	if p.temp != "" {
		errs = append(errs, os.RemoveAll(p.temp))
	}
	return errors.Join(errs...)
}

func openPair(ctx context.Context, s ui.Streams, o diffOptions, args []string) (p *databasePair, err error) {
	p = new(databasePair)
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	switch {
	case len(args) == 2 && len(o.sources) > 0:
		return p, usagef("give two databases or sources, not both")
	case len(args) == 2:
		if p.old, err = db.Open(args[0]); err != nil {
			return p, err
		}
		p.new, err = db.Open(args[1])
		return p, err
	case len(o.sources) > 0:
		if p.old, err = db.Open(o.database); err != nil {
			return p, err
		}
		return p, p.compileSources(ctx, s, o.sources)
	}
	if err := p.openLive(o.live); err != nil {
		return p, err
	}
	p.new, err = db.Open(o.database)
	return p, err
}

func (p *databasePair) openLive(path string) error {
	d, err := live.Open(path)
	if err != nil {
		return err
	}
	if p.state, err = d.Current(); err != nil {
		return err
	}
	if p.view, err = d.View(p.state.Content, p.state.Table); err != nil {
		return err
	}
	p.old = p.view.DB
	return nil
}

// compileSources makes a database of sources in a directory of its own. Mistakes
// in them end with the code for what is invalid, since 1 says that things differ.
func (p *databasePair) compileSources(ctx context.Context, s ui.Streams, paths []string) (err error) {
	dirs, err := sourceDirs(paths, nil)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	model, list, err := compileSources(ctx, dirs, compile.Options{})
	if err != nil {
		return err
	}
	if model == nil {
		s.Diagnostics(list)
		return silent(exitInvalid)
	}
	if p.temp, err = os.MkdirTemp("", "rc-diff-"); err != nil {
		return err
	}
	path := filepath.Join(p.temp, "db")
	if _, err := db.Write(path, model, db.WriteOptions{Tool: version}); err != nil {
		return err
	}
	p.new, err = db.Open(path)
	return err
}

// diffResult is the answer.
type diffResult struct {
	Same     bool
	Old, New update.Version
	Services []update.ServiceChange
	Bundles  []update.BundleChange
	// State is what is not as the live directory's own database has it.
	State []update.Deviation
}

func (p *databasePair) compare(s ui.Streams, o diffOptions, conv update.Conversions) (differs bool, err error) {
	changes, err := update.DiffAll(p.old, p.new, conv)
	if err != nil {
		return false, err
	}
	r := diffResult{Old: changes.Old, New: changes.New, Services: changes.Services, Bundles: changes.Bundles}
	if p.state != nil {
		r.State = update.Deviations(p.view, p.state)
	}
	r.Same = len(r.Services)+len(r.Bundles)+len(r.State) == 0
	if o.json {
		return !r.Same, s.JSON(r.json())
	}
	return !r.Same, output(s, func(w *bufio.Writer) error { return printDiff(w, changes, r, o.showValues) })
}

func printDiff(w *bufio.Writer, c *update.Changes, r diffResult, private bool) error {
	for k := range r.Services {
		if err := printServiceChange(w, c, &r.Services[k], private); err != nil {
			return err
		}
	}
	for _, b := range r.Bundles {
		printBundleChange(w, b)
	}
	for _, d := range r.State {
		_, _ = fmt.Fprintf(w, "%s %s\n", d.What, ui.Escape(d.Service))
	}
	return nil
}
