package rescue

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/s6"
)

// Stop stops everything, but no essential services and what these need unless
// essentials is set. Failures of services stand in the result; the error says that
// internal services could not be stopped, or is a mistake of the engine.
func (s *Session) Stop(ctx context.Context, essentials bool, o tree.Options) (change.Result, error) {
	plan, err := s.plan(essentials)
	if err != nil {
		return change.Result{}, err
	}
	if umask, ok := svscanUmask(s.dir.Scandir()); ok {
		defer unix.Umask(unix.Umask(umask)) // the programs' is that of the tree
	}
	result, err := change.Run(ctx, s.env(o), plan)
	if err != nil || o.Dry {
		return result, err
	}
	s.note(plan, result)
	if needed(plan, result) {
		return result, nil
	}
	return result, s.sup.Supervisor.Idle(ctx)
}

// needed reports whether internal services have to stay: for longruns that are still
// up, or a program that was left running. A oneshot that is not can be stopped
// without them.
func needed(p change.Plan, r change.Result) bool {
	return r.Quit != nil || len(r.Left) > 0 || len(p.Phases[0].Kept) > 0 ||
		slices.ContainsFunc(r.Failed, func(f change.Failure) bool {
			return f.Target.Type == db.Longrun || errors.Is(f.Err, change.ErrAbandoned)
		})
}

// plan makes the plan of the engine: its order is that of dependencies, but what
// fails holds nothing up.
func (s *Session) plan(essentials bool) (change.Plan, error) {
	index := make(map[live.Slot]graph.ID, len(s.services))
	states := make([]live.ServiceState, len(s.services))
	for i, o := range s.services {
		index[o.Slot], states[i] = graph.ID(i), o.state
	}
	var needs, after []graph.Edge
	for i, o := range s.services {
		edges := func(list *[]graph.Edge, slots []live.Slot) {
			for _, slot := range slots {
				// What stands before it would be a cycle, and cannot be.
				if to, ok := index[slot]; ok && to > graph.ID(i) {
					*list = append(*list, graph.Edge{From: graph.ID(i), To: to})
				}
			}
		}
		edges(&needs, o.Needs)
		edges(&after, o.After)
	}
	g := change.Graphs{Essential: func(id change.ID) bool { return s.services[id].Essential }}
	var err1, err2 error
	g.Needs, err1 = graph.New(len(states), needs)
	g.Soft, err2 = graph.New(len(states), after)
	if err := errors.Join(err1, err2); err != nil {
		return change.Plan{}, err
	}
	plan, err := change.Make(g, states, change.Request{Op: change.Stop, Live: true, Essentials: essentials})
	if err != nil {
		return plan, err
	}
	for _, ph := range plan.Phases {
		for i := range ph.Steps {
			st := &ph.Steps[i]
			st.Soft, st.Hard = append(st.Soft, st.Hard...), nil
		}
	}
	return plan, nil
}

func (s *Session) env(o tree.Options) change.Env {
	env := change.Env{
		Targets:    func(id change.ID) change.Target { return s.services[id].target },
		States:     make([]live.ServiceState, len(s.services)),
		Supervisor: s.sup, Observe: o.Observe, Cause: o.Cause,
		MaxParallel: s6.Window(s6.FDsPerWait + 1), Limit: o.Limit, Abandon: o.Abandon,
	}
	for i, sv := range s.services {
		env.States[i] = sv.state
	}
	if o.MaxParallel > 0 {
		env.MaxParallel = min(env.MaxParallel, o.MaxParallel)
	}
	switch {
	case o.Dry:
		env.Supervisor = change.Dry(o.DryDelay)
	case s.w != nil:
		env.Journal = s.w.Append
	}
	return env
}

// note leaves a mark if all is down that can be stopped and the journal cannot say
// so: the next full stop has nothing to do, and rc-init can make the directory anew.
func (s *Session) note(p change.Plan, r change.Result) {
	if s.w != nil || r.Quit != nil || len(r.Left) > 0 || len(p.Phases[0].Kept) > 0 {
		return
	}
	for _, f := range r.Failed {
		if !errors.Is(f.Err, errNoProgram) {
			return
		}
	}
	s.sup.warn(s.dir.MarkStopped())
}

// errNoProgram is why a oneshot cannot be stopped.
var errNoProgram = fmt.Errorf("its down program is not known")
