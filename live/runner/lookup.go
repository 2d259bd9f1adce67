package runner

import (
	"fmt"
	"os"

	"strata/compile/db"
	"strata/live"
	"strata/live/servicedir"
)

// FromLive finds programs in the databases of a live directory, and nowhere else.
func FromLive(d *live.Dir) func(Request) (Program, error) {
	return func(req Request) (Program, error) {
		p, err := lookup(d, req)
		if err != nil {
			return Program{}, fmt.Errorf("cannot find the program of %s: %w", req.Service, err)
		}
		return p, nil
	}
}

func lookup(d *live.Dir, req Request) (Program, error) {
	base, err := db.OpenLive(d.DatabasePath(req.Content))
	if err != nil {
		return Program{}, err
	}
	defer base.Close()
	ref, ok := base.Lookup(req.Service)
	if !ok || ref.Kind != db.AtomicRef || base.Type(ref.Service) != db.Oneshot {
		return Program{}, fmt.Errorf("it is no oneshot of the database %s", req.Content.Short())
	}
	svc, err := base.Service(ref.Service)
	if err != nil {
		return Program{}, err
	}
	argv, file := servicedir.Command(svc, string(req.Phase))
	p := Program{Argv: argv, File: file, TTY: svc.TTY, Dir: d.DefinitionDir(live.Slot(req.Slot), live.View{DB: base}.Definition(ref.Service))}
	if _, err := os.Stat(p.Dir); err != nil {
		if file {
			return Program{}, fmt.Errorf("its definition is not there: %w", err)
		}
		p.Dir = d.Servicedir(live.RunnerSlot)
	}
	return p, nil
}
