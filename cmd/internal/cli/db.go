package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
	"strata/compile/db"
)

// defaultLive is the live directory of tools that are not told another.
const defaultLive = "/run/strata/live"

// dbFormat is the version of everything that rc-db prints as JSON.
const dbFormat = "strata-db/1"

type dbOptions struct {
	live, database string
	up, down       bool
	without, with  bool
	json           bool
}

func newDBCommand(s ui.Streams) *cobra.Command {
	var o dbOptions
	c := &cobra.Command{
		Use:   "rc-db [-c DB | -l LIVE] COMMAND",
		Short: "Read a compiled database",
		Long: `Read a compiled database: DB, which may be a file or a directory with a file db in
it, or the database that LIVE runs.

Names are printed one on a line, sorted, with control characters escaped; --json
prints them as they are. A string that is not UTF-8 is {"b64": "..."} there.`,
		Example: `  rc-db levels
  rc-db -c /tmp/services.db dependencies sshd
  rc-db -d all-dependencies network
  rc-db --json dump`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return usagef("which command? rc-db --help lists them") },
	}
	f := c.PersistentFlags()
	f.StringVarP(&o.live, "live", "l", defaultLive, "read the database of the live directory `LIVE`")
	f.StringVarP(&o.database, "compiled", "c", "", "read the database `DB`")
	f.BoolVarP(&o.up, "up", "u", false, "about starting: what is depended on, the up script (default)")
	f.BoolVarP(&o.down, "down", "d", false, "about stopping: what depends on it, the down script")
	f.BoolVarP(&o.without, "without-essentials", "e", false, "leave out essential services")
	f.BoolVarP(&o.with, "with-essentials", "E", false, "do not leave out essential services (default)")
	f.BoolP("block", "b", false, "taken for s6-rc's sake: readers never wait")
	f.BoolVar(&o.json, "json", false, "print one JSON document, format "+dbFormat)
	c.AddCommand(dbQueries(s, &o)...)
	c.AddCommand(newDBDumpCommand(s, &o), newDBExportCommand(s, &o), newDBUnpackCommand(s, &o))
	return describeExits(c, exitOK, exitUnknown, exitInvalid, exitWrongType, exitUsage, exitSystem)
}

func (o *dbOptions) direction() db.Direction {
	if o.down {
		return db.Down
	}
	return db.Up
}

// phase is "up" or "down".
func (o *dbOptions) phase() string {
	if o.down {
		return "down"
	}
	return "up"
}

// open opens the database that was asked for. One that is not the live
// directory's own copy is checked whole.
func (o *dbOptions) open() (*db.DB, error) {
	if o.database != "" {
		return db.Open(o.database)
	}
	return db.OpenLive(filepath.Join(o.live, "compiled"))
}

// use opens the database, runs f, and gives its error the exit code it asks for.
func (o *dbOptions) use(f func(*db.DB) error) error {
	if (o.up && o.down) || (o.with && o.without) {
		return usagef("cannot do both: -u and -d, and -e and -E, exclude each other")
	}
	d, err := o.open()
	if err != nil {
		return dbError(err)
	}
	return dbError(errors.Join(f(d), d.Close()))
}

// dbError gives an error of package db its exit code.
func dbError(err error) error {
	var coded *exitError
	switch {
	case errors.As(err, &coded):
		return err
	case errors.Is(err, db.ErrUnknown):
		return withCode(exitUnknown, err)
	case errors.Is(err, db.ErrCorrupt), errors.Is(err, db.ErrFormat):
		return withCode(exitInvalid, err)
	case errors.Is(err, db.ErrWrongType):
		return withCode(exitWrongType, err)
	}
	return err
}

// output lets f write to standard output through a buffer, and reports what
// could not be written.
func output(s ui.Streams, f func(w *bufio.Writer) error) error {
	w := bufio.NewWriter(s.Out)
	if err := f(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("cannot write to standard output: %w", err)
	}
	return nil
}

// printLines writes words as lines, escaped.
func printLines(s ui.Streams, lines []string) error {
	return output(s, func(w *bufio.Writer) error {
		for _, l := range lines {
			_, _ = io.WriteString(w, ui.Escape(l)+"\n") // the buffer keeps the error
		}
		return nil
	})
}
