package cli

import "strata/cmd/internal/ui"

func s6rcInit(s ui.Streams, args []string) error { return nil }
