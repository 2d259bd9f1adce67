package update

import (
	"fmt"
	"slices"

	"strata/compile/db"
)

// Class says what a changed field asks for, the least first.
type Class uint8

// The classes.
const (
	// Cosmetic: nothing but texts changed.
	Cosmetic Class = iota
	// Graph: it changes what other commands do from now on, nothing that runs.
	Graph
	// Live: it counts from now on for what runs already; the process stays.
	Live
	// ByReload: the process is told to reload.
	ByReload
	// Rerun: a oneshot would do something else now. It is not run again unless
	// its definition says on-change = "restart".
	Rerun
	// ByRestart: the process has to be replaced.
	ByRestart
)

var classNames = []string{"cosmetic", "graph", "live", "reload", "rerun", "restart"}

// String returns the name that documents and patches use.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("class(%d)", uint8(c))
}

// MarshalText implements [encoding.TextMarshaler].
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (c *Class) UnmarshalText(b []byte) error {
	i := slices.Index(classNames, string(b))
	if i < 0 {
		return fmt.Errorf("cannot read class %q", b)
	}
	*c = Class(i)
	return nil
}

// Field is a row of the class table: one field of a definition and what its change
// asks for.
type Field struct {
	// Key is the name of the field in documents, patches and sources; where it
	// stands for many values (variables, files) their names follow after a "/".
	Key string
	// Go is the field of [db.Service], or of [db.Exec] as "Exec.NAME".
	Go string
	// Longrun and Oneshot are the classes.
	Longrun, Oneshot Class
	// Secret values are shown as digests only.
	Secret bool

	values func(s side) []value
}

// side is a service with the names that its numbers mean.
type side struct {
	*db.Service
	name func(id) string
}

// value is one value of a field; sub is empty, or the part after the "/". Where
// the text names a file's content by its digest, blob is that.
type value struct {
	sub, text string
	blob      db.Digest
}

// class is the field's class for a service of type t.
func (f Field) class(t db.Type) Class {
	if t == db.Oneshot {
		return f.Oneshot
	}
	return f.Longrun
}

// Fields is the class table: every field of a definition. What is not compared
// here is compared elsewhere: a name decides the identity, a type what becomes of
// the process, edges (needs, wants, after, before) are of class graph.
func Fields() []Field { return fields }

