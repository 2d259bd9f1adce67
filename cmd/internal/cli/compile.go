package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"strata/cmd/internal/ui"
	"strata/compile"
	"strata/compile/db"
	"strata/compile/source"
	"strata/internal/diag"
)

// defaultSources are compiled when no source is named. A layer that does not
// exist is passed over; a later one overrides an earlier one.
var defaultSources = []source.Dir{
	{Path: "/usr/lib/strata/source", Label: "vendor"},
	{Path: "/etc/strata/source", Label: "admin"},
	{Path: "/run/strata/source", Label: "runtime"},
}

type compileOptions struct {
	output string
	labels []string
	strict bool
	json   bool
	jobs   int
}

func newCompileCommand(s ui.Streams) *cobra.Command {
	var o compileOptions
	c := &cobra.Command{
		Use:   "rc-compile [-o FILE] [SOURCE...]",
		Short: "Check service definitions and write one database",
		Long: `Check service definitions and write one database.

Every SOURCE is a directory of definitions, in TOML or as s6-rc has them. A later
source overrides an earlier one by name. Without a SOURCE the default layers are
read: ` + sourceList() + `.

All mistakes are reported in one run. The database replaces FILE in one step, and
only if there is no mistake. Without -o nothing is written: the sources are
checked.`,
		Example: `  rc-compile -o /tmp/services.db source-examples/minimal
  rc-compile --strict /etc/strata/source`,
		RunE: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("output") && o.output == "" {
				return usagef("the name of the output file is empty")
			}
			return runCompile(c.Context(), s, o, args)
		},
	}
	f := c.Flags()
	f.StringVarP(&o.output, "output", "o", "", "write the database to `FILE`")
	f.StringArrayVar(&o.labels, "label", nil, "call a source `NAME` in the database; once for each source, in order")
	f.BoolVar(&o.strict, "strict", false, "warn of soft dependencies on names that do not exist; refuse sources that others can write")
	f.BoolVar(&o.json, "json", false, "report diagnostics and the result as JSON")
	f.IntVarP(&o.jobs, "jobs", "j", 0, "read `N` definitions at once (default one per CPU)")
	return describeExits(c, exitOK, exitFailed, exitUsage, exitSystem)
}

func sourceList() string {
	text := ""
	for i, d := range defaultSources {
		if i > 0 {
			text += ", "
		}
		text += d.Path
	}
	return text
}

func runCompile(ctx context.Context, s ui.Streams, o compileOptions, args []string) error {
	dirs, err := sourceDirs(args, o.labels)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	model, list, err := compileSources(ctx, dirs, compile.Options{Strict: o.strict, Jobs: o.jobs})
	if err != nil {
		return err
	}
	if !o.json {
		s.Diagnostics(list)
	}
	var info db.Info
	if model != nil && o.output != "" {
		if info, err = db.Write(o.output, model, db.WriteOptions{Tool: version}); err != nil {
			return err
		}
	}
	if o.json {
		if err := s.JSON(compileJSON(list, model, info)); err != nil {
			return err
		}
	}
	if model == nil {
		return silent(sourceCode(list))
	}
	if !o.json {
		s.Printf("%s\n", summary(o.output, model, info))
	}
	return nil
}

// untilSignal returns a context that ends at SIGINT or SIGTERM. Until stop is
// called neither ends the process, so that a file that is being written is in its
// place afterwards or gone.
func untilSignal(ctx context.Context) (_ context.Context, stop context.CancelFunc) {
	if ctx == nil {
		ctx = context.Background()
	}
	return signal.NotifyContext(ctx, os.Interrupt, unix.SIGTERM)
}

// compileSources compiles until the context ends.
func compileSources(ctx context.Context, dirs []source.Dir, o compile.Options) (*db.Model, diag.List, error) {
	model, list := compile.Run(ctx, dirs, o)
	if ctx.Err() != nil {
		return nil, nil, fmt.Errorf("cannot compile: %w", context.Cause(ctx))
	}
	return model, list, nil
}

// sourceCode is the exit code for a list of mistakes: the system's fault only if
// nothing else is at fault.
func sourceCode(list diag.List) int {
	if list.SystemOnly() {
		return exitSystem
	}
	return exitFailed
}

func sourceDirs(args, labels []string) ([]source.Dir, error) {
	if len(args) == 0 {
		if len(labels) > 0 {
			return nil, usagef("--label is for sources that are named")
		}
		return existingDefaults()
	}
	if len(labels) != 0 && len(labels) != len(args) {
		return nil, usagef("%d labels for %d sources: give one for each, or none", len(labels), len(args))
	}
	dirs := make([]source.Dir, len(args))
	for i, path := range args {
		dirs[i].Path = path
		if len(labels) > 0 {
			dirs[i].Label = labels[i]
		}
	}
	return dirs, nil
}

func existingDefaults() ([]source.Dir, error) {
	var dirs []source.Dir
	for _, d := range defaultSources {
		_, err := os.Stat(d.Path)
		switch {
		case err == nil:
			dirs = append(dirs, d)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("cannot read source: %w", err)
		}
	}
	if len(dirs) == 0 {
		return nil, usagef("no source is named and none of the default ones exists: %s", sourceList())
	}
	return dirs, nil
}

func summary(output string, m *db.Model, info db.Info) string {
	longruns := 0
	for i := range m.Services {
		if m.Services[i].Type == db.Longrun {
			longruns++
		}
	}
	text := fmt.Sprintf("%d services (%d longruns, %d oneshots), %d bundles, %d levels",
		len(m.Services), longruns, len(m.Services)-longruns, len(m.Bundles), m.Levels.Count())
	if output == "" {
		return "no mistakes in " + text
	}
	return fmt.Sprintf("%s: %s, content %s", output, text, info.Content.Short())
}

type compileResult struct {
	Format      string           `json:"format"`
	OK          bool             `json:"ok"`
	Services    int              `json:"services"`
	Bundles     int              `json:"bundles"`
	Levels      int              `json:"levels"`
	Content     *db.Digest       `json:"content,omitempty"`
	Diagnostics []diagnosticJSON `json:"diagnostics"`
}

type diagnosticJSON struct {
	Severity string        `json:"severity"`
	Code     diag.Code     `json:"code"`
	File     string        `json:"file"`
	Line     int           `json:"line,omitempty"`
	Column   int           `json:"column,omitempty"`
	Message  string        `json:"message"`
	Excerpt  string        `json:"excerpt,omitempty"`
	Hint     string        `json:"hint,omitempty"`
	Related  []relatedJSON `json:"related,omitempty"`
}

type relatedJSON struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

func compileJSON(list diag.List, m *db.Model, info db.Info) compileResult {
	r := compileResult{Format: "strata-compile/1", OK: m != nil, Diagnostics: []diagnosticJSON{}}
	if m != nil {
		r.Services, r.Bundles, r.Levels = len(m.Services), len(m.Bundles), m.Levels.Count()
	}
	if !info.Content.IsZero() {
		r.Content = &info.Content
	}
	for _, d := range list {
		j := diagnosticJSON{
			Severity: d.Severity.String(), Code: d.Code, File: d.Pos.File, Line: d.Pos.Line, Column: d.Pos.Column,
			Message: d.Message, Excerpt: d.Excerpt, Hint: d.Hint,
		}
		for _, rel := range d.Related {
			j.Related = append(j.Related, relatedJSON{rel.Pos.File, rel.Pos.Line, rel.Pos.Column, rel.Message})
		}
		r.Diagnostics = append(r.Diagnostics, j)
	}
	return r
}
