package scenario

import (
	"strings"

	"strata/live/change"
)

// All gives the scenarios of one lesson, "L14"; with "" every one.
func All(lesson string) (list []Scenario) {
	for _, s := range table {
		if lesson == "" || strings.HasPrefix(s.Name, lesson+" ") {
			list = append(list, s)
		}
	}
	return list
}

// Mixed gives some services of all kinds.
func Mixed() []Service {
	return Scenario{Services: []string{
		"web: (migrate) log ~cache", "(migrate): db", "db: (disk)", "cache: ?warm", "(warm): db", "log:", "(disk):",
	}}.Parse()
}

var table = []Scenario{
	{
		Name:     "L13 a dependency takes its time",
		Services: []string{"udev: (sysfs)", "(sysfs): (proc)", "(proc):", "other: udev"},
		Steps: []Step{
			{
				Ways: map[Way]string{Waits: "start sysfs"}, On: map[string]string{"waits sysfs": "let sysfs"},
				Op: change.Start, Names: "other", Up: "other proc sysfs udev",
			},
			{Op: change.Stop, Names: "*"},
		},
	},
	{
		Name:     "L13 many paths",
		Services: []string{"top: left right", "left: (base) ~right", "right: (base) ?extra", "extra: (base)", "(base):"},
		Steps: []Step{
			{Op: change.Start, Names: "top", Up: "base extra left right top"},
			{Op: change.Stop, Names: "base"},
			{Op: change.Start, Names: "left extra", Up: "base extra left"},
		},
	},
	{
		Name:     "L14 a oneshot fails",
		Services: []string{"top: mid", "mid: (bad) good", "(bad):", "good:", "side: good"},
		Steps: []Step{{
			Ways: map[Way]string{Fails: "start bad"}, Op: change.Start, Names: "top side",
			Want: "bad failed; mid skipped for bad; top skipped for bad", Up: "good side",
		}},
	},
	{
		Name:     "L14 a daemon gives up",
		Services: []string{"(top): bad", "bad: good", "good:"},
		Steps: []Step{{
			Ways: map[Way]string{Fails: "start bad"}, Op: change.Start, Names: "top",
			Want: "bad failed; top skipped for bad", Up: "good",
		}},
	},
	{
		Name:     "L14 a dependency of a dependency is too late",
		Services: []string{"a: (b)", "(b): c", "c: d", "d:", "e:"}, Limited: "start d",
		Steps: []Step{{
			Ways: map[Way]string{Hangs: "start d"}, Op: change.Start, Names: "a e",
			Want: "a skipped for d; b skipped for d; c skipped for d; d timed out", Up: "e",
		}},
	},
	{
		Name:     "L14 what is only wanted fails",
		Services: []string{"web: ?cache ?warm", "cache:", "(warm):"}, Limited: "start cache",
		Steps: []Step{{
			Ways: map[Way]string{Hangs: "start cache", Fails: "start warm"}, Op: change.Start, Names: "web",
			Want: "cache timed out; warm failed", Up: "web",
		}},
	},
	{
		Name:     "L14 a dependency was stopped",
		Services: []string{"web: db", "db:"},
		Steps: []Step{
			{Op: change.Start, Names: "web", Up: "db web"},
			{Op: change.Stop, Names: "db"},
			{Op: change.Start, Names: "web", Up: "db web"},
		},
	},
	{
		Name:     "L14 a stop fails",
		Services: []string{"(mount): (disk)", "(disk): net", "net:", "other: net"},
		Steps: []Step{
			{Op: change.Start, Names: "mount other", Up: "disk mount net other"},
			{
				Ways: map[Way]string{Fails: "stop mount"}, Op: change.Stop, Names: "net",
				Want: "disk skipped for mount; mount failed; net skipped for mount", Up: "disk mount net",
			},
		},
	},
	{
		Name:     "L26 a signal while a oneshot runs",
		Services: []string{"after: (one)", "(one):"},
		Steps: []Step{{
			Ways: map[Way]string{Waits: "start one"},
			On:   map[string]string{"waits one": "interrupt", "quitting start": "let one"},
			Op:   change.Start, Names: "after", Want: "after left; interrupted", Up: "one",
		}},
	},
	{
		Name:     "L26 a signal while a daemon starts",
		Services: []string{"after: slow", "slow: base", "base:"},
		Steps: []Step{{
			Ways: map[Way]string{Waits: "start slow"}, On: map[string]string{"waits slow": "interrupt"},
			Op: change.Start, Names: "after", Want: "after skipped for slow; slow interrupted; interrupted", Up: "base",
		}},
	},
	{
		Name:     "L26 a signal while a daemon stops",
		Services: []string{"after: slow", "slow: base", "base:"},
		Steps: []Step{
			{Op: change.Start, Names: "after", Up: "after base slow"},
			{
				Ways: map[Way]string{Hangs: "stop slow"}, On: map[string]string{"began stop slow": "interrupt"},
				Op: change.Stop, Names: "*", Want: "base skipped for slow; slow interrupted; interrupted", Up: "base slow",
			},
		},
	},
	{
		Name:     "L26 a oneshot that is left running is found again",
		Services: []string{"after: (one)", "(one):"},
		Steps: []Step{
			{
				Ways: map[Way]string{Waits: "start one"},
				On:   map[string]string{"waits one": "abandon", "failed start one": "let one"},
				Op:   change.Start, Names: "after", Want: "after skipped for one; one left running; interrupted",
			},
			{Op: change.Start, Names: "after", Up: "after one"},
		},
	},
	{
		Name:     "L26 a oneshot that is left stopping is found again",
		Services: []string{"(one): base", "base:"},
		Steps: []Step{
			{Op: change.Start, Names: "one", Up: "base one"},
			{
				Ways: map[Way]string{Waits: "stop one"},
				On:   map[string]string{"waits one": "abandon", "failed stop one": "let one"},
				Op:   change.Stop, Names: "*", Want: "base skipped for one; one left running; interrupted", Up: "base one",
			},
			{Op: change.Stop, Names: "*"},
		},
	},
	{
		Name:     "L26 the limit of the whole",
		Services: []string{"after: (one)", "(one):", "slow: good", "good:", "last: slow"},
		Steps: []Step{
			{Op: change.Start, Names: "good", Up: "good"},
			{
				Ways: map[Way]string{Hangs: "start one, start slow"}, Limit: Limit,
				Op: change.Start, Names: "after last",
				Want: "after skipped for one; last skipped for slow; one timed out; slow timed out; timed out", Up: "good",
			},
		},
	},
	{
		Name:     "L29 never ready",
		Services: []string{"web: slow", "slow:"}, Limited: "start slow",
		Steps: []Step{{
			Ways: map[Way]string{Hangs: "start slow"}, Op: change.Start, Names: "web",
			Want: "slow timed out; web skipped for slow",
		}},
	},
	{
		Name:     "L29 dies before it is ready",
		Services: []string{"web: bad", "bad:"}, Limited: "start bad",
		Steps: []Step{{
			Ways: map[Way]string{Crashes: "start bad"}, Op: change.Start, Names: "web",
			Want: "bad timed out; web skipped for bad",
		}},
	},
	{
		Name:     "L30 what fails to start is told to stop",
		Services: []string{"slow:", "crash:", "hopeless:"}, Limited: "start slow, start crash",
		Steps: []Step{
			{
				Ways: map[Way]string{Hangs: "start slow", Crashes: "start crash", Fails: "start hopeless"},
				Op:   change.Start, Names: "slow crash hopeless", Want: "crash timed out; hopeless failed; slow timed out",
			},
			{Op: change.Stop, Names: "slow crash hopeless"},
		},
	},
	{
		Name:     "L31 a stop while it starts",
		Services: []string{"web: db", "db:"},
		Steps: []Step{
			{
				Ways: map[Way]string{Waits: "start db"}, On: map[string]string{"waits db": "interrupt"},
				Op: change.Start, Names: "web", Want: "db interrupted; web skipped for db; interrupted",
			},
			{Op: change.Stop, Names: "db"},
			{Ways: map[Way]string{Works: "start db"}, Op: change.Start, Names: "web", Up: "db web"},
			{Op: change.Stop, Names: "db"},
		},
	},
	{
		Name:     "L31 a start while it stops",
		Services: []string{"web: db", "db:"},
		Steps: []Step{
			{Op: change.Start, Names: "web", Up: "db web"},
			{
				Ways: map[Way]string{Waits: "stop db"}, On: map[string]string{"waits db": "interrupt"},
				Op: change.Stop, Names: "db", Want: "db interrupted; interrupted", Up: "db",
			},
			{
				On: map[string]string{"began start db": "let db"},
				Op: change.Start, Names: "web", Up: "db web",
			},
		},
	},
	{
		Name:     "L31 a stop that takes too long",
		Services: []string{"web: db", "db:"}, Limited: "stop web",
		Steps: []Step{
			{Op: change.Start, Names: "web", Up: "db web"},
			{
				Ways: map[Way]string{Hangs: "stop web"}, Op: change.Stop, Names: "db",
				Want: "db skipped for web; web timed out", Up: "db web",
			},
		},
	},
}
