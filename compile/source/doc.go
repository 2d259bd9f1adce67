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
//
// # How it works
//
// [Read] lists each source and hands its entries to a few workers, each of which
// reads one definition after the other. A worker opens files relative to open
// directories, without waiting for FIFOs, and looks only for files that the
// directory's listing has. Contents of scripts and of files below data, env and
// template go into one store by digest.
//
// The directory format is read to the letter of s6-rc-compile 0.7, since
// definitions written for it must mean the same here: which bytes of a number
// count, which kinds of links count as absent, what a list takes for a name. The
// conformance cases judge it.
//
// TOML is decoded by a library into plain values. All keys stand in one table,
// which says for which kinds of services a key is and how it is read; messages,
// proposals and the table in docs/formats.md are made from it. The library does
// not say where a value stands, so a small index of the text does.
//
// Two kinds of faults are told apart by the System mark of a diagnostic: what a source
// says, and what the system does not let us read.
package source
