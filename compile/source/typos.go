package source

import (
	"slices"
	"strings"

	"strata/internal/diag"
	"strata/internal/suggest"
)

// fileNames are the files that mean something in s6-rc's directories, and those of
// s6 that people leave there. Any other file is passed over.
var fileNames = []string{
	"consumer-for", "contents", "contents.d", "data", "dependencies", "dependencies.d", "down", "down-signal", "env", "finish",
	"flag-essential", "flag-newpidns", "flag-recommended", "flag-timeout-killpg", "instance", "instances", "lock-fd",
	"max-death-tally", "nosetsid", "notification-fd", "pipeline-name", "producer-for", "reload", "reload-signal", "run",
	"template", "timeout-down", "timeout-finish", "timeout-kill", "timeout-up", "type", "up",
}

// warnOfTypos looks for files whose names are almost those of files that count,
// which would be passed over without a word. Short names, and copies that editors
// leave, say nothing.
func (w *worker) warnOfTypos() {
	const shortest = 4
	for _, e := range w.entries {
		if len(e.name) < shortest || strings.HasSuffix(e.name, "~") || slices.Contains(fileNames, e.name) {
			continue
		}
		name := strings.ToLower(strings.ReplaceAll(e.name, "_", "-"))
		if meant := suggest.Nearest(name, slices.Values(fileNames)); meant != "" {
			w.diags.Warnf("unknown-file", diag.Position{File: w.file(e.name)}, "%s: the file %s is passed over", w.name, e.name).
				Hint = didYouMean(meant)
		}
	}
}
