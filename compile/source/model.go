package source

import (
	"strata/compile/db"
	"strata/internal/diag"
)

// Kind is what a definition defines.
type Kind uint8

// The kinds of s6-rc.
const (
	Oneshot Kind = iota + 1
	Longrun
	Bundle
)

// String returns "oneshot", "longrun" or "bundle".
func (k Kind) String() string {
	switch k {
	case Oneshot:
		return "oneshot"
	case Longrun:
		return "longrun"
	case Bundle:
		return "bundle"
	}
	return "unknown"
}

// Dir is one source directory. Order matters: with layers, a later source
// overrides an earlier one by name.
type Dir struct {
	// Path is the directory as the user gave it.
	Path string
	// Label stands for the source in the database, which knows no paths of the
	// compiling machine. Empty means the source's number, counted from 0.
	Label string
}

// Options say how sources are read.
type Options struct {
	// S6RC reads as s6-rc-compile does: TOML files are passed over, a directory
	// without a type file is an error.
	S6RC bool
	// Jobs limits how many definitions are read at once; 0 means one per CPU.
	Jobs int
}

// Ref is a name with the place where it is written.
type Ref struct {
	Name string
	Pos  diag.Position
}

// Definition is one definition as it was read. Fields that do not belong to its
// kind are zero.
type Definition struct {
	Name string
	Kind Kind
	// Source is the index of the source directory the definition came from.
	Source int
	// Pos is where the definition begins: the TOML file, or the type file.
	Pos diag.Position
	// TOML tells the two formats apart where a rule differs.
	TOML bool

	// Body holds everything about an atomic service that needs no resolution:
	// scripts, numbers, files, timeouts, flags. Body.Name is empty.
	Body db.Service
	// Flags of a bundle, which reach all that it stands for. For an atomic
	// service they are in Body.
	Flags db.Flags
	// Description of a bundle; of an atomic service it is in Body.
	Description string

	Needs, Wants, After, Before []Ref
	Contents                    []Ref
	Provides                    []Ref

	// ProducerFor is what this longrun feeds, at most one; ConsumerFor are the
	// longruns that feed it.
	ProducerFor []Ref
	ConsumerFor []Ref
	// PipelineName names the bundle made of the whole pipeline; only its last
	// consumer may declare it.
	PipelineName []Ref

	RenamedFrom []Ref

	// FieldPos is where each field stands, by its name in TOML ("run",
	// "timeout-up", "env"). A field that was not given is absent.
	FieldPos FieldPos
}

// Set is everything read from a list of sources, in the order of sources and of
// names.
type Set struct {
	Dirs        []Dir
	Definitions []*Definition
	// Blobs are the contents of the files that definitions refer to by digest.
	Blobs db.Blobs
	// Unreadable is the first file, or directory, that others could not read in
	// the sources, empty if there is none. It makes the database private.
	Unreadable string
	// Writable is, for each source that others than root and the caller can write
	// to, where they can.
	Writable []Writable
	// Broken are the names of definitions of which not even the kind could be
	// read, sorted. They are not in Definitions; their errors are reported, and
	// who refers to them need not be told that they do not exist.
	Broken []string
}
