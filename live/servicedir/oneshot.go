package servicedir

import (
	"fmt"

	"strata/compile/db"
)

// Phases of a oneshot, the names of their programs in its definition.
const (
	Up     = "up"
	Down   = "down"
	Reload = "reload"
)

// Command says how the program of a oneshot is run: argv as it is, or, if file is
// true, the file argv[0] in its definition directory. In both cases the current
// directory is that directory. An empty argv is a program that does nothing and
// succeeds, which is also what a program that was not given is.
func Command(svc *db.Service, phase string) (argv []string, file bool) {
	p := oneshotProgram(svc, phase)
	switch {
	case p.Form == db.NoProgram, p.Form == db.Argv && len(p.Argv) == 0:
		return nil, false
	case needsFile(svc, p):
		return []string{phase}, true
	}
	return p.Argv, false
}

func oneshotProgram(svc *db.Service, phase string) db.Program {
	switch phase {
	case Up:
		return svc.Up
	case Down:
		return svc.Down
	case Reload:
		return svc.Reload
	}
	return db.Program{}
}

// needsFile reports whether a program is more than an argv.
func needsFile(svc *db.Service, p db.Program) bool {
	r := renderer{svc: svc}
	return p.Form == db.Script || hasSetUp(svc.Exec) || r.hasFile("env")
}

// oneshot adds the programs that are files.
func (r *renderer) oneshot() error {
	before := false
	for _, phase := range []string{Up, Down, Reload} {
		p := oneshotProgram(r.svc, phase)
		if _, file := Command(r.svc, phase); !file {
			continue
		}
		x := r.svc.Exec
		if phase != Up {
			x.RunBefore = db.Program{} // it prepares what up does
		}
		before = before || x.RunBefore.Form == db.Script
		if err := r.stage(phase, phase+".user", p, x, true); err != nil {
			return fmt.Errorf("%s: %w", phase, err)
		}
	}
	return r.files()
}
