package execline

import "fmt"

// Kind tells the mistakes of a script apart.
type Kind uint8

// The kinds that s6-rc's compiler reports too.
const (
	// Syntax is an open quote, a bad escape, or a script that ends after a
	// backslash or an opening brace.
	Syntax Kind = iota + 1
	// UnmatchedOpen is a block that is never closed.
	UnmatchedOpen
	// UnmatchedClose is a closing brace outside a block.
	UnmatchedClose
)

// String returns "syntax error", "unmatched {" or "unmatched }".
func (k Kind) String() string {
	switch k {
	case Syntax:
		return "syntax error"
	case UnmatchedOpen:
		return "unmatched {"
	case UnmatchedClose:
		return "unmatched }"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// SyntaxError is a script that has no argument vector.
type SyntaxError struct {
	// Line and Column count from 1, Column in bytes. They are the place of the
	// quote, escape or brace at fault.
	Line, Column int
	Kind         Kind
	// Detail says more than the kind does, for example "the quote is never
	// closed". It may be empty.
	Detail string
	// Hint says what to do; it may be empty.
	Hint string
}

// Error returns LINE:COLUMN, the kind and the detail.
func (e *SyntaxError) Error() string {
	s := fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Kind)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}
