package cli

import (
	"bufio"
	"fmt"

	"strata/cmd/internal/ui"
	"strata/compile/db"
)

// s6rcLive is the live directory that s6-rc's programs use by default.
const s6rcLive = "/run/s6-rc"

const s6rcDBUsage = "s6-rc-db [ -u | -d ] [ -l live ] [ -c compiled ] [ -b ] [ -E | -e ] command... (use s6-rc-db help for more information)"

const s6rcDBHelp = `s6-rc-db help
s6-rc-db check
s6-rc-db list all|services|oneshots|longruns|bundles
s6-rc-db type servicename
s6-rc-db [ -u | -d ] timeout atomicname
s6-rc-db contents bundlename
s6-rc-db [ -u | -d ] dependencies servicename...
s6-rc-db pipeline longrunname
s6-rc-db [ -u | -d ] script oneshotname
s6-rc-db flags atomicname
s6-rc-db atomics servicename...
s6-rc-db [ -u | -d ] all-dependencies servicename...
`

// s6rcDBCommands are the queries of s6-rc-db. They are rc-db's, but for what each
// prints: names as they are, one on a line, and a script as words that end in a
// zero. A word behind those that a command needs is passed over.
var s6rcDBCommands = map[string]func(*dbOptions, *db.DB, []string) (dbAnswer, error){
	"all-dependencies": dbAllDependencies, "atomics": dbAtomics, "check": dbCheck, "contents": dbContents, "dependencies": dbDependencies,
	"flags": dbFlags, "list": dbList, "pipeline": dbPipeline, "script": s6rcScript, "timeout": dbTimeout, "type": dbType,
}

// s6rcDB is s6-rc-db. The internal services of s6-rc are not in our databases, so
// they are not printed; readers take no lock, so -b says nothing.
func s6rcDB(s ui.Streams, args []string) error {
	o := dbOptions{live: s6rcLive}
	args, err := s6rcOptions{
		bools: []s6rcBool{
			{'u', "up", func() { o.down = false }},
			{'d', "down", func() { o.down = true }},
			{'b', "block", func() {}},
			{'E', "with-essentials", func() { o.without = false }},
			{'e', "without-essentials", func() { o.without = true }},
		},
		args: []s6rcArg{{'l', "livedir", &o.live}, {'c', "compiled", &o.database}},
	}.parse(args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usagef("usage: %s", s6rcDBUsage)
	}
	if args[0] == "help" {
		return output(s, func(w *bufio.Writer) error {
			_, err := w.WriteString(s6rcDBHelp)
			return err
		})
	}
	ask, ok := s6rcDBCommands[args[0]]
	switch {
	case !ok:
		return usagef("unknown command: %s", args[0])
	case args[0] != "check" && len(args) < 2:
		return usagef("usage: %s", s6rcDBUsage)
	}
	if _, ok := selections[args[min(1, len(args)-1)]]; args[0] == "list" && !ok {
		return usagef("unknown subcommand: %s", args[1])
	}
	return o.use(func(d *db.DB) error {
		a, err := ask(&o, d, args[1:])
		if err != nil {
			return err
		}
		end := byte('\n')
		if args[0] == "script" {
			end = 0
		}
		return output(s, func(w *bufio.Writer) error {
			for _, l := range a.lines {
				_, _ = w.WriteString(l) // the buffer keeps the error
				_ = w.WriteByte(end)
			}
			return nil
		})
	})
}

// s6rcScript refuses what s6-rc has no words for: a script of a TOML definition.
func s6rcScript(o *dbOptions, d *db.DB, args []string) (dbAnswer, error) {
	p, err := o.program(d, args[0])
	if err != nil {
		return dbAnswer{}, err
	}
	if p.Form == db.Script {
		return dbAnswer{}, fmt.Errorf("cannot print the words of %s: %w: it is a script; see rc-db script", args[0], db.ErrWrongType)
	}
	return dbScript(o, d, args)
}
