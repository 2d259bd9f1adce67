package scenario

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"strata/live/change"
)

// World is where a scenario is played: its services, all down and working, with
// an engine.
type World interface {
	// Set has a transition go this way from now on.
	Set(t Transition, w Way)
	// Begun waits until a transition of the service is at the point where it
	// [Waits], or until ctx ends, and Let has it go on, now or when it comes there.
	Begun(ctx context.Context, service string)
	Let(service string)
	// Run has the engine do what is asked for, as one command does it; names are
	// separated by blanks. When it returns, what failed to start has stopped, and
	// what failed to stop has been told to.
	Run(ctx context.Context, req change.Request, names string, o Options) change.Result
	// Up are the names of what is up, sorted. It fails the test if the journal and
	// the supervisor are not of one mind, or something is under way.
	Up() []string
}

// Options are those of one command.
type Options struct {
	Observe func(change.Event)
	Abandon <-chan struct{}
	Limit   time.Duration
}

// Play plays a scenario.
func Play(t *testing.T, w World, s Scenario) {
	t.Helper()
	p := newPlayer(t, w, s.Parse())
	for i, step := range s.Steps {
		p.set(step.Ways)
		r := p.run(step)
		if got := Outcome(r); got != step.Want {
			t.Errorf("step %d (%s %s)\ngot  %s\nwant %s\n%+v", i, step.Op, step.Names, got, step.Want, r.Failed)
		}
		if got := strings.Join(w.Up(), " "); got != step.Up {
			t.Errorf("after step %d (%s %s)\nup are %s\nwant   %s", i, step.Op, step.Names, got, step.Up)
		}
		p.checkUp()
	}
	p.converge(s.Steps[len(s.Steps)-1])
}

// UpAndDown brings all services up and down.
func UpAndDown(t *testing.T, w World, services []Service) {
	t.Helper()
	p := newPlayer(t, w, services)
	for _, step := range []Step{{Op: change.Start, Names: Names(services)}, {Op: change.Stop, Names: "*"}} {
		p.converge(step)
	}
	if len(p.up) != 0 {
		t.Errorf("at the end %d are up", len(p.up))
	}
}

// player follows what happens in a world.
type player struct {
	t        *testing.T
	w        World
	services map[string]Service
	needed   map[string][]string // by whom
	awaited  map[string][]string // of After and Wants
	odd      map[Transition]bool // what does not just work
	up       map[string]bool
	flying   map[string]bool
	left     map[string]bool // may still get up, or down, with nobody waiting for it
}

func newPlayer(t *testing.T, w World, services []Service) *player {
	p := &player{
		t: t, w: w, services: map[string]Service{}, needed: map[string][]string{}, awaited: map[string][]string{},
		odd: map[Transition]bool{}, up: map[string]bool{}, left: map[string]bool{},
	}
	for _, s := range services {
		p.services[s.Name] = s
		for _, n := range s.Needs {
			p.needed[n] = append(p.needed[n], s.Name)
		}
		for _, n := range slices.Concat(s.After, s.Wants) {
			p.awaited[n] = append(p.awaited[n], s.Name)
		}
	}
	return p
}

func (p *player) set(ways map[Way]string) {
	for way, text := range ways {
		for _, tr := range transitions(text) {
			p.odd[tr] = way != Works
			p.w.Set(tr, way)
		}
	}
}

// run does one step, and what is to be done when something happens in it.
func (p *player) run(step Step) change.Result {
	ctx, cancel := context.WithCancelCause(p.t.Context())
	abandon := make(chan struct{})
	do := func(what string) {
		switch verb, name, _ := strings.Cut(what, " "); verb {
		case "interrupt":
			cancel(change.ErrInterrupted)
		case "abandon":
			cancel(change.ErrInterrupted)
			close(abandon)
		case "let":
			p.w.Let(name)
		}
	}
	over, end := context.WithCancel(p.t.Context())
	var waiting sync.WaitGroup
	defer func() {
		end()
		waiting.Wait()
		cancel(nil)
	}()
	for when, what := range step.On {
		if name, ok := strings.CutPrefix(when, "waits "); ok {
			waiting.Go(func() {
				if p.w.Begun(over, name); over.Err() == nil {
					do(what)
				}
			})
		}
	}
	p.flying = map[string]bool{}
	req := change.Request{Op: step.Op}
	names := step.Names
	if names == "*" {
		req.Live, names = true, ""
	}
	return p.w.Run(ctx, req, names, Options{Limit: step.Limit, Abandon: abandon, Observe: func(e change.Event) {
		p.watch(e)
		do(step.On[describe(e)])
		if step.Each != nil {
			do(step.Each())
		}
	}})
}

// describe is an event in a scenario's words: "began start web".
func describe(e change.Event) string {
	kind := map[change.EventKind]string{
		change.Began: "began", change.Already: "already", change.Done: "done", change.Failed: "failed",
		change.Skipped: "skipped", change.Kept: "kept", change.Quitting: "quitting",
	}[e.Kind]
	return strings.TrimSpace(kind + " " + e.Op.String() + " " + e.Target.Name)
}

// watch holds an event against what must always be true.
func (p *player) watch(e change.Event) {
	name := e.Target.Name
	switch e.Kind {
	case change.Began:
		first, soft := p.services[name].Needs, slices.Concat(p.services[name].After, p.services[name].Wants)
		if e.Op == change.Stop {
			first, soft = p.needed[name], p.awaited[name]
		}
		for _, n := range first {
			if !p.left[n] && p.up[n] != (e.Op == change.Start) || p.flying[n] {
				p.t.Errorf("%s before %s was done", describe(e), n)
			}
		}
		for _, n := range soft {
			if p.flying[n] {
				p.t.Errorf("%s while %s was under way", describe(e), n)
			}
		}
		p.flying[name] = true
	case change.Done, change.Already:
		p.up[name] = e.Op == change.Start
		delete(p.flying, name)
		delete(p.left, name)
	case change.Failed:
		if e.Op == change.Stop || errors.Is(e.Err, change.ErrAbandoned) {
			p.left[name] = true
		}
		delete(p.flying, name)
	}
}

// checkUp holds what is up against what was said to be. What was left to itself may
// be either.
func (p *player) checkUp() {
	p.t.Helper()
	now := map[string]bool{}
	for _, name := range p.w.Up() {
		now[name] = true
	}
	for name := range p.services {
		if now[name] != p.up[name] && !p.left[name] {
			p.t.Errorf("%s: up is %t, and was said to be %t", name, now[name], p.up[name])
		}
	}
	p.up = now
}

// attempts is how often a command may meet a limit though nothing is wrong: on a
// busy machine a service may take longer than its limit.
const attempts = 10

// converge has everything work, and gives the command again until nothing is left.
func (p *player) converge(last Step) {
	for tr, odd := range p.odd {
		if odd {
			p.w.Set(tr, Works)
			p.w.Let(tr.Service)
		}
	}
	last.On, last.Limit = nil, 0
	for range attempts {
		r := p.run(last)
		p.checkUp()
		if r.OK() {
			break
		}
		for _, f := range r.Failed {
			if !errors.Is(f, change.ErrTimedOut) || !p.services[f.Target.Name].Limited[f.Op] {
				p.t.Fatalf("the same command again: %s", Outcome(r))
			}
		}
	}
	if r := p.run(last); !r.OK() || len(r.Done) > 0 {
		p.t.Errorf("the same command once more: %d moved, %s", len(r.Done), Outcome(r))
	}
	p.checkUp()
}