var fields = []Field{
	{Key: "description", Go: "Description", values: text(func(s side) string { return s.Description })},
	{Key: "flags", Go: "Flags", Longrun: Live, Oneshot: Live, values: text(func(s side) string { return flagText(s.Flags) })},
	{Key: "manual", Go: "Manual", Longrun: Graph, Oneshot: Graph, values: text(func(s side) string { return boolText(s.Manual) })},
	{Key: "provides", Go: "Provides", Longrun: Graph, Oneshot: Graph, values: set(func(s side) []string { return s.Provides })},
	{Key: "renamed-from", Go: "RenamedFrom", Longrun: Graph, Oneshot: Graph, values: set(func(s side) []string { return s.RenamedFrom })},
	{Key: "on-change", Go: "OnChange", Longrun: Graph, Oneshot: Graph, values: text(func(s side) string { return onChangeText(s.OnChange) })},

	{Key: "timeout-up", Go: "TimeoutUp", Longrun: Live, Oneshot: Live, values: text(func(s side) string { return millis(s.TimeoutUp) })},
	{Key: "timeout-down", Go: "TimeoutDown", Longrun: Live, Oneshot: Live, values: text(func(s side) string { return millis(s.TimeoutDown) })},

	{Key: "up", Go: "Up", Longrun: Live, Oneshot: Rerun, Secret: true, values: program(func(s side) db.Program { return s.Up })},
	{Key: "down", Go: "Down", Longrun: Live, Oneshot: Live, Secret: true, values: program(func(s side) db.Program { return s.Down })},
	{Key: "reload", Go: "Reload", Longrun: Live, Oneshot: Live, Secret: true, values: program(func(s side) db.Program { return s.Reload })},
	{Key: "tty", Go: "TTY", Longrun: Live, Oneshot: Live, values: text(func(s side) string { return s.TTY })},

	{Key: "run", Go: "Run", Longrun: ByRestart, Oneshot: Live, Secret: true, values: program(func(s side) db.Program { return s.Run })},
	{Key: "finish", Go: "Finish", Longrun: Live, Oneshot: Live, Secret: true, values: program(func(s side) db.Program { return s.Finish })},
	{Key: "notification-fd", Go: "NotificationFD", Longrun: ByRestart, Oneshot: Live, values: number(func(s side) db.Uint { return s.NotificationFD })},
	{Key: "lock-fd", Go: "LockFD", Longrun: ByRestart, Oneshot: Live, values: number(func(s side) db.Uint { return s.LockFD })},
	{Key: "timeout-kill", Go: "TimeoutKill", Longrun: Live, Oneshot: Live, values: number(func(s side) db.Uint { return s.TimeoutKill })},
	{Key: "timeout-finish", Go: "TimeoutFinish", Longrun: Live, Oneshot: Live, values: number(func(s side) db.Uint { return s.TimeoutFinish })},
	{Key: "max-death-tally", Go: "MaxDeathTally", Longrun: Live, Oneshot: Live, values: number(func(s side) db.Uint { return s.MaxDeathTally })},
	{Key: "down-signal", Go: "DownSignal", Longrun: Live, Oneshot: Live, values: signal(func(s side) []byte { return s.DownSignal })},
	{Key: "reload-signal", Go: "ReloadSignal", Longrun: Live, Oneshot: Live, values: signal(func(s side) []byte { return s.ReloadSignal })},
	{Key: "flag-timeout-killpg", Go: "TimeoutKillPG", Longrun: Live, Oneshot: Live, values: text(func(s side) string { return boolText(s.TimeoutKillPG) })},
	// A namespace is given to a process when it is made.
	{Key: "flag-newpidns", Go: "NewPIDNS", Longrun: ByRestart, Oneshot: Live, values: text(func(s side) string { return boolText(s.NewPIDNS) })},

	{Key: "user", Go: "Exec.User", Longrun: ByRestart, Oneshot: Rerun, values: text(func(s side) string { return s.Exec.User })},
	{Key: "env", Go: "Exec.Env", Longrun: ByRestart, Oneshot: Rerun, Secret: true, values: environment},
	{Key: "umask", Go: "Exec.Umask", Longrun: ByRestart, Oneshot: Rerun, values: octal(func(s side) db.Uint { return s.Exec.Umask })},
	{Key: "workdir", Go: "Exec.Workdir", Longrun: ByRestart, Oneshot: Rerun, values: text(func(s side) string { return s.Exec.Workdir })},
	{Key: "limits", Go: "Exec.Limits", Longrun: ByRestart, Oneshot: Rerun, values: limits},
	{Key: "run-before", Go: "Exec.RunBefore", Longrun: ByRestart, Oneshot: Rerun, Secret: true, values: program(func(s side) db.Program { return s.Exec.RunBefore })},
	{Key: "run-before-timeout", Go: "Exec.RunBeforeTimeout", Longrun: Live, Oneshot: Live, values: text(func(s side) string { return millis(s.Exec.RunBeforeTimeout) })},
	// The paths begin with data, env or template, so that they are the keys.
	{Key: "", Go: "Files", Longrun: ByRestart, Oneshot: Rerun, Secret: true, values: files},

	{Key: "producer-for", Go: "Consumer", Longrun: ByRestart, Oneshot: Live, values: text(func(s side) string { return s.name(s.Consumer) })},
	// What the process has as standard input changes only with the first and the
	// last producer; between them it is the same pipe.
	{Key: "consumer-for", Go: "Producers", Longrun: ByRestart, Oneshot: Live, values: text(func(s side) string { return boolText(len(s.Producers) > 0) })},
}

// notCompared are the fields of db.Service that are no rows of the table, with the
// reason.
var notCompared = map[string]string{
	"Name":   "decides the identity",
	"Type":   "a service of another type is another service",
	"Origin": "is where a definition stands, no part of it",
	"Exec":   "its fields are rows of their own",
}
