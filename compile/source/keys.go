package source

import (
	"strings"

	"strata/compile/db"
)

// kinds says to which kinds of definitions a key belongs.
type kinds uint8

const (
	forOneshot kinds = 1 << Oneshot
	forLongrun kinds = 1 << Longrun
	forBundle  kinds = 1 << Bundle
	forAtomic        = forOneshot | forLongrun
	forAll           = forAtomic | forBundle
)

func (k kinds) has(kind Kind) bool { return k&(1<<kind) != 0 }

// String names the kinds for people: "oneshot, longrun".
func (k kinds) String() string {
	if k == forAll {
		return "all"
	}
	var names []string
	for kind := Oneshot; kind <= Bundle; kind++ {
		if k.has(kind) {
			names = append(names, kind.String())
		}
	}
	return strings.Join(names, ", ")
}

// key is a key of a TOML definition.
type key struct {
	// name is the key; one of a table that has keys of its own is TABLE.KEY.
	name string
	in   kinds
	// value says what the value is, and doc what it means, for the table in the
	// documentation.
	value string
	read  func(t *tomlReader, v value)
	doc   string
}

// field is the name that FieldPos knows the key by.
func (k *key) field() string { return strings.TrimPrefix(k.name, updateTable+".") }

const updateTable = "update"

