package cli

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/graph"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/explain"
)

const (
	s6rcUsage = "s6-rc [ -v verbosity ] [ -n dryrunthrottle ] [ -t timeout ] [ -l live ] [ -b ] [ -E | -e ] [ -u | -d | -D ] [ -p ] [ -a ] help|list|listall|diff|start|stop|change [ servicenames... ]"

	s6rcHelp = `s6-rc help
s6-rc [ -l live ] [ -a ] list [ servicenames... ]
s6-rc [ -l live ] [ -a ] [ -u | -d ] listall [ servicenames... ]
s6-rc [ -l live ] diff
s6-rc [ -l live ] [ -a ] [ -u | -d | -D ] [ -p ] [ -v verbosity ] [ -t timeout ] [ -n dryrunthrottle ] change [ servicenames... ]
`
)

// s6rcFlags are the options of s6-rc.
type s6rcFlags struct {
	down, essentials, prune, add, block bool
	verbosity, dry, timeout, live       string
}

// s6rcChange is s6-rc. It differs from s6-rc in that internal services are in no
// list, and --no-lock is passed over: readers never lock, writers always do.
func s6rcChange(s ui.Streams, args []string) error {
	f := s6rcFlags{verbosity: "1", timeout: "0", live: s6rcLive}
	args, err := s6rcOptions{
		bools: []s6rcBool{
			{'u', "up", func() { f.down = false }},
			{'d', "down", func() { f.down = true }},
			{'D', "all-down", func() { f.down, f.essentials = true, true }},
			{'p', "prune", func() { f.prune = true }},
			{'a', "add", func() { f.add = true }},
			{'b', "block", func() { f.block = true }},
			{'E', "with-essentials", func() { f.essentials = false }},
			{'e', "without-essentials", func() { f.essentials = true }},
			{0, "no-lock", func() {}},
		},
		args: []s6rcArg{
			{'v', "verbosity", &f.verbosity},
			{'n', "dry-run", &f.dry},
			{'t', "timeout", &f.timeout},
			{'l', "livedir", &f.live},
		},
	}.parse(args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usagef("usage: %s", s6rcUsage)
	}
	verbosity, err := s6rcUint("verbosity", f.verbosity)
	if err != nil {
		return err
	}
	o, err := f.runOptions()
	if err != nil {
		return err
	}
	command, names := args[0], args[1:]
	switch command {
	case "start":
		command, f.down, f.prune = "change", false, false
	case "stop":
		command, f.down, f.prune = "change", true, false
	}
	switch command {
	case "help":
		s.Printf("%s", s6rcHelp)
		return nil
	case "diff":
		return printDrift(s, f.live, false)
	case "list", "listall":
		return f.list(s, command == "listall", names)
	case "change":
		return f.change(s, verbosity, o, names)
	case "reload":
		return f.reload(s, verbosity, o, names)
	}
	return usagef("unknown command: %s", command)
}

// s6rcUint reads a number as s6-rc does.
func s6rcUint(what, text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, usagef("%s must be an unsigned integer", what)
	}
	return int(min(n, math.MaxInt32)), nil
}

// runOptions are what the options say of a change; s6-rc looks at them whatever the
// command is.
func (f s6rcFlags) runOptions() (tree.Options, error) {
	var o tree.Options
	limit, err := s6rcUint("timeout", f.timeout)
	if err != nil {
		return o, err
	}
	o.Limit = time.Duration(limit) * time.Millisecond
	if f.dry != "" {
		delay, err := s6rcUint("dry-run", f.dry)
		if err != nil {
			return o, err
		}
		o.Dry, o.DryDelay = true, time.Duration(delay)*time.Millisecond
	}
	return o, nil
}

func (f s6rcFlags) change(s ui.Streams, verbosity int, o tree.Options, names []string) error {
	req := change.Request{Op: change.Start, Live: f.add, Prune: f.prune, Essentials: f.essentials}
	if f.down {
		req.Op = change.Stop
	}
	o.Cause = explain.Command("s6-rc", "change", names)
	tell := s6rcTell{s, verbosity, o.Dry}
	if verbosity >= 3 {
		tell.info("bringing selected services %s", s6rcDirection(req.Op))
	}
	return changeJob{
		s: s, live: f.live, req: req, names: names, block: f.block, verbosity: verbosity,
		run: o, tell: tell,
	}.do()
}

