package cli

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"strata/cmd/internal/ui"
	"strata/update"
)

// printServiceChange writes one service: a line for it, one for each field, and
// the difference of the texts behind digests.
func printServiceChange(w *bufio.Writer, c *update.Changes, s *update.ServiceChange, private bool) error {
	_, _ = fmt.Fprintln(w, serviceLine(s))
	texts, err := c.Texts(s, private)
	if errors.Is(err, update.ErrPrivate) {
		texts, err = nil, nil
	}
	if err != nil {
		return err
	}
	byField := map[string]update.TextChange{}
	for _, t := range texts {
		byField[t.Field] = t
	}
	for _, f := range s.Fields {
		_, _ = fmt.Fprintf(w, "  %s\n", fieldLine(f))
		if t, ok := byField[f.Field]; ok {
			printText(w, t)
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

// printText writes the lines that differ. A text with a null byte is no text.
func printText(w *bufio.Writer, t update.TextChange) {
	if strings.Contains(t.From+t.To, "\x00") {
		_, _ = fmt.Fprintln(w, "    not text")
		return
	}
	lines := strings.Split(string(diff.Diff("old", wholeLines(t.From), "new", wholeLines(t.To))), "\n")
	const heading = 3 // "diff old new", "--- old", "+++ new"
	if len(lines) < heading {
		return
	}
	for _, line := range lines[heading:] {
		if line != "" {
			_, _ = fmt.Fprintf(w, "    %s\n", ui.Escape(line))
		}
	}
}

// wholeLines ends the last line of a text.
func wholeLines(text string) []byte {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return []byte(text)
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
