package cli

import "strata/cmd/internal/ui"

func s6rcUpdate(s ui.Streams, args []string) error { return nil }
