package change

import (
	"fmt"

	"strata/compile/db"
	"strata/graph"
)

// back makes the phase that brings back what a phase stops.
func (m *maker) back(stop Phase) Phase {
	ph := Phase{Op: Start, Back: true}
	index := make(map[ID]int32)
	for _, s := range stop.Steps {
		if s.Noop {
			continue
		}
		index[s.Service] = int32(len(ph.Steps))
		ph.Steps = append(ph.Steps, Step{Service: s.Service, Because: s.Because, Stopped: true})
	}
	m.link(&ph, func(id ID) (int32, bool) { j, ok := index[id]; return j, ok })
	return ph
}

// reload makes the phase that reloads the services named, in no order: whoever
// names them knows what they are about.
func (m *maker) reload() (Phase, error) {
	ph := Phase{Op: Reload}
	chosen := graph.NewSet(len(m.states), m.req.Names...)
	var down []string
	for id := range chosen.All() {
		if !counted(m.states[id], Start) {
			down = append(down, m.states[id].Name)
		}
		ph.Steps = append(ph.Steps, Step{Service: id, Because: db.None})
	}
	if len(down) > 0 {
		return Phase{Op: Reload}, &NotUpError{down}
	}
	return ph, nil
}

// NotUpError says that services are not up and cannot be reloaded.
type NotUpError struct{ Names []string }

// Error names them.
func (e *NotUpError) Error() string {
	if len(e.Names) == 1 {
		return fmt.Sprintf("cannot reload %s: it is not up", e.Names[0])
	}
	return fmt.Sprintf("cannot reload %q: they are not up", e.Names)
}
