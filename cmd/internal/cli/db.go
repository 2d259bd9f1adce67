package cli

import (
	"github.com/spf13/cobra"

	"strata/cmd/internal/ui"
)

func newDBCommand(s ui.Streams) *cobra.Command {
	return &cobra.Command{Use: "rc-db"}
}
