package update

import (
	"fmt"
	"strings"

	"strata/graph"
)

// OrderError is a mistake in [Options.Restart] or [Options.Keep]. Kind is one of
// the Err variables.
type OrderError struct {
	Kind    error
	Message string
}

// Error says which order and why.
func (e *OrderError) Error() string { return e.Message }

// Unwrap returns the kind.
func (e *OrderError) Unwrap() error { return e.Kind }

// overrides are the orders of [Options], for old services.
type overrides struct {
	restart, keep *graph.Set
}

// readOverrides finds the services that orders are for, as a conversion file names
// them: by a name of the old database that stands for one atomic service.
func (p *plan) readOverrides() error {
	n := p.before.view.len()
	p.ordered = overrides{graph.NewSet(n), graph.NewSet(n)}
	for _, o := range []struct {
		verb  string
		names []string
		to    *graph.Set
	}{{"restart", p.opts.Restart, p.ordered.restart}, {"keep", p.opts.Keep, p.ordered.keep}} {
		for _, name := range o.names {
			ids, ok := p.before.view.resolve(name)
			switch {
			case !ok:
				return &OrderError{ErrUnknown, fmt.Sprintf("cannot %s %s: it is not in the old database", o.verb, name)}
			case len(ids) != 1:
				return &OrderError{ErrNotAtomic, fmt.Sprintf("cannot %s %s: it is not an atomic service of the old database", o.verb, name)}
			case p.ordered.restart.Has(ids[0]) && o.to != p.ordered.restart:
				return &OrderError{ErrDuplicate, fmt.Sprintf("cannot keep %s: it is to be restarted too", name)}
			}
			o.to.Add(ids[0])
		}
	}
	return nil
}

// orderedRestarts are the services that restart because somebody said so: on the
// command line, or in the conversion file where the command line does not say to
// keep it.
func (p *plan) orderedRestarts() *graph.Set {
	out := graph.NewSet(p.old.count())
	for i, ordered := range p.match.restart {
		if ordered && !p.ordered.keep.Has(id(i)) {
			out.Add(id(i))
		}
	}
	out.Union(p.ordered.restart)
	return out
}

// checkRestarts refuses a restart of what must not be stopped, if it was ordered on
// the command line; one that the conversion file asks for is left out. A service
// that is down has nothing to restart.
func (p *plan) checkRestarts() error {
	var refused, left, down []string
	for i := range p.orderedRestarts().All() {
		onCommandLine := p.ordered.restart.Has(i)
		switch name := p.old.name(i); {
		case !p.up.Has(i) && onCommandLine:
			down = append(down, name)
		case !p.pinned.Has(i):
		case onCommandLine:
			refused = append(refused, p.pinnedText(i))
		default:
			left = append(left, p.pinnedText(i))
		}
	}
	if len(refused) > 0 {
		return &RefusedError{refused, "services that must not be stopped are to be restarted", forceHint}
	}
	p.warn("essential services, or what they need, are not restarted, though the conversion file says so", left)
	p.warn("there is nothing to restart, as it is down", down)
	return nil
}

// checkKept refuses a patch that would stop what is to be kept.
func (p *plan) checkKept() error {
	var lost []string
	for i := range p.ordered.keep.All() {
		if p.t.stop.Has(i) && !p.spared.Has(i) {
			lost = append(lost, p.old.name(i))
		}
	}
	if len(lost) > 0 {
		return &RefusedError{lost, "services that are to be kept have to be stopped", "without that order, -n says why"}
	}
	return nil
}

// warn adds a warning about services, if there are any.
func (p *plan) warn(text string, names []string) {
	if len(names) > 0 {
		p.patch.Warnings = append(p.patch.Warnings, text+": "+strings.Join(names, ", "))
	}
}

// hasOrders says that the options ask for something even where the databases do
// not differ.
func (p *plan) hasOrders() bool { return len(p.opts.Restart) > 0 }

// sameMatch is the identity of services between two databases that do not differ.
func (p *plan) sameMatch() error {
	m, err := matchServices(p.before, p.after, Conversions{})
	if err != nil {
		return err
	}
	c := *p.Changes
	c.match, p.Changes = m, &c
	return nil
}
