package db

import (
	"errors"
	"fmt"
)

var (
	// ErrCorrupt says that a file is no database, or not the one that was
	// written: cut, changed, or foreign. Tools end with exit code 4.
	ErrCorrupt = errors.New("not a valid database")
	// ErrFormat says that a database is whole but of a version that this
	// release does not read. Tools end with exit code 4.
	ErrFormat = errors.New("database format not supported")
)

// corruptf is [ErrCorrupt] with what was found.
func corruptf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

func formatf(version uint32) error {
	return fmt.Errorf("%w: version %d, this release reads %d: compile it again from its source", ErrFormat, version, FormatVersion)
}
