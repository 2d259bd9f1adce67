package update

import (
	"fmt"
	"slices"
	"strings"

	"strata/compile/db"
	"strata/graph"
)

// Policy says by which rules a patch is made.
type Policy string

// The policies.
const (
	// Identity is s6-rc-update's: what a definition contains is not looked at.
	Identity Policy = "identity"
	// Definition is that and the class table.
	Definition Policy = "definition"
)

// State is what a plan needs to know of a live directory. The slices are by the
// ServiceID of the old database.
type State struct {
	Live LiveID
	// Up are the services that are up; a oneshot in an unknown state is.
	Up []bool
	// Stopped are services that are down because an operator stopped them.
	Stopped []bool
	// Failed are services that are down though they should be up: they did not come
	// up, or did not stay. It may be left out.
	Failed []bool
	// Runner and Holder say that the internal services are up though nothing that
	// is up needs them. The policy Identity asks.
	Runner, Holder bool
}

// Options of a plan.
type Options struct {
	Policy Policy
	// ForceEssentials stops essential services like others.
	ForceEssentials bool
	// RespectStops refuses a patch that would start what an operator stopped.
	RespectStops bool
	// Restart and Keep are orders for services, by the names they have in the old
	// database: to restart what is up, or to keep its process though its class, its
	// definition or the conversion file asks for a restart. They come before all
	// of these. What is to be kept and cannot be, because what it needs restarts, is a
	// [RefusedError], and so is a restart of what must not be stopped.
	Restart, Keep []string
	// Revive starts also what has failed, under the policy Definition: whoever goes
	// back wants again what the way forward has brought down.
	Revive bool
}

const forceHint = "-e stops essential services all the same"

// RefusedError says that there is no patch that keeps the rules.
type RefusedError struct {
	// Services are the names that stand in the way, Why what they have in common.
	Services []string
	Why      string
	Hint     string
}

// Error names the services.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("cannot update: %s: %s (%s)", e.Why, strings.Join(e.Services, ", "), e.Hint)
}

// plan is the work of [Plan].
type plan struct {
	*Changes
	state State
	opts  Options
	old   *vertices
	new   *vertices
	up    *graph.Set
	t     transition

	ordered        overrides
	pinned, spared *graph.Set
	stopped        *graph.Set // new services that an operator stopped
	restart        *graph.Set // for a changed definition
	reload         *graph.Set // new services to be told to reload
	wanting        wanting
	followed       map[id]provider // new services started in the place of others
	revived        *graph.Set      // new services started because they have failed
	starts         *graph.Set      // new services to be started
	patch          *Patch
}

// Plan says what to do so that the services that are up stay up, under their new
// identity, in the new database. It is a pure function. The error is a
// [*RefusedError], an [*OrderError], or that of a database that cannot be read.
func Plan(c *Changes, st State, o Options) (*Patch, error) {
	p, err := newPlan(c, st, o)
	if err != nil {
		return nil, err
	}
	if c.Empty() && !p.hasOrders() {
		p.leaveAll()
		return p.patch, nil
	}
	if err := p.prepare(); err != nil {
		return nil, err
	}
	if err := p.decide(); err != nil {
		return nil, err
	}
	if err := p.act(); err != nil {
		return nil, err
	}
	p.patch.S6RC = p.lists()
	p.patch.After.Up = p.new.sortedNames(p.t.after)
	p.patch.Counts = count(p.patch.Actions)
	p.patch.Counts.Untouched = p.new.view.len() - touched(p.patch.Actions)
	return p.patch, nil
}

func newPlan(c *Changes, st State, o Options) (*plan, error) {
	p := &plan{Changes: c, state: st, opts: o, followed: map[id]provider{}}
	p.patch = &Patch{Format: PatchFormat, Policy: o.Policy, Old: c.Old, New: c.New, Live: st.Live, Actions: []Action{}}
	if len(st.Up) != c.before.view.len() || len(st.Stopped) != c.before.view.len() {
		return nil, fmt.Errorf("cannot plan: the state has %d services, the database %d", len(st.Up), c.before.view.len())
	}
	p.patch.Before.Up = make([]string, 0, len(st.Up))
	for i, up := range st.Up {
		if up {
			p.patch.Before.Up = append(p.patch.Before.Up, c.before.names[i])
		}
	}
	return p, p.readOverrides()
}

