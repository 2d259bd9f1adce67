package cli

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/live"
)

// s6rcBootDB is the database that s6-rc-init takes by default.
var s6rcBootDB = "/etc/s6-rc/compiled/current"

// s6rcInit is s6-rc-init. The real live directory is named as s6-rc names it. What
// others could write is warned of. The options -b and -d are taken: with -b a call
// waits for another one, and -d says nothing, since the database is copied; without
// -d its path has to be absolute, as with s6-rc.
func s6rcInit(s ui.Streams, args []string) error {
	const usage = "s6-rc-init [ -c bootdb ] [ -l livedir ] [ -p prefix ] [ -t timeout ] [ -d ] [ -b ] scandir"
	timeout := "0"
	var o initOptions
	o.DB, o.Live, o.Tool, o.Lenient = s6rcBootDB, s6rcLive, "s6-rc-init", true
	args, err := s6rcOptions{
		bools: []s6rcBool{
			{0, "no-dereference", func() { o.deref = false }},
			{'d', "dereference", func() { o.deref = true }},
			{0, "no-block", func() { o.Block = false }},
			{'b', "block", func() { o.Block = true }},
		},
		args: []s6rcArg{{'c', "bootdb", &o.DB}, {'l', "livedir", &o.Live}, {'p', "prefix", &o.Prefix}, {'t', "timeout", &timeout}},
	}.parse(args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usagef("usage: %s", usage)
	}
	o.Scandir = args[0]
	ms, err := strconv.ParseUint(timeout, 10, 32)
	switch {
	case !filepath.IsAbs(o.Scandir):
		return usagef("scandir must be an absolute path")
	case !filepath.IsAbs(o.Live):
		return usagef("livedir must be an absolute path")
	case err != nil:
		return usagef("timeout must be an unsigned integer")
	case !o.deref && !filepath.IsAbs(o.DB):
		return usagef("bootdb must be an absolute path")
	case strings.ContainsAny(o.Prefix, "/\n"):
		return usagef("prefix cannot contain a / or a newline")
	}
	o.timeout = timeoutFlag(time.Duration(ms) * time.Millisecond)
	return s6rcInitError(runInit(s, o))
}

// s6rcInitError gives errors the exit codes of s6-rc-init: 102 for a live
// directory with other properties, and 111 for all but wrong usage and wrong
// databases.
func s6rcInitError(err error) error {
	const exitMismatch = 102
	switch {
	case err == nil:
		return nil
	case errors.Is(err, live.ErrMismatch):
		return withCode(exitMismatch, err)
	case errors.Is(err, db.ErrCorrupt), errors.Is(err, db.ErrFormat), codeOf(err) == exitUsage:
		return err
	}
	return withCode(exitSystem, err)
}
