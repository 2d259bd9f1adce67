package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"strata/cmd/internal/ui"
	"strata/compile"
	"strata/compile/db"
	"strata/compile/source"
	"strata/internal/diag"
)

// s6rcCompile is s6-rc-compile: the destination is a directory that must not
// exist, a name may be defined once, TOML files are passed over. The options -h
// and -b are taken and say nothing here: the fd-holder runs as the tree's owner,
// and readers of a database never wait for a lock.
func s6rcCompile(s ui.Streams, args []string) error {
	const usage = "s6-rc-compile [ -v verbosity ] [ -h fdholder_user ] [ -b ] destdir sources..."
	verbosity, user := "1", ""
	options := s6rcOptions{
		bools: []s6rcBool{{'b', "block", func() {}}},
		args:  []s6rcArg{{'v', "verbosity", &verbosity}, {'h', "fdholder-user", &user}},
	}
	args, err := options.parse(args)
	if err != nil {
		return err
	}
	if len(args) < 2 {
		return usagef("usage: %s", usage)
	}
	level, err := strconv.ParseUint(verbosity, 10, 32)
	if err != nil {
		return usagef("verbosity must be an unsigned integer")
	}
	dest := args[0]
	// Looked at first as well as when writing, so that nobody waits for a
	// compilation that cannot be kept.
	if _, err := os.Lstat(dest); err == nil {
		return fmt.Errorf("cannot make directory %s: %w", dest, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot make directory %s: %w", dest, err)
	}
	dirs := make([]source.Dir, len(args)-1)
	for i, path := range args[1:] {
		dirs[i].Path = path
	}
	ctx, stop := untilSignal(context.Background())
	defer stop()
	model, list, err := compileSources(ctx, dirs, compile.Options{S6RC: true})
	if err != nil {
		return err
	}
	s.Diagnostics(atVerbosity(list, level))
	if model == nil {
		return silent(sourceCode(list))
	}
	_, err = db.WriteDir(dest, model, db.WriteOptions{Tool: version})
	return err
}

// atVerbosity leaves warnings out where s6-rc does.
func atVerbosity(list diag.List, level uint64) diag.List {
	if level > 0 {
		return list
	}
	return slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return d.Severity == diag.Warning })
}
