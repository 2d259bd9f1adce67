package benchtree

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Run runs a command of the multi-call binary strata. The error says what that said
// first.
func Run(ctx context.Context, strata string, args ...string) error {
	cmd := exec.CommandContext(ctx, strata, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		first, _, _ := strings.Cut(said.String(), "\n")
		return fmt.Errorf("strata %s: %w: %s", args[0], err, first)
	}
	return nil
}
