package cli

import (
	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
)

func newInitCommand(s ui.Streams) *cobra.Command {
	return &cobra.Command{Use: "rc-init"}
}
