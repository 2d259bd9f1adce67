// Strata is the one binary behind all tools; each is a link to it.
package main

import (
	"os"

	"strata/cmd/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args)) }
