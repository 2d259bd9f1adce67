package ui

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// Streams are a tool's name and its standard streams.
type Streams struct {
	Tool     string
	In       io.Reader
	Out, Err io.Writer
	// Color is set where Err takes colours.
	Color bool
}

// Standard returns the process's own streams for a tool of the given name.
func Standard(tool string) Streams {
	return Streams{
		Tool: tool, In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Color: term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
}

// Errorf writes one line "TOOL: MESSAGE" to standard error.
func (s Streams) Errorf(format string, args ...any) {
	_, _ = fmt.Fprintf(s.Err, "%s: %s\n", s.Tool, fmt.Sprintf(format, args...))
}

// Warnf writes one line "TOOL: warning: MESSAGE" to standard error.
func (s Streams) Warnf(format string, args ...any) {
	s.Errorf("warning: "+format, args...)
}

// Printf writes to standard output. A failure to write is the caller's to find
// when it flushes or exits; tools whose output matters use a buffered writer.
func (s Streams) Printf(format string, args ...any) {
	_, _ = fmt.Fprintf(s.Out, format, args...)
}

// JSON writes v as one indented document to standard output.
func (s Streams) JSON(v any) error {
	enc := json.NewEncoder(s.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("cannot write to standard output: %w", err)
	}
	return nil
}

// Escape returns text from a definition as it may be printed: control
// characters and bytes that are not UTF-8 become backslash escapes. Ordinary
// text is returned as it is.
func Escape(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, unsafeRune) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if (r == utf8.RuneError && n == 1) || unsafeRune(r) {
			q := strconv.QuoteToASCII(s[:n])
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// ErrorText returns the text of an error in one line, as it may be printed. Errors that
// were joined stand one after the other.
func ErrorText(err error) string {
	return Escape(strings.ReplaceAll(err.Error(), "\n", "; "))
}

func unsafeRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r > '~'
	}
	return !strconv.IsPrint(r)
}

// Lines writes lines to standard output.
func (s Streams) Lines(lines []string) error {
	w := bufio.NewWriter(s.Out)
	for _, line := range lines {
		_, _ = w.WriteString(line)
		_ = w.WriteByte('\n')
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("cannot write to standard output: %w", err)
	}
	return nil
}
