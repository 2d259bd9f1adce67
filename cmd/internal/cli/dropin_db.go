package cli

import "strata/cmd/internal/ui"

func s6rcDB(s ui.Streams, args []string) error { return nil }
