package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity says whether a diagnostic stops the compilation.
type Severity uint8

// The severities, the graver one first.
const (
	Error Severity = iota
	Warning
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Code identifies a kind of diagnostic across releases, for scripts and for the
// list of codes in the documentation. It is a short name such as
// "unknown-key" or "dependency-cycle".
type Code string

// Position is a place in a source. File is the path as the user can open it.
// Line and Column count from 1; Column counts bytes. A Line of 0 means the file
// as a whole, a Column of 0 the line as a whole.
type Position struct {
	File   string
	Line   int
	Column int
}

// String renders the position as file, file:line or file:line:column.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
}

// Compare orders positions by file, line and column.
func (p Position) Compare(q Position) int {
	return cmp.Or(strings.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// Related is a further place that belongs to a diagnostic, for example an edge
// of a cycle or the first of two definitions.
type Related struct {
	Pos     Position
	Message string
}

// Diagnostic is one mistake, or one doubt.
type Diagnostic struct {
	Severity Severity
	Code     Code
	Pos      Position
	// Message is one sentence without a capital or a full stop. It names the
	// services concerned.
	Message string
	// Excerpt is the source line at Pos, without its newline; empty where a
	// line says nothing (a missing file).
	Excerpt string
	// Width is the number of bytes of Excerpt, from Pos.Column on, that the
	// diagnostic is about; 0 marks just the column.
	Width int
	// Hint says what to do about it; it may be empty.
	Hint    string
	Related []Related
	// System is set where the cause is not the content of the source but the
	// system under it (a file that cannot be read, a missing directory). It
	// decides between the exit codes 1 and 111.
	System bool
}

// List is what one run found. The zero value is an empty list ready to use.
type List []Diagnostic

// Add appends d.
func (l *List) Add(d Diagnostic) { *l = append(*l, d) }

// Errorf appends an error at pos with a formatted message and returns a pointer
// to it, valid until the next append, so that the caller can add a hint.
func (l *List) Errorf(code Code, pos Position, format string, args ...any) *Diagnostic {
	*l = append(*l, Diagnostic{Severity: Error, Code: code, Pos: pos, Message: fmt.Sprintf(format, args...)})
	return &(*l)[len(*l)-1]
}

// Warnf appends a warning; see [List.Errorf].
func (l *List) Warnf(code Code, pos Position, format string, args ...any) *Diagnostic {
	d := l.Errorf(code, pos, format, args...)
	d.Severity = Warning
	return d
}

// HasErrors reports whether the list holds at least one error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// SystemOnly reports whether the list holds errors and all of them come from the
// system rather than from what a source says.
func (l List) SystemOnly() bool {
	return l.HasErrors() && !slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error && !d.System })
}

// Count returns the number of errors and of warnings.
func (l List) Count() (errors, warnings int) {
	for _, d := range l {
		if d.Severity == Error {
			errors++
		} else {
			warnings++
		}
	}
	return errors, warnings
}

// Sort orders the list by position, then severity, code and message, and drops
// exact repetitions.
func (l *List) Sort() {
	slices.SortStableFunc(*l, compare)
	*l = slices.CompactFunc(*l, func(a, b Diagnostic) bool { return compare(a, b) == 0 })
}

func compare(a, b Diagnostic) int {
	return cmp.Or(
		a.Pos.Compare(b.Pos),
		cmp.Compare(a.Severity, b.Severity),
		strings.Compare(string(a.Code), string(b.Code)),
		strings.Compare(a.Message, b.Message),
	)
}
