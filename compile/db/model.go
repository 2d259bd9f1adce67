package db

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"strata/graph"
)

// ServiceID is the number of an atomic service in one database: its place in the
// byte order of names. It means nothing in another database.
type ServiceID = graph.ID

// None is the ServiceID of no service.
const None ServiceID = 1<<32 - 1

// BundleID is the number of a bundle in one database.
type BundleID uint32

// Digest is a SHA-256.
type Digest [sha256.Size]byte

// String returns the digest in lower-case hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Short returns the first 16 hexadecimal digits, for people.
func (d Digest) Short() string { return hex.EncodeToString(d[:8]) }

// IsZero reports whether d is the zero value, which stands for "no digest".
func (d Digest) IsZero() bool { return d == Digest{} }

// ParseDigest reads what [Digest.String] wrote.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(d) {
		return Digest{}, fmt.Errorf("cannot read digest %q: want %d hexadecimal digits", s, 2*len(d))
	}
	return Digest(b), nil
}

// MarshalText implements [encoding.TextMarshaler].
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Digest) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDigest(string(b))
	return err
}

// Type is the type of an atomic service.
type Type uint8

// The types of s6-rc.
const (
	Oneshot Type = iota + 1
	Longrun
)

// String returns "oneshot" or "longrun".
func (t Type) String() string {
	switch t {
	case Oneshot:
		return "oneshot"
	case Longrun:
		return "longrun"
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

// Flags are the annotation flags of s6-rc, with its bit numbers.
type Flags uint32

// The flags that s6-rc 0.7 knows.
const (
	Essential   Flags = 1 << iota // flag-essential
	Recommended                   // flag-recommended
)

// Millis is a duration in milliseconds; 0 means no limit.
type Millis uint32

// Uint is an optional number of a service directory (notification-fd and the
// like). The zero value is "not given".
type Uint struct {
	Set   bool
	Value uint32
}

// Program is what a service runs: an argument vector, or a script, or nothing.
type Program struct {
	Form ProgramForm
	// Argv is used by the form Argv. It may be empty: s6-rc accepts an empty up
	// script, which runs nothing and succeeds.
	Argv []string
	// Script is the digest of the file's content, used by the form Script.
	Script Digest
}

// ProgramForm tells the forms of a [Program] apart.
type ProgramForm uint8

// The forms of a program.
const (
	NoProgram ProgramForm = iota
	Argv
	Script
)

// EnvVar is a variable of a TOML definition's env table.
type EnvVar struct{ Name, Value string }

// Limit is a resource limit of a TOML definition, by the name of setrlimit(2)
// without RLIMIT_, in lower case ("nofile", "core"). The largest value means
// unlimited.
type Limit struct {
	Name  string
	Value uint64
}

// Exec is what a TOML definition says about the process around the program. A
// directory definition does these things in its run script and leaves it zero.
type Exec struct {
	User             string   // "user" or "user:group"
	Env              []EnvVar // sorted by name
	Umask            Uint
	Workdir          string
	Limits           []Limit // sorted by name
	RunBefore        Program
	RunBeforeTimeout Millis
}

// OnChange is a definition's order for the live updater when it has changed.
type OnChange uint8

// The orders. ByClass leaves the decision to the class of the changed field.
const (
	ByClass OnChange = iota
	Restart
	Reload
	Keep
)

// EntryKind is the kind of a file in a service directory.
type EntryKind uint8

// The kinds a database can hold; devices and sockets are refused at compile
// time.
const (
	File EntryKind = iota + 1
	Directory
	Link
	FIFO
)

// Owner is a file's owner. The zero value is the tree owner: root, or whoever
// compiled, so that the same tree compiled by either gives the same bytes.
type Owner struct {
	Other    bool
	UID, GID uint32
}

// Entry is a file below data, env or template. Path is relative to the service
// directory and begins with one of these names; entries are sorted by path.
type Entry struct {
	Path   string
	Kind   EntryKind
	Mode   uint32 // the 12 permission bits
	Owner  Owner
	Blob   Digest // of a File
	Target string // of a Link, as it is
}

// Service is an atomic service with all that init, engine and updater need.
type Service struct {
	Name        string
	Type        Type
	Flags       Flags
	Manual      bool
	Description string
	TimeoutUp   Millis
	TimeoutDown Millis

	// Oneshots.
	Up, Down, Reload Program
	TTY              string

	// Longruns. The numbers are those of s6's service directory.
	Run, Finish    Program
	NotificationFD Uint
	LockFD         Uint
	TimeoutKill    Uint
	TimeoutFinish  Uint
	MaxDeathTally  Uint
	// DownSignal and ReloadSignal are the files' contents; nil is "not given".
	DownSignal, ReloadSignal []byte
	TimeoutKillPG            bool // flag-timeout-killpg
	NewPIDNS                 bool // flag-newpidns

	Exec  Exec
	Files []Entry

	// Consumer is the longrun this one feeds, or None. Producers feed it.
	Consumer  ServiceID
	Producers []ServiceID

	Provides    []string
	RenamedFrom []string
	OnChange    OnChange

	Origin Origin
}

// Origin says where a service was defined. It is kept apart from the definition:
// no digest but the file's covers it.
type Origin struct {
	Label string // of the source
	Path  string // of the file, relative to the source
	Line  int    // 0: the file as a whole
	// Fields are the places of single fields, sorted by field name; a needs
	// edge is the field "needs/NAME".
	Fields []FieldOrigin
}

// FieldOrigin is the place of one field.
type FieldOrigin struct {
	Field string
	Path  string
	Line  int
}

// At returns the place of a field, or the service's own if the field has none.
func (o Origin) At(field string) (path string, line int) {
	for _, f := range o.Fields {
		if f.Field == field {
			return f.Path, f.Line
		}
	}
	return o.Path, o.Line
}

// Place renders where a field stands: LABEL:PATH:LINE, or the empty string if that
// is not known. A variable or a file that has no place of its own has that of the
// table it is in.
func (o Origin) Place(field string) string {
	path, line := o.At(field)
	if table, _, ok := strings.Cut(field, "/"); ok && path == o.Path && line == o.Line {
		path, line = o.At(table)
	}
	if path == "" {
		return ""
	}
	at := path
	if o.Label != "" {
		at = o.Label + ":" + path
	}
	if line > 0 {
		at += ":" + strconv.Itoa(line)
	}
	return at
}

// Bundle is a name for a set of atomic services.
type Bundle struct {
	Name        string
	Description string
	// Contents is flat: atomic services only, ascending.
	Contents []ServiceID
	// Pipeline is set for a bundle made by pipeline-name.
	Pipeline bool
	// Provided is set for a name that a service provides; Contents is that one
	// service.
	Provided bool
	Origin   Origin
}

// Blobs are file contents by digest.
type Blobs map[Digest][]byte

// Add stores content and returns its digest.
func (b Blobs) Add(content []byte) Digest {
	d := Digest(sha256.Sum256(content))
	if _, ok := b[d]; !ok {
		b[d] = content
	}
	return d
}

// Model is a database's content in memory: what the compiler hands to [Write]
// and what [DB.Load] gives back. Services and bundles are sorted by name, and no
// name stands twice. A ServiceID is an index into Services.
type Model struct {
	Services []Service
	Bundles  []Bundle
	// Needs holds the hard edges, from a service to what it needs. Wants holds
	// pull-in edges; Soft holds ordering edges (wants, after, before).
	Needs, Wants, Soft *graph.Graph
	// Levels are those of Needs and Soft together.
	Levels graph.Levels
	Blobs  Blobs
	// Private says that something in the model was not readable by others in
	// the source.
	Private bool
}
