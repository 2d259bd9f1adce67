package cli

import (
	"bufio"
	"fmt"
	"strings"

	"strata/cmd/internal/ui"
	"strata/update"
)

// printServiceChange writes one service: a line for it, one for each field, and
// the difference of the texts behind digests.
func printServiceChange(w *bufio.Writer, c *update.Changes, s *update.ServiceChange, private bool) error {
	_, _ = fmt.Fprintln(w, serviceLine(s))
	texts, err := shownTexts(c, s, private)
	if err != nil {
		return err
	}
	for _, f := range s.Fields {
		_, _ = fmt.Fprintf(w, "  %s\n", fieldLine(f))
		if t, ok := texts[f.Field]; ok {
			printText(w, "    ", t)
		}
	}
	return nil
}

func serviceLine(s *update.ServiceChange) string {
	switch s.Kind {
	case update.Added:
		return "added " + ui.Escape(s.New)
	case update.Removed:
		return "removed " + ui.Escape(s.Old)
	case update.Unfolded:
		return fmt.Sprintf("%s is a bundle now: %s", ui.Escape(s.Old), escaped(s.NewNames))
	}
	text := string(s.Kind) + " " + ui.Escape(s.New)
	if s.Old != s.New {
		text += fmt.Sprintf(", was %s", ui.Escape(s.Old))
		if s.Via != "" {
			text += " (" + s.Via + ")"
		}
	}
	return text
}

// fieldLine reads "timeout-up (live): 1000 -> 2000, at admin:web.toml:3".
func fieldLine(f update.FieldChange) string {
	text := fmt.Sprintf("%s (%s): ", ui.Escape(f.Field), f.Class)
	switch {
	case f.From == "":
		text += "new: " + shortValue(f.To)
	case f.To == "":
		text += "gone, was " + shortValue(f.From)
	default:
		text += shortValue(f.From) + " -> " + shortValue(f.To)
	}
	if at := f.NewAt; at != "" {
		text += ", at " + ui.Escape(at)
	} else if f.OldAt != "" {
		text += ", was at " + ui.Escape(f.OldAt)
	}
	return text
}

// shortValue cuts a digest to what tells it from others at sight.
func shortValue(v string) string {
	const prefix, digits = "sha256:", 12
	if strings.HasPrefix(v, prefix) && len(v) > len(prefix)+digits {
		v = v[:len(prefix)+digits]
	}
	return ui.Escape(v)
}

func printBundleChange(w *bufio.Writer, b update.BundleChange) {
	text := string(b.Kind) + " bundle " + ui.Escape(b.Name)
	for _, name := range b.More {
		text += " +" + ui.Escape(name)
	}
	for _, name := range b.Gone {
		text += " -" + ui.Escape(name)
	}
	_, _ = fmt.Fprintln(w, text)
}
