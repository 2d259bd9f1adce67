package cli

import (
	"errors"
	"fmt"
	"os"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/compile/source/execline"
	"strata/internal/atomicfs"
	"strata/live"
	"strata/live/s6"
	"strata/update"
	"strata/update/generation"
)

// readConversions reads a conversion file; no name is no file.
func readConversions(path string) (update.Conversions, error) {
	if path == "" {
		return update.Conversions{}, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return update.Conversions{}, fmt.Errorf("cannot read conversion file: %w", err)
	}
	return update.ParseConversions(path, text, execline.Parse), nil
}

// readPatch reads a patch from a file.
func readPatch(path string) (*update.Patch, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read patch: %w", err)
	}
	return update.ParsePatch(text)
}

// writePatch keeps a patch in a file.
func writePatch(path string, p *update.Patch) error {
	err := atomicfs.WriteFile(path, 0o644, func(f *os.File) error { return ui.Streams{Out: f}.JSON(p) })
	if err != nil {
		return fmt.Errorf("cannot write patch: %w", err)
	}
	return nil
}

// updateError gives an error of planning or applying its exit code.
func updateError(err error) error {
	var coded *exitError
	var refused *update.RefusedError
	if err == nil || errors.As(err, &coded) {
		return err
	}
	var far *generation.TooFarError
	if errors.As(err, &far) {
		return withCode(exitUnknown, err)
	}
	if errors.As(err, &refused) {
		return withCode(exitFailed+exitNotSwitched, err)
	}
	for _, e := range []struct {
		err  error
		code int
	}{
		{update.ErrUnknown, exitUnknown},
		{update.ErrNoTarget, exitInvalid},
		{update.ErrNotAtomic, exitWrongType},
		{update.ErrDuplicate, exitDuplicate},
		{update.ErrConversion, exitUsage},
		{update.ErrPatch, exitInvalid},
		{update.ErrFit, exitInvalid},
		{update.ErrNoPatch, exitUsage},
		{generation.ErrStore, exitInvalid},
		{db.ErrCorrupt, exitInvalid},
		{db.ErrFormat, exitInvalid},
		{live.ErrCorrupt, exitInvalid},
		{live.ErrFormat, exitInvalid},
		{live.ErrStale, exitInvalid},
		{live.ErrUsage, exitUsage},
		{s6.ErrNotRunning, exitUsage},
	} {
		if errors.Is(err, e.err) {
			return withCode(e.code, hinted(err))
		}
	}
	return err
}

// dryUpdate plans without a lock: nothing is changed.
func dryUpdate(livePath, newdb string, conv update.Conversions, o update.Options) (*update.Patch, error) {
	var patch *update.Patch
	err := previewUpdate(livePath, newdb, conv, o, func(p *update.Patch, _ *update.Changes) error {
		patch = p
		return nil
	})
	return patch, err
}

// previewUpdate is dryUpdate for those who want to see the changes too.
func previewUpdate(livePath, newdb string, conv update.Conversions, o update.Options, look func(*update.Patch, *update.Changes) error) (err error) {
	d, err := live.Open(livePath)
	if err != nil {
		return err
	}
	st, err := d.Current()
	if err != nil {
		return err
	}
	database, err := d.PreviewDB(newdb, st.Content)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	v, err := d.View(st.Content, st.Table)
	if err != nil {
		return err
	}
	defer v.DB.Close()
	return update.Preview(d, update.Base{State: st, View: v}, database, conv, o, look)
}
