package cli

import "strata/cmd/internal/ui"

func s6rcChange(s ui.Streams, args []string) error { return nil }