// keys are all keys there are: the reader, its messages and the table in the
// documentation are made from this.
var keys = []key{
	{"type", forAll, `"longrun", "oneshot" or "bundle"`, (*tomlReader).noop, "What is defined. The only key that every definition needs."},
	{"description", forAll, "string", (*tomlReader).description, "One line for people."},
	{"needs", forAtomic, "list of names", names(func(d *Definition) *[]Ref { return &d.Needs }), "What must be up before, and is stopped after."},
	{"wants", forAtomic, "list of names", names(func(d *Definition) *[]Ref { return &d.Wants }), "What is started too and waited for, but may fail or be absent."},
	{"after", forAtomic, "list of names", names(func(d *Definition) *[]Ref { return &d.After }), "What goes first if both start, and last if both stop."},
	{"before", forAtomic, "list of names", names(func(d *Definition) *[]Ref { return &d.Before }), "The reverse of `after`."},
	{"provides", forAtomic, "list of names", names(func(d *Definition) *[]Ref { return &d.Provides }), "Further names, each of which only one service may provide."},
	{"contents", forBundle, "list of names", names(func(d *Definition) *[]Ref { return &d.Contents }), "What the bundle stands for. Required."},
	{"essential", forAll, "boolean", annotation(db.Essential), "Not stopped by an ordinary stop. A bundle passes it on to its contents."},
	{"recommended", forAll, "boolean", annotation(db.Recommended), "Annotation for tools. A bundle passes it on to its contents."},
	{"manual", forAtomic, "boolean", boolean(func(d *Definition) *bool { return &d.Body.Manual }), "Never started because a bundle holds it; only by name or by a need."},
	{"timeout-up", forAtomic, "duration", duration(func(d *Definition) *db.Millis { return &d.Body.TimeoutUp }), "How long the start may take; 0 is no limit."},
	{"timeout-down", forAtomic, "duration", duration(func(d *Definition) *db.Millis { return &d.Body.TimeoutDown }), "How long the stop may take; 0 is no limit."},
	{"run", forLongrun, "program", program(func(d *Definition) *db.Program { return &d.Body.Run }), "The daemon. Required."},
	{"finish", forLongrun, "program", program(func(d *Definition) *db.Program { return &d.Body.Finish }), "What runs after each end of the daemon."},
	{"up", forOneshot, "program", program(func(d *Definition) *db.Program { return &d.Body.Up }), "What the start runs. Required."},
	{"down", forOneshot, "program", program(func(d *Definition) *db.Program { return &d.Body.Down }), "What the stop runs."},
	{"reload", forOneshot, "program", program(func(d *Definition) *db.Program { return &d.Body.Reload }), "What a reload runs."},
	{"tty", forOneshot, "string", text(func(d *Definition) *string { return &d.Body.TTY }, absolutePath), "The terminal the program talks to, for a oneshot that asks a person."},
	{"user", forAtomic, "string", text(func(d *Definition) *string { return &d.Body.Exec.User }, userName), "Who runs the program: \"user\" or \"user:group\"."},
	{"env", forAtomic, "table of strings", (*tomlReader).env, "Variables added to the environment."},
	{"umask", forAtomic, "string of octal digits", (*tomlReader).umask, "The file mode mask, such as \"022\"; the integer 0o022 is taken too."},
	{"workdir", forAtomic, "string", text(func(d *Definition) *string { return &d.Body.Exec.Workdir }, notEmpty), "The working directory."},
	{"limits", forAtomic, "table of integers", (*tomlReader).limits, "Resource limits: as, core, cpu, data, fsize, memlock, nofile, nproc, rss, stack; in bytes, seconds or pieces, or \"unlimited\"."},
	{"run-before", forAtomic, "program", program(func(d *Definition) *db.Program { return &d.Body.Exec.RunBefore }), "What runs before each start of the program, in the same environment."},
	{"run-before-timeout", forAtomic, "duration", duration(func(d *Definition) *db.Millis { return &d.Body.Exec.RunBeforeTimeout }), "How long `run-before` may take; 0 is no limit."},
	{"notification-fd", forLongrun, "integer", number32(func(d *Definition) *db.Uint { return &d.Body.NotificationFD }), "The descriptor on which the daemon writes a newline when it is ready."},
	{"lock-fd", forLongrun, "integer", number32(func(d *Definition) *db.Uint { return &d.Body.LockFD }), "The descriptor of a lock that the daemon's children hold."},
	{"timeout-kill", forLongrun, "duration", millis(func(d *Definition) *db.Uint { return &d.Body.TimeoutKill }), "How long after the stop signal SIGKILL follows."},
	{"timeout-finish", forLongrun, "duration", millis(func(d *Definition) *db.Uint { return &d.Body.TimeoutFinish }), "How long `finish` may take; 0 is no limit, without the key it is 5 s."},
	{"max-death-tally", forLongrun, "integer", number32(func(d *Definition) *db.Uint { return &d.Body.MaxDeathTally }), "How many deaths s6-supervise remembers."},
	{"down-signal", forLongrun, "string", signal(func(d *Definition) *[]byte { return &d.Body.DownSignal }), "The signal that stops the daemon, such as \"SIGINT\" or 2."},
	{"reload-signal", forLongrun, "string", signal(func(d *Definition) *[]byte { return &d.Body.ReloadSignal }), "The signal that makes the daemon reload."},
	{"flag-timeout-killpg", forLongrun, "boolean", boolean(func(d *Definition) *bool { return &d.Body.TimeoutKillPG }), "SIGKILL after `timeout-kill` goes to the whole process group."},
	{"flag-newpidns", forLongrun, "boolean", boolean(func(d *Definition) *bool { return &d.Body.NewPIDNS }), "The daemon runs in a PID namespace of its own."},
	{"logger", forLongrun, "name", (*tomlReader).logger, "The longrun that reads this one's standard output. It need not name this one."},
	{"producer-for", forLongrun, "name", (*tomlReader).producerFor, "As `logger`, but the other must name this one in `consumer-for`."},
	{"consumer-for", forLongrun, "list of names", names(func(d *Definition) *[]Ref { return &d.ConsumerFor }), "The longruns whose output this one reads."},
	{"pipeline-name", forLongrun, "name", oneName(func(d *Definition) *[]Ref { return &d.PipelineName }), "A bundle of the whole pipeline; the last consumer gives it."},
	{"update.renamed-from", forAtomic, "list of names", names(func(d *Definition) *[]Ref { return &d.RenamedFrom }), "Earlier names; the update then takes the old service for this one."},
	{"update.on-change", forAtomic, `"restart", "reload" or "keep"`, (*tomlReader).onChange, "What the update does when the definition has changed, whatever has changed in it."},
}

// aliases are words of other systems for our keys.
var aliases = map[string]string{
	"dependencies": "needs", "depends": "needs", "depends-on": "needs", "requires": "needs",
	"command": "run", "exec": "run", "exec-start": "run", "start": "up", "stop": "down",
	"environment": "env", "log": "logger", "cwd": "workdir", "working-directory": "workdir",
	"group": "user", "services": "contents", "down-timeout": "timeout-down", "up-timeout": "timeout-up",
}

// KeyNames returns the names of all keys that a TOML definition may have, those of
// the table update as update.KEY.
func KeyNames() []string {
	all := make([]string, len(keys))
	for i := range keys {
		all[i] = keys[i].name
	}
	return all
}
