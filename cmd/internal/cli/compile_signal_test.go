package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"strata/compile"
	"strata/compile/source"
)

// SIGTERM and SIGINT end the reading of sources, and nothing else.
func TestCompileSignals(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.toml"), []byte("type = \"oneshot\"\nup = [\"true\"]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, sig := range []unix.Signal{unix.SIGINT, unix.SIGTERM} {
		ctx, stop := untilSignal(context.Background())
		if err := unix.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		_, _, err := compileSources(ctx, []source.Dir{{Path: dir}}, compile.Options{})
		if err == nil || codeOf(err) != exitSystem || !strings.Contains(err.Error(), sig.String()) {
			t.Errorf("%v: %v", sig, err)
		}
		stop()
	}
}
