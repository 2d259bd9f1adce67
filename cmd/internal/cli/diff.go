package cli

import (
	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
)

func newDiffCommand(s ui.Streams) *cobra.Command {
	return &cobra.Command{Use: "rc-diff"}
}