// leaveAll is the patch that does nothing.
func (p *plan) leaveAll() {
	p.patch.After.Up = slices.Clone(p.patch.Before.Up)
	p.patch.Counts.Untouched = p.after.view.len()
	if p.opts.Policy == Identity {
		p.patch.S6RC = &Lists{[]string{}, []string{}}
	}
}

// prepare makes the graphs that the policy looks at, and what is up in them.
func (p *plan) prepare() (err error) {
	identity := p.opts.Policy == Identity
	if len(p.match.to) == 0 {
		if err := p.sameMatch(); err != nil {
			return err
		}
	}
	if p.old, err = newVertices(p.before.view, identity); err != nil {
		return err
	}
	if p.new, err = newVertices(p.after.view, identity); err != nil {
		return err
	}
	p.up = graph.NewSet(p.old.count())
	for i, up := range p.state.Up {
		if !up {
			continue
		}
		p.up.Add(id(i))
		// An internal service is up as soon as something that needs it is.
		if identity {
			for _, to := range p.old.needs.Out(id(i)) {
				if !p.old.isService(to) {
					p.up.Add(to)
				}
			}
		}
	}
	if identity && p.state.Runner {
		p.up.Add(p.old.runner())
	}
	if identity && p.state.Holder {
		p.up.Add(p.old.holder())
	}
	p.findStopped()
	p.pinned, p.spared = graph.NewSet(p.old.count()), graph.NewSet(p.old.count())
	p.restart, p.reload, p.revived = graph.NewSet(p.old.count()), graph.NewSet(p.new.count()), graph.NewSet(p.new.count())
	return nil
}

// decide fills in what stops and what starts.
func (p *plan) decide() error {
	if p.opts.Policy == Definition {
		p.applyClasses()
		if !p.opts.ForceEssentials {
			if err := p.pin(); err != nil {
				return err
			}
		}
	}
	if err := p.checkRestarts(); err != nil {
		return err
	}
	restart := p.orderedRestarts()
	restart.Union(p.restart)
	p.t = decide(p.old, p.new, p.match, rules{up: p.up, restart: restart, pinned: p.pinned})
	p.starts = p.t.after.Clone()
	p.starts.Subtract(p.t.keep)
	if p.opts.Policy == Identity {
		p.spare()
	} else {
		p.pullWants()
		p.reload.Intersect(p.t.keep)
	}
	if err := p.checkKept(); err != nil {
		return err
	}
	return p.respectStops()
}

// applyClasses decides by the class of each change whether its service restarts or
// reloads.
func (p *plan) applyClasses() {
	for k := range p.Services {
		s := &p.Services[k]
		if s.Kind != Changed || !p.up.Has(s.old) || p.ordered.keep.Has(s.old) {
			continue
		}
		switch s.Action() {
		case ByRestart:
			p.restart.Add(s.old)
		case ByReload:
			p.reload.Add(s.new)
		}
	}
}

// Action is what the change asks for of a service that is up: the class of its
// fields, or what its definition orders instead. A oneshot is not run again unless
// it says so.
func (s *ServiceChange) Action() Class {
	switch {
	case s.Class < Live:
		return s.Class
	case s.onChange == db.Restart:
		return ByRestart
	case s.onChange == db.Keep, s.Class == Live:
		return Live
	case s.onChange == db.Reload:
		return ByReload
	case s.Class == Rerun:
		return Live
	}
	return s.Class
}

// sortedNames returns the names of the services in s.
func (v *vertices) sortedNames(s *graph.Set) []string {
	out := make([]string, 0, s.Len())
	for i := range s.All() {
		if v.isService(i) {
			out = append(out, v.name(i))
		}
	}
	return out
}

// lists are the names that s6-rc-update would give to s6-rc.
func (p *plan) lists() *Lists {
	if p.opts.Policy != Identity {
		return nil
	}
	pick := func(v *vertices, s *graph.Set) []string {
		out := []string{}
		for _, i := range v.referenceOrder() {
			if v.isService(i) && s.Has(i) {
				out = append(out, v.name(i))
			}
		}
		return out
	}
	return &Lists{pick(p.old, p.t.listed), pick(p.new, p.t.start)}
}
