package scenario

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/change"
	"strata/live/change/fake"
	"strata/live/journal"
)

// errFails is how a transition that [Fails] ends.
var errFails = errors.New("exit 1")

// Fake is a world without processes. It is made and used within a bubble of
// testing/synctest.
type Fake struct {
	t       testing.TB
	targets []change.Target
	graphs  change.Graphs
	sup     *fake.Supervisor
	gates   map[string]chan struct{}
	begun   map[string]chan struct{}

	mu      sync.Mutex
	journal journal.Folder
	wanted  map[string]bool // up, by its supervisor
}

var _ World = (*Fake)(nil)

// NewFake makes a world of the services.
func NewFake(t testing.TB, services []Service) *Fake {
	t.Helper()
	f := &Fake{
		t:     t,
		sup:   &fake.Supervisor{Up: map[string]fake.Script{}, Down: map[string]fake.Script{}},
		gates: map[string]chan struct{}{}, begun: map[string]chan struct{}{}, wanted: map[string]bool{},
	}
	services = slices.Clone(services)
	slices.SortFunc(services, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	id := func(name string) change.ID {
		return change.ID(slices.IndexFunc(services, func(s Service) bool { return s.Name == name }))
	}
	var needs, wants, soft []graph.Edge
	var table journal.Table
	for i, s := range services {
		from := change.ID(i)
		for _, n := range s.Needs {
			needs = append(needs, graph.Edge{From: from, To: id(n)})
		}
		for _, n := range s.Wants {
			wants = append(wants, graph.Edge{From: from, To: id(n)})
		}
		for _, n := range slices.Concat(s.Wants, s.After) {
			soft = append(soft, graph.Edge{From: from, To: id(n)})
		}
		target := change.Target{ID: from, Name: s.Name, Type: db.Longrun, Slot: live.FirstSlot + live.Slot(i)}
		if s.Oneshot {
			target.Type = db.Oneshot
		}
		if s.Limited[change.Start] {
			target.TimeoutUp = Limit
		}
		if s.Limited[change.Stop] {
			target.TimeoutDown = Limit
		}
		f.targets = append(f.targets, target)
		f.gates[s.Name], f.begun[s.Name] = make(chan struct{}, 1), make(chan struct{}, 1)
		table = append(table, journal.Entry{Slot: target.Slot, Name: s.Name, Type: target.Type})
	}
	f.graphs = change.Graphs{
		Needs: f.graph(needs), Wants: f.graph(wants), Soft: f.graph(soft),
		Essential: func(id change.ID) bool { return services[id].Essential },
	}
	_ = f.record("", journal.Init{Table: table})
	return f
}

func (f *Fake) graph(edges []graph.Edge) *graph.Graph {
	g, err := graph.New(len(f.targets), edges)
	if err != nil {
		f.t.Fatal(err)
	}
	return g
}

// record folds events as they come. It never fails.
func (f *Fake) record(cause string, events ...journal.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range events {
		f.journal.Apply(journal.Record{Seq: f.journal.Seq() + 1, At: time.Now(), Cause: cause, Event: e})
	}
	return nil
}

// Set implements [World].
func (f *Fake) Set(t Transition, w Way) {
	scripts := f.sup.Up
	if t.Op == change.Stop {
		scripts = f.sup.Down
	}
	switch w {
	case Works:
		scripts[t.Service] = fake.Script{Delay: time.Millisecond}
	case Fails:
		scripts[t.Service] = fake.Script{Err: errFails, Delay: time.Millisecond}
	case Hangs, Crashes:
		scripts[t.Service] = fake.Script{Hang: true}
	case Waits:
		scripts[t.Service] = fake.Script{Gate: f.gates[t.Service]}
	}
}

// Begun implements [World].
func (f *Fake) Begun(ctx context.Context, service string) {
	select {
	case <-f.begun[service]:
	case <-ctx.Done():
	}
}

// Let implements [World].
func (f *Fake) Let(service string) { signal(f.gates[service]) }

func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// Run implements [World].
func (f *Fake) Run(ctx context.Context, req change.Request, names string, o Options) change.Result {
	f.t.Helper()
	env := change.Env{
		Targets: func(id change.ID) change.Target { return f.targets[id] }, Supervisor: fakeEngine{f.sup.Engine(), f},
		Journal: f.record, Observe: o.Observe, Abandon: o.Abandon, Limit: o.Limit, Cause: "test",
	}
	f.recover(env)
	env.States = f.states()
	for name := range strings.FieldsSeq(names) {
		i := slices.IndexFunc(f.targets, func(t change.Target) bool { return t.Name == name })
		req.Names = append(req.Names, change.ID(i))
	}
	plan, err := change.Make(f.graphs, env.States, req)
	if err != nil {
		f.t.Fatal(err)
	}
	r, err := change.Run(ctx, env, plan)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, failure := range r.Failed {
		if t := failure.Target; failure.Op == change.Start && t.Type == db.Longrun && f.wanted[t.Name] {
			f.t.Errorf("%s failed to start, and was not told to stop", t.Name)
		}
	}
	return r
}

// recover waits for what nobody has waited for, as the engine's user does.
func (f *Fake) recover(env change.Env) {
	for id, known := range f.fold() {
		if known.Pending == "" {
			continue
		}
		t := f.targets[id]
		var event journal.Event = journal.Up{Slot: t.Slot}
		if known.Pending == journal.PhaseDown {
			event = journal.Down{Slot: t.Slot}
		}
		if err := env.Run(f.t.Context(), t, known.Pending, 0, func() error { return nil }); err != nil {
			event = journal.Failed{Slot: t.Slot, Phase: known.Pending, Reason: err.Error()}
		}
		_ = f.record("test", event)
	}
}

// fold is what the journal knows, by service.
func (f *Fake) fold() []journal.Service {
	f.mu.Lock()
	defer f.mu.Unlock()
	state := f.journal.State()
	list := make([]journal.Service, len(f.targets))
	for i, t := range f.targets {
		list[i] = state.Services[t.Slot]
	}
	return list
}

// states are those that the engine is to begin with.
func (f *Fake) states() []live.ServiceState {
	list := make([]live.ServiceState, len(f.targets))
	for i, known := range f.fold() {
		t := f.targets[i]
		list[i] = live.ServiceState{
			Slot: t.Slot, Name: t.Name, Type: t.Type, Wanted: known.Wanted,
			Up: known.Up, Unknown: known.Unknown, Pending: known.Pending, Supervised: true,
		}
		list[i].Status.WantUp = f.wanted[t.Name]
	}
	return list
}

// Up implements [World].
func (f *Fake) Up() []string {
	f.t.Helper()
	var names []string
	for i, known := range f.fold() {
		name := f.targets[i].Name
		if f.sup.Running(name) != known.Up {
			f.t.Errorf("%s: the supervisor says that running is %t, the journal that up is %t", name, !known.Up, known.Up)
		}
		if known.Up {
			names = append(names, name)
		}
	}
	return names
}

// fakeEngine remembers which longruns their supervisors want up, and says when a
// transition waits.
type fakeEngine struct {
	change.Supervisor
	f *Fake
}

func (e fakeEngine) begin(t change.Target, scripts map[string]fake.Script, up bool) {
	e.want(t, up)
	if scripts[t.Name].Gate != nil {
		signal(e.f.begun[t.Name])
	}
}

func (e fakeEngine) want(t change.Target, up bool) {
	e.f.mu.Lock()
	defer e.f.mu.Unlock()
	e.f.wanted[t.Name] = up
}

func (e fakeEngine) Up(ctx context.Context, t change.Target) error {
	e.begin(t, e.f.sup.Up, true)
	return e.Supervisor.Up(ctx, t)
}

func (e fakeEngine) Down(ctx context.Context, t change.Target) error {
	e.begin(t, e.f.sup.Down, false)
	return e.Supervisor.Down(ctx, t)
}

func (e fakeEngine) Run(ctx context.Context, t change.Target, phase journal.Phase, limit time.Duration, begin func() error) error {
	scripts := e.f.sup.Up
	if phase == journal.PhaseDown {
		scripts = e.f.sup.Down
	}
	return e.Supervisor.Run(ctx, t, phase, limit, func() error {
		e.begin(t, scripts, false)
		return begin()
	})
}

func (e fakeEngine) Release(t change.Target) error {
	e.want(t, false)
	return e.Supervisor.Release(t)
}
