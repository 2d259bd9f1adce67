package cli

import (
	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
)

func newCtlCommand(s ui.Streams) *cobra.Command {
	return &cobra.Command{Use: "rc-ctl"}
}
