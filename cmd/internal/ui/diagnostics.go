package ui

import (
	"fmt"
	"io"
	"strings"

	"strata/internal/diag"
)

// Diagnostics writes a sorted list to standard error, each with its excerpt,
// its hint and the places that belong to it, and a line of counts at the end.
func (s Streams) Diagnostics(list diag.List) {
	for _, d := range list {
		s.diagnostic(d)
	}
	if errs, warns := list.Count(); errs+warns > 0 {
		s.Errorf("%s", counts(errs, warns))
	}
}

func (s Streams) diagnostic(d diag.Diagnostic) {
	severity := d.Severity.String()
	_, _ = fmt.Fprintf(s.Err, "%s: %s: %s [%s]\n", Escape(d.Pos.String()), s.paint(d.Severity, severity), Escape(d.Message), d.Code)
	if d.Excerpt != "" {
		excerpt(s.Err, d)
	}
	for _, r := range d.Related {
		_, _ = fmt.Fprintf(s.Err, "  %s: %s\n", Escape(r.Pos.String()), Escape(r.Message))
	}
	if d.Hint != "" {
		_, _ = fmt.Fprintf(s.Err, "  hint: %s\n", Escape(d.Hint))
	}
}

func (s Streams) paint(sev diag.Severity, text string) string {
	switch {
	case !s.Color:
		return text
	case sev == diag.Warning:
		return "\x1b[33m" + text + "\x1b[0m"
	default:
		return "\x1b[31m" + text + "\x1b[0m"
	}
}

// excerpt writes the source line with a marker below the bytes concerned. Tabs
// become one space so that the marker stays in place.
func excerpt(w io.Writer, d diag.Diagnostic) {
	number := fmt.Sprintf("%4d", d.Pos.Line)
	line := strings.ReplaceAll(d.Excerpt, "\t", " ")
	_, _ = fmt.Fprintf(w, "%s | %s\n", number, Escape(line))
	if d.Pos.Column == 0 || d.Pos.Column > len(line)+1 {
		return
	}
	before := Escape(line[:d.Pos.Column-1])
	width := max(1, min(d.Width, len(line)-d.Pos.Column+1))
	_, _ = fmt.Fprintf(w, "%s | %s%s\n", strings.Repeat(" ", len(number)), strings.Repeat(" ", len([]rune(before))), strings.Repeat("^", width))
}

func counts(errs, warns int) string {
	switch {
	case warns == 0:
		return plural(errs, "error")
	case errs == 0:
		return plural(warns, "warning")
	}
	return plural(errs, "error") + ", " + plural(warns, "warning")
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