// reload reloads the selection, to which -a adds what is up. What is not up is no
// obstacle to s6-rc, since it does not look.
func (f s6rcFlags) reload(s ui.Streams, verbosity int, o tree.Options, names []string) error {
	o.Cause = explain.Command("s6-rc", "reload", names)
	return changeJob{
		s: s, live: f.live, req: change.Request{Op: change.Reload}, block: f.block, verbosity: verbosity,
		run: o, tell: s6rcTell{s, verbosity, o.Dry},
		choose: func(session *tree.Session) ([]change.ID, error) {
			ids, err := tree.Resolve(session.View.DB, names)
			for i := range session.States {
				if f.add && session.States[i].Up {
					ids = append(ids, change.ID(i))
				}
			}
			return ids, err
		},
	}.do()
}

func s6rcDirection(op change.Op) string {
	if op == change.Stop {
		return "down"
	}
	return "up"
}

// s6rcTell says what happens in s6-rc's words.
type s6rcTell struct {
	s         ui.Streams
	verbosity int
	dry       bool
}

func (t s6rcTell) info(format string, args ...any) {
	t.s.Errorf("info: %s", fmt.Sprintf(format, args...))
}

func (t s6rcTell) planned(*tree.Session, change.Plan) {}
func (t s6rcTell) ended(change.Result, error)         {}

func (t s6rcTell) observe(e change.Event) {
	name, prefix, brackets := ui.Escape(e.Target.Name), "", ""
	if t.dry {
		prefix, brackets = "dry run: ", "(dry run) "
	}
	doing, done := "starting", "started"
	switch e.Op {
	case change.Stop:
		doing, done = "stopping", "stopped"
	case change.Reload:
		doing, done = "", "reloaded"
	}
	switch {
	case e.Kind == change.Already && t.verbosity >= 3:
		t.info("service %s: already %s", name, s6rcDirection(e.Op))
	case e.Kind == change.Began && t.verbosity >= 2 && doing != "":
		t.info("%sservice %s: %s", prefix, name, doing)
	case e.Kind == change.Done && t.verbosity >= 2:
		t.info("%sservice %s successfully %s", prefix, name, done)
	case e.Kind == change.Failed && t.verbosity >= 1:
		t.s.Warnf("unable to %s%s service %s: %s", brackets, e.Op, name, ui.ErrorText(e.Err))
	case e.Kind == change.Kept && t.verbosity >= 1:
		t.s.Warnf("service %s is marked as essential, not stopping it", name)
	case e.Kind == change.Quitting && t.verbosity >= 2:
		t.s.Warnf("%s, aborting pending processes and exiting asap", ui.ErrorText(e.Err))
	}
}

// list prints the selection, longruns before oneshots.
func (f s6rcFlags) list(s ui.Streams, all bool, names []string) error {
	v, err := look(f.live)
	if err != nil {
		return err
	}
	defer v.close()
	if err := v.whole(); err != nil {
		return err
	}
	ids, err := tree.Resolve(v.db, names)
	if err != nil {
		return withCode(liveCode(err), err)
	}
	selection := graph.NewSet(len(v.states), ids...)
	if f.add {
		for i := range v.states {
			if v.states[i].Up {
				selection.Add(change.ID(i))
			}
		}
	}
	if all {
		selection = graph.NewSet(len(v.states), closure(v.db, selection.IDs(), f.down)...)
	}
	invert := f.down && !all
	var out []change.ID
	for _, typ := range []db.Type{db.Longrun, db.Oneshot} {
		out = append(out, slices.DeleteFunc(v.all(), func(id change.ID) bool {
			hidden := f.essentials && v.db.Flags(id)&db.Essential != 0
			return v.db.Type(id) != typ || hidden || selection.Has(id) == invert
		})...)
	}
	return v.printNames(s, out)
}
