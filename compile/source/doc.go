// Package source reads service definitions as people write them.
//
// Two formats give one model. A directory with a type file is a definition as
// s6-rc takes it; NAME.toml, or NAME/service.toml, is a definition in TOML. Both
// may stand side by side in one source. What is read becomes a [Definition],
// whose names are still only names: nothing is resolved here, package compile
// does that. Every value that a later check may complain about keeps the
// position it was read from.
//
// A mistake does not stop the reading. It is added to the list of diagnostics,
// and the reader goes on with the next file, so that one run finds them all.
package source
