package tree

import (
	"context"
	"fmt"
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/journal"
	"strata/live/s6"
	"strata/live/servicedir"
)

// Env is what the engine needs for the services of a view, in these states. The
// view's database must stay open as long as the engine runs. What happens is
// written to w's journal; w may be nil for a dry run.
func (s *Supervisor) Env(w *live.Writer, v live.View, states []live.ServiceState) change.Env {
	env := change.Env{
		Targets:     Targets(v),
		States:      states,
		Supervisor:  viewed{s, v},
		Where:       where(v),
		MaxParallel: s6.Window(s6.FDsPerWait + 1),
	}
	if w != nil {
		env.Journal = w.Append
	}
	return env
}

// oneStep is how many file descriptors are open at once at most while services are
// moved one by one: a wait with the event directory that it is made in, what all
// waits share, a listener to an internal service, connections to runner and holder,
// and a notification or a file that is looked at.
const oneStep = s6.FDsPerWait + 1 + 1 + 2 + 2

// CheckRoom reports whether there are descriptors enough to start services at all.
// With fewer, those would come up that take the least, and others not. Who stops
// services does not ask: as many as possible are to go down.
func CheckRoom() error {
	if err := s6.CheckRoom(oneStep); err != nil {
		return fmt.Errorf("cannot start services: %w", err)
	}
	return nil
}

// viewed is a supervisor of the services of a view.
type viewed struct {
	*Supervisor
	view live.View
}

// Run implements [change.Supervisor]. A oneshot without a program for the phase, as
// most have none to come down with, is done without the runner.
func (s viewed) Run(ctx context.Context, t change.Target, phase journal.Phase, limit time.Duration, begin func() error) error {
	if svc, err := s.view.DB.Service(t.ID); err == nil {
		if argv, _ := servicedir.Command(svc, string(phase)); len(argv) == 0 {
			return nil
		}
	}
	return s.Supervisor.Run(ctx, t, phase, limit, begin)
}

// where gives the place of a field of a service of the view.
func where(v live.View) func(change.ID, string) string {
	return func(id change.ID, field string) string {
		svc, err := v.DB.Service(id)
		if err != nil {
			return "" // an error text must not fail
		}
		return svc.Origin.Place(field)
	}
}

// Targets gives the services of a view as the engine knows them.
func Targets(v live.View) func(change.ID) change.Target {
	d := v.DB
	return func(id change.ID) change.Target {
		t := change.Target{
			ID: id, Name: d.Name(id), Type: d.Type(id), Slot: v.Slot(id),
			Def: v.Definition(id), Content: d.Content(),
			TimeoutUp:   time.Duration(d.TimeoutUp(id)) * time.Millisecond,
			TimeoutDown: time.Duration(d.TimeoutDown(id)) * time.Millisecond,
		}
		if d.HasProducers(id) {
			t.Pipes = append(t.Pipes, t.Slot)
		}
		if c := d.Consumer(id); c != db.None {
			t.Pipes = append(t.Pipes, v.Slot(c))
		}
		return t
	}
}
