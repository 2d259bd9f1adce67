package cli

import "github.com/spf13/cobra"

// internalCommands are the programs that live directories run; users do not.
func internalCommands() []*cobra.Command { return nil }
