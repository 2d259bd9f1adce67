package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"strata/cmd/internal/ui"
	"strata/internal/linediff"
	"strata/update"
)

// checkShowValues: what is private is shown to root, if that asks for it.
func checkShowValues(show bool) error {
	if show && os.Geteuid() != 0 {
		return usagef("--show-values is for root")
	}
	return nil
}

const showValuesHelp = "show values of private databases too; only for root"

// shownTexts returns the texts of a service that have changed, by field. There are
// none if a database is private and private values are not to be shown.
func shownTexts(c *update.Changes, s *update.ServiceChange, private bool) (map[string]update.TextChange, error) {
	texts, err := c.Texts(s, private)
	if errors.Is(err, update.ErrPrivate) {
		return nil, nil
	}
	byField := map[string]update.TextChange{}
	for _, t := range texts {
		byField[t.Field] = t
	}
	return byField, err
}

// How much of a text is compared, and of a difference shown.
const (
	maxText  = 1 << 20
	maxLines = 200
)

// printText writes the lines that differ. A text with a null byte is no text.
func printText(w io.Writer, indent string, t update.TextChange) {
	lines := []string{"not text"}
	switch {
	case strings.Contains(t.From+t.To, "\x00"):
	case max(len(t.From), len(t.To)) > maxText:
		lines = []string{fmt.Sprintf("too long to be compared: %d bytes, it had %d", len(t.To), len(t.From))}
	default:
		lines = linediff.Unified(t.From, t.To)
		if len(lines) > 0 && isLine(t.From) && isLine(t.To) {
			lines = lines[1:] // where it stands goes without saying
		}
	}
	if left := len(lines) - maxLines; left > 0 {
		lines = append(lines[:maxLines:maxLines], fmt.Sprintf("and %d lines more", left))
	}
	for _, line := range lines {
		_, _ = fmt.Fprintf(w, "%s%s\n", indent, ui.Escape(line))
	}
}

// isLine says that a text is one line, or none.
func isLine(text string) bool {
	i := strings.IndexByte(text, '\n')
	return text == "" || i >= 0 && i == len(text)-1
}
