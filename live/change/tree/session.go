package tree

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/journal"
	"strata/live/s6"
)

// Session is one command's hold on a live directory.
type Session struct {
	// View is the current database, States its services.
	View   live.View
	States []live.ServiceState

	w     *live.Writer
	sup   *Supervisor
	state *live.State
	other *live.View
}

// Open takes note of the state of the writer's directory, and of the results of
// oneshots that an earlier command did not wait for: where one still runs it is
// waited for until ctx ends. The error wraps [live.ErrStale], [live.ErrCorrupt],
// or what the system said. Writer and supervisor stay the caller's.
func Open(ctx context.Context, w *live.Writer, sup *Supervisor) (*Session, error) {
	s := &Session{w: w, sup: sup}
	if err := s.read(); err != nil {
		return nil, err
	}
	s.sweep()
	found, err := sup.recover(ctx, w, s.States, s.View.Definition)
	if err == nil && found {
		err = errors.Join(s.Close(), s.read())
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// sweep does what a command has left undone that was killed: it removes what that has
// listened with to the services that it had not finished with, and to the internal
// ones, with which it is busy even after that, and marks these.
func (s *Session) sweep() {
	var slots []live.Slot
	if s.state.Run != nil {
		slots = slices.Clone(s.state.Run.Slots)
	}
	s.sup.warn(s.w.SweepSlots(slots...))
	for _, in := range live.Internals() {
		s.sup.warn(remark(s.w.Servicedir(in.Slot)))
	}
}

// remark makes the file down in a service directory say what its supervisor is doing.
func remark(dir string) error {
	st, err := s6.ReadStatus(dir)
	if err != nil {
		return nil // it has no supervisor, and is as it was made
	}
	down, err := s6.MarkedDown(dir)
	switch {
	case err != nil || down != st.WantUp:
		return err
	case st.WantUp:
		return s6.UnmarkDown(dir)
	}
	return s6.MarkDown(dir)
}

// read opens the database while the supervisors are asked.
func (s *Session) read() error {
	head := s.w.Head()
	type opened struct {
		view live.View
		err  error
	}
	current := make(chan opened, 1)
	go func() {
		v, err := s.w.View(head.Content, head.Table)
		current <- opened{v, err}
	}()
	st, err := s.w.State()
	o := <-current
	if err == nil {
		err = o.err
	}
	if err != nil {
		if o.err == nil {
			err = errors.Join(err, o.view.DB.Close())
		}
		return err
	}
	s.state, s.View, s.States = st, o.view, st.Services
	return nil
}

// State is what the session found, results of oneshots included. It outlives it.
func (s *Session) State() *live.State { return s.state }

// Close closes the databases. Names that a result holds must not be used after it.
func (s *Session) Close() error {
	if s.View.DB == nil {
		return nil
	}
	err := s.View.DB.Close()
	s.View.DB = nil
	if s.other != nil {
		err = errors.Join(err, s.other.DB.Close())
		s.other = nil
	}
	return err
}

// Options are how a request is run.
type Options struct {
	// Cause is why, for the journal: "rc-ctl start".
	Cause string
	// Limit is how long all of it may take; 0 is no limit.
	Limit time.Duration
	// MaxParallel is how many steps may be under way at once; 0 is as many as
	// there are descriptors for.
	MaxParallel int
	// Named are the services that were asked for by themselves, not as part of a
	// bundle: what lies in their directories is put right too.
	Named []change.ID
	// Planned is told what is going to be done, and Observe what happens; nil is
	// nobody.
	Planned func(change.Plan)
	Observe func(change.Event)
	// Abandon, once closed, ends the run without waiting for oneshots.
	Abandon <-chan struct{}
	// Dry does nothing but say what would be done, with a delay for each step.
	Dry      bool
	DryDelay time.Duration
}

// Plan plans a request. While a patch is half applied only everything can be
// stopped; the error wraps [live.ErrHalfApplied] then.
func (s *Session) Plan(req change.Request) (change.Plan, error) {
	if s.state.Patch != nil && !StopsAll(req) {
		return change.Plan{}, fmt.Errorf("cannot %s services: %w", req.Op, live.ErrHalfApplied)
	}
	if StopsAll(req) {
		s.w.FindRunning(s.States)
	}
	return change.Make(change.GraphsOf(s.View.DB), s.States, req)
}

// StopsAll says whether a request is a full stop.
func StopsAll(req change.Request) bool {
	return req.Op == change.Stop && req.Live && !req.Prune
}

// Run plans a request and does it.
func (s *Session) Run(ctx context.Context, req change.Request, o Options) (change.Plan, change.Result, error) {
	plan, err := s.Plan(req)
	if err != nil {
		return plan, change.Result{}, err
	}
	if (req.Op == change.Start || req.Op == change.Restart) && plan.Moves() > 0 && !o.Dry {
		if err := CheckRoom(); err != nil {
			return plan, change.Result{}, err
		}
	}
	if o.Planned != nil {
		o.Planned(plan)
	}
	s.want(req, o)
	s.remark(req, o)
	result, err := change.Run(ctx, s.env(s.View, s.States, o), plan)
	if err != nil || s.state.Patch == nil || o.Dry {
		return plan, result, err
	}
	more, err := s.stopOther(ctx, req, o)
	return plan, merge(result, more), err
}

// want notes what was asked for. Everything that is up being stopped is no wish: a
// machine that goes down is to come up as it was.
func (s *Session) want(req change.Request, o Options) {
	if req.Op != change.Start && req.Op != change.Stop {
		return
	}
	var slots []journal.Slot
	for _, id := range req.Names {
		if up := req.Op == change.Start; s.States[id].Wanted != up {
			slots = append(slots, s.View.Slot(id))
		}
	}
	if len(slots) > 0 && !o.Dry {
		s.sup.warn(s.w.Append(o.Cause, journal.Want{Slots: slots, Up: req.Op == change.Start}))
	}
}

// remark puts the files down right of longruns that are as they should be already:
// somebody may have touched those that were asked for, and a command that was killed
// may have left those that it was busy with.
func (s *Session) remark(req change.Request, o Options) {
	if o.Dry {
		return
	}
	var list []*live.ServiceState
	add := func(st *live.ServiceState) {
		if st.Type == db.Longrun && (req.Op == change.Start && st.Up || req.Op == change.Stop && !st.Up && !st.Starting) {
			list = append(list, st)
		}
	}
	for _, id := range o.Named {
		add(&s.States[id])
	}
	if run := s.state.Run; run != nil {
		busy := make(map[live.Slot]bool, len(run.Slots))
		for _, slot := range run.Slots {
			busy[slot] = true
		}
		for i := range s.States {
			if busy[s.States[i].Slot] {
				add(&s.States[i])
			}
		}
	}
	s.w.Remark(list...)
}

func (s *Session) env(v live.View, states []live.ServiceState, o Options) change.Env {
	env := s.sup.Env(s.w, v, states)
	env.Cause, env.Limit, env.Observe, env.Abandon = o.Cause, o.Limit, o.Observe, o.Abandon
	if o.MaxParallel > 0 {
		env.MaxParallel = min(env.MaxParallel, o.MaxParallel)
	}
	if o.Dry {
		env.Supervisor, env.Journal = change.Dry(o.DryDelay), nil
	}
	return env
}

// stopOther stops, in the middle of a patch, what only the other database has.
func (s *Session) stopOther(ctx context.Context, req change.Request, o Options) (change.Result, error) {
	content, table := s.state.Patch.New, s.state.Patch.Table
	if s.state.Patch.Switched {
		content, table = s.state.Patch.Old, s.state.Patch.OldTable
	}
	v, err := s.w.View(content, table)
	if err != nil {
		return change.Result{}, err
	}
	s.other = &v
	st, err := s.w.State()
	if err != nil {
		return change.Result{}, err
	}
	req.Names = nil
	s.w.FindRunning(st.Other)
	plan, err := change.Make(change.GraphsOf(v.DB), st.Other, req)
	if err != nil {
		return change.Result{}, err
	}
	return change.Run(ctx, s.env(v, st.Other, o), plan)
}

func merge(a, b change.Result) change.Result {
	a.Done = append(a.Done, b.Done...)
	before := len(a.Timings)
	for _, t := range b.Timings {
		if t.After >= 0 {
			t.After += before
		}
		a.Timings = append(a.Timings, t)
	}
	a.Failed = append(a.Failed, b.Failed...)
	a.Skipped = append(a.Skipped, b.Skipped...)
	a.Left = append(a.Left, b.Left...)
	if a.Quit == nil {
		a.Quit = b.Quit
	}
	if a.Journal == nil {
		a.Journal = b.Journal
	}
	return a
}

// Resolve turns names into services; a bundle stands for its contents. The error
// is a [*NameError] with all names that are not there.
func Resolve(d *db.DB, names []string) ([]change.ID, error) {
	var ids []change.ID
	var bad []string
	for _, name := range names {
		found, ok := d.Resolve(name)
		if !ok {
			bad = append(bad, name)
		}
		ids = append(ids, found...)
	}
	if len(bad) > 0 {
		return nil, &NameError{bad}
	}
	return ids, nil
}

// Named gives the services among names: no bundles.
func Named(d *db.DB, names []string) []change.ID {
	var ids []change.ID
	for _, name := range names {
		if ref, ok := d.Lookup(name); ok && ref.Kind == db.AtomicRef {
			ids = append(ids, ref.Service)
		}
	}
	return ids
}

// NameError says that the database has no service and no bundle of these names.
type NameError struct{ Names []string }

// Error names them.
func (e *NameError) Error() string {
	if len(e.Names) == 1 {
		return fmt.Sprintf("there is no service or bundle %s", e.Names[0])
	}
	return fmt.Sprintf("there are no services or bundles %q", e.Names)
}
