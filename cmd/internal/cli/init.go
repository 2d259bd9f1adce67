package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/live"
	"strata/live/s6"
)

// Default paths. The linker can set them.
var (
	defaultCompiled = "/etc/strata/compiled/current"
	defaultScandir  = "/run/service"
)

type initOptions struct {
	live.InitOptions
	timeout timeoutFlag
	deref   bool
	quiet   bool
}

func newInitCommand(s ui.Streams) *cobra.Command {
	var o initOptions
	c := &cobra.Command{
		Use:   "rc-init [-c DB] [-l LIVE] [-p PREFIX] [-t TIME] [-d] [-b] [SCANDIR]",
		Short: "Make the live directory, with all supervisors up and all services down",
		Long: `Make the live directory, with all supervisors up and all services down.

SCANDIR, usually ` + defaultScandir + `, is the absolute path of the directory that a
running s6-svscan watches. The database is copied and not needed afterwards.

It is safe to run again: a live directory that is in use is completed if an
earlier run was killed, and else left alone. One that belongs to an earlier boot,
or to an s6-svscan that is gone, is replaced, and so is one with a half-applied
patch in which nothing is up. Anything else that is in the way is left alone, and
an error.`,
		Example: `  rc-init -c /tmp/services.db -l /run/my/live /run/service
  rc-init -t 30000`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			o.Scandir = defaultScandir
			if len(args) > 0 {
				o.Scandir = args[0]
			}
			return runInit(s, o)
		},
	}
	f := c.Flags()
	f.StringVarP(&o.DB, "compiled", "c", defaultCompiled, "take services from the database `DB`")
	f.StringVarP(&o.Live, "live", "l", defaultLive, "make the live directory `LIVE`, an absolute path")
	f.StringVarP(&o.Prefix, "prefix", "p", "", "let our names in the scandir begin with `PREFIX`")
	f.VarP(&o.timeout, "timeout", "t", "wait at most `TIME` for the supervisors: 30s, or a number of milliseconds; 0 is as long as more of them appear")
	f.BoolVarP(&o.deref, "dereference", "d", false, "no effect: the database is always copied (for command lines of s6-rc-init)")
	f.BoolVarP(&o.Block, "block", "b", false, "wait while another process changes the live directory")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "say nothing when the live directory is in use already")
	return describeExits(c, exitOK, exitTimeout, exitInvalid, exitUsage, exitSystem)
}

func runInit(s ui.Streams, o initOptions) error {
	program, err := multicall()
	if err != nil {
		return err
	}
	o.Program, o.Timeout = program, time.Duration(o.timeout)
	o.Warn = func(text string) { s.Warnf("%s", ui.Escape(text)) }
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	r, err := live.Init(ctx, o.InitOptions)
	if err != nil {
		return withCode(initCode(err), err)
	}
	switch {
	case r.Patched:
		s.Warnf("%s is in use, and %v", ui.Escape(o.Live), live.ErrHalfApplied)
	case r.Existing && !o.quiet:
		s.Errorf("%s is in use already", ui.Escape(o.Live))
	}
	return nil
}

// initCode gives the exit code of an error of [live.Init].
func initCode(err error) int {
	switch {
	case errors.Is(err, live.ErrUsage), errors.Is(err, s6.ErrNotRunning), errors.Is(err, live.ErrMismatch):
		return exitUsage
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout
	case errors.Is(err, db.ErrCorrupt), errors.Is(err, db.ErrFormat), errors.Is(err, live.ErrCorrupt):
		return exitInvalid
	}
	return exitSystem
}

// multicall finds the path by which the tree can call this program as strata: the
// link of that name beside the one that was called, or the file itself.
func multicall() (string, error) {
	if called, err := exec.LookPath(os.Args[0]); err == nil {
		if called, err = filepath.Abs(called); err == nil {
			strata := filepath.Join(filepath.Dir(called), "strata")
			if info, err := os.Stat(strata); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return strata, nil
			}
		}
	}
	return os.Executable()
}
