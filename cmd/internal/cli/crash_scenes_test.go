package cli

import "fmt"

// scene is an update that is disturbed in every way. Sources are TOML definitions by
// name.
type scene struct {
	name     string
	first    map[string]string // what is live before old, if anything is
	old, new map[string]string
	start    []string
	// conv are the conversions to new, back those to old.
	conv, back string
	// stay are services whose processes stay, new names to old names.
	stay map[string]string
}

// daemon is a longrun with a program of its own, which reloads when it is told to.
func daemon(program string, more ...string) string {
	text := fmt.Sprintf("type = \"longrun\"\nrun = '''#!/bin/sh\n# %s\ntrap '' HUP\nexec sleep 100000\n'''\n", program)
	return lines(text, more)
}

func task(up string, more ...string) string {
	return lines(fmt.Sprintf("type = \"oneshot\"\nup = '''#!/bin/sh\n# %s\n'''\ndown = '''#!/bin/sh\n'''\n", up), more)
}

func lines(text string, more []string) string {
	for _, line := range more {
		text += line + "\n"
	}
	return text
}

func needs(name string) string  { return fmt.Sprintf("needs = [%q]", name) }
func logger(name string) string { return fmt.Sprintf("logger = %q", name) }

// mixed has everything in it that an update can do.
var mixed = scene{
	name: "mixed",
	old: map[string]string{
		"keep": daemon("keep"), "ready": lines("type = \"longrun\"\nnotification-fd = 3\nrun = '''#!/bin/sh\necho >&3\nexec sleep 100000\n'''\n", nil),
		"define": daemon("define", "timeout-kill = 1000"), "again": daemon("1"), "under": daemon("under", needs("again")),
		"gone": daemon("gone", needs("keep")), "job": task("1", "[update]\non-change = \"restart\""), "quiet": task("quiet"),
		"reload": daemon("reload", "env = {A = \"1\"}", "[update]\non-change = \"reload\""), "idle": daemon("1"),
		"a-task": daemon("a"), "a-daemon": task("a", needs("quiet")), "group": daemon("group"), "was": daemon("name"),
		"made": daemon("made"), "left": daemon("left", logger("left-log")), "left-log": daemon("log"),
		"renamed": daemon("renamed", logger("log-1")), "log-1": daemon("log"),
		"split-1": daemon("1", logger("split-log")), "split-2": daemon("2", logger("split-log")), "split-log": daemon("log"),
	},
	new: map[string]string{
		"keep": daemon("keep"), "ready": lines("type = \"longrun\"\nnotification-fd = 3\nrun = '''#!/bin/sh\necho >&3\nexec sleep 100000\n'''\n", nil),
		"define": daemon("define", "timeout-kill = 2000"), "again": daemon("2"), "under": daemon("under", needs("again")),
		"job": task("2", "[update]\non-change = \"restart\""), "quiet": task("quiet"), "more": daemon("more", needs("a-task")),
		"reload": daemon("reload", "env = {A = \"2\"}", "[update]\non-change = \"reload\""), "idle": daemon("2"),
		"a-task": task("a"), "a-daemon": daemon("a", needs("more")), "was-not": daemon("name"),
		"group": "type = \"bundle\"\ncontents = [\"g-1\", \"g-2\"]\n", "g-1": daemon("1"), "g-2": task("2"),
		"made": daemon("made", logger("made-log")), "made-log": daemon("log"), "left": daemon("left"),
		"renamed": daemon("renamed", logger("log-2")), "log-2": daemon("log"),
		"split-1": daemon("1", logger("split-log")), "split-2": daemon("2", logger("split-log-2")), "split-log": daemon("log"), "split-log-2": daemon("log"),
	},
	start: []string{
		"keep", "ready", "define", "under", "gone", "job", "quiet", "reload", "a-task", "a-daemon", "group", "was",
		"made", "left", "renamed", "split-1", "split-2",
	},
	conv: "was -> was-not\nlog-1 -> log-2\n",
	back: "was-not -> was\nlog-2 -> log-1\n",
	stay: map[string]string{
		"keep": "keep", "ready": "ready", "define": "define", "reload": "reload", "was-not": "was", "log-2": "log-1", "renamed": "renamed",
		"split-log": "split-log", "split-1": "split-1",
	},
}

// renames are the ways in which names can change hands.
var renames = []scene{
	{
		name: "swap", start: []string{"a", "b", "c"}, conv: "a -> b\nb -> a\n", back: "a -> b\nb -> a\n",
		old: map[string]string{"a": daemon("1"), "b": daemon("2", logger("c")), "c": daemon("3")}, new: map[string]string{"b": daemon("1"), "a": daemon("2", logger("c")), "c": daemon("3")},
		stay: map[string]string{"a": "b", "b": "a", "c": "c"},
	},
	{
		name: "chain", start: []string{"a", "b", "d"}, conv: "a -> b\nb -> c\n", back: "c -> b\nb -> a\n",
		old: map[string]string{"a": daemon("1"), "b": daemon("2"), "d": daemon("4")}, new: map[string]string{"b": daemon("1"), "c": daemon("2"), "d": daemon("4")},
		stay: map[string]string{"b": "a", "c": "b", "d": "d"},
	},
	{
		name: "new owner", start: []string{"a", "c"}, conv: "a -> b\n",
		old: map[string]string{"a": daemon("1"), "c": daemon("3")}, new: map[string]string{"b": daemon("1"), "a": daemon("2"), "c": daemon("3")},
		stay: map[string]string{"b": "a", "c": "c"},
	},
	{
		name: "name of one that goes", start: []string{"a", "b", "c"}, conv: "a -> b\nb -> z\n",
		old: map[string]string{"a": daemon("1"), "b": daemon("2"), "c": daemon("3")}, new: map[string]string{"b": daemon("1"), "z": task("z"), "c": daemon("3")},
		stay: map[string]string{"b": "a", "c": "c"},
	},
	{
		name: "rename back", start: []string{"a", "c"}, conv: "b -> a\n",
		first: map[string]string{"a": daemon("1"), "c": daemon("3")}, new: map[string]string{"a": daemon("1"), "c": daemon("3")},
		old:  map[string]string{"b": daemon("1", "[update]\nrenamed-from = [\"a\"]"), "c": daemon("3")},
		stay: map[string]string{"a": "b", "c": "c"},
	},
}
