package cli

import (
	"errors"
	"fmt"
)

// Exit codes, the same in every tool; docs/exit-codes.md explains them to users.
const (
	exitOK          = 0
	exitFailed      = 1 // a transition failed, a source is wrong, or things differ
	exitTimeout     = 2
	exitUnknown     = 3
	exitInvalid     = 4
	exitWrongType   = 5
	exitDuplicate   = 6
	exitNotSwitched = 8 // added to exitFailed or exitTimeout: 9 and 10
	exitUsage       = 100
	exitSystem      = 111
)

// exitError is an error with the exit code it asks for. An error without one
// counts as a system error.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// withCode gives err an exit code; nil stays nil.
func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code, err}
}

// usagef is a mistake on the command line.
func usagef(format string, args ...any) error {
	return withCode(exitUsage, fmt.Errorf(format, args...))
}

// errSilent ends a tool with a code where everything has been said already.
var errSilent = errors.New("")

// silent ends a tool with a code and no further message.
func silent(code int) error { return withCode(code, errSilent) }

// codeOf returns the exit code an error asks for.
func codeOf(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &e):
		return e.code
	default:
		return exitSystem
	}
}
