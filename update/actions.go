package update

import (
	"slices"

	"strata/compile/db"
	"strata/graph"
)

// act writes the actions, in the order in which they are done.
func (p *plan) act() error {
	r := p.explain()
	p.stopActions(r)
	p.switchActions(r)
	p.startActions(r)
	return r.places.err
}

func (p *plan) add(a Action) { p.patch.add(a) }

// add numbers an action and puts it behind the others.
func (p *Patch) add(a Action) {
	a.Seq = len(p.Actions) + 1
	a.Phase = Ops[a.Op].Phase
	p.Actions = append(p.Actions, a)
}

// byLevel sorts services of a view by level, then by name; reversed for stops.
func byLevel(v *vertices, s *graph.Set, reverse bool) []id {
	ids := slices.DeleteFunc(s.IDs(), func(i id) bool { return !v.isService(i) })
	slices.SortStableFunc(ids, func(a, b id) int {
		d := v.levels.Of(a) - v.levels.Of(b)
		if reverse {
			return -d
		}
		return d
	})
	return ids
}

func (p *plan) stopActions(r *reasons) {
	var spared, ended []string
	for _, i := range byLevel(p.old, p.t.stop, true) {
		a := Action{Op: OpStop, Service: p.old.name(i), NewNames: p.newNames(i), Class: p.classOfOld(i), Because: r.stop(i)}
		if p.spared.Has(i) {
			a.Op = OpSpare
			spared = append(spared, a.Service)
			if _, ok := p.match.pair(i); !ok {
				ended = append(ended, a.Service)
			}
		}
		p.add(a)
	}
	p.warn("essential services, or what they need, are not stopped", spared)
	p.warn("of these, nothing goes on in the new database, so that they end with the switch", ended)
}

func (p *plan) newNames(i id) []string {
	var out []string
	for _, j := range p.match.to[i] {
		out = append(out, p.new.name(j))
	}
	return out
}

func (p *plan) classOfOld(i id) Class {
	if s := p.byOld[i]; s != nil {
		return s.Class
	}
	return Graph
}

func (p *plan) classOfNew(j id) Class {
	if s := p.byNew[j]; s != nil {
		return s.Class
	}
	return Graph
}

// heir says that new service j takes over the slot of an old one.
func (p *plan) heir(j id) (id, bool) {
	i := p.match.from[j]
	if i == db.None || !p.old.isService(i) {
		return db.None, false
	}
	_, ok := p.match.pair(i)
	return i, ok
}

// switchActions make what is new, rename and redefine what goes on, switch, and
// remove what is gone.
func (p *plan) switchActions(r *reasons) {
	var renames, defines []Action
	for j := range id(p.new.view.len()) {
		i, goesOn := p.heir(j)
		if !goesOn {
			p.add(Action{Op: OpMake, Service: p.new.name(j), Class: p.classOfNew(j), Because: r.added(j)})
		}
		if p.new.fed[j] && (!goesOn || !p.old.fed[i]) {
			because := r.added(j)
			if goesOn {
				because = r.pipe(j)
			}
			p.add(Action{Op: OpPipe, Service: p.new.name(j), Class: p.classOfNew(j), Because: because})
		}
		if !goesOn {
			continue
		}
		if p.old.name(i) != p.new.name(j) {
			renames = append(renames, Action{Op: OpRename, Service: p.old.name(i), NewNames: p.newNames(i), Class: p.classOfNew(j), Because: r.renamed(i, j)})
		}
		if p.redefined(i, j) {
			defines = append(defines, Action{
				Op: OpDefine, Service: p.old.name(i), NewNames: p.newNames(i), Class: p.classOfNew(j),
				Stale: p.goesStale(i, j), Because: r.change(j),
			})
		}
	}
	for _, a := range append(renames, defines...) {
		p.add(a)
	}
	if p.Old.Content == p.New.Content && len(p.Services) == 0 {
		return
	}
	p.add(Action{Op: OpSwitch, Class: Graph, Because: []Cause{{What: ReasonDatabase, From: p.Old.Content.String(), To: p.New.Content.String()}}})
	p.removeActions(r)
}

// redefined says that what the service runs in has to be made anew.
func (p *plan) redefined(i, j id) bool {
	// The files of a private database have other modes.
	return p.old.private != p.new.private || p.old.def(i) != p.new.def(j) || !p.samePipes(i, j)
}

// goesStale says that the process goes on although its definition asks for a
// restart.
func (p *plan) goesStale(i, j id) bool {
	s := p.byNew[j]
	return s != nil && p.t.keep.Has(j) && p.new.types[j] == db.Longrun && s.Class == ByRestart && !p.reload.Has(j) || p.spared.Has(i)
}

func (p *plan) removeActions(r *reasons) {
	for i := range id(p.old.view.len()) {
		j, goesOn := p.match.pair(i)
		if p.old.fed[i] && (!goesOn || !p.new.fed[j]) {
			because := r.goneChain(i)
			if goesOn {
				because = r.pipe(j)
			}
			p.add(Action{Op: OpUnpipe, Service: p.old.name(i), Class: p.classOfOld(i), Because: because})
		}
	}
	for i := range id(p.old.view.len()) {
		if _, goesOn := p.match.pair(i); goesOn {
			continue
		}
		p.add(Action{Op: OpRemove, Service: p.old.name(i), NewNames: p.newNames(i), Class: p.classOfOld(i), Because: r.goneChain(i)})
	}
}

func (p *plan) startActions(r *reasons) {
	var forced []string
	for _, j := range byLevel(p.new, p.starts, false) {
		a := Action{Op: OpStart, Service: p.new.name(j), Class: p.classOfNew(j), Because: r.start(j), Forced: p.stopped.Has(j)}
		if a.Forced {
			forced = append(forced, a.Service)
		}
		p.add(a)
	}
	for _, j := range byLevel(p.new, p.reload, false) {
		p.add(Action{Op: OpReload, Service: p.new.name(j), Class: p.classOfNew(j), Because: r.change(j)})
	}
	p.warn("an operator had stopped these, but something that is up needs them now", forced)
}

// count sums up what actions do, without what they leave alone.
func count(actions []Action) Counts {
	var c Counts
	stopped := map[string]bool{}
	for _, a := range actions {
		switch a.Op {
		case OpStop:
			c.Stop++
			if len(a.NewNames) == 1 {
				stopped[a.NewNames[0]] = true
			}
		case OpStart:
			c.Start++
			if stopped[a.Service] {
				c.Restart, c.Stop, c.Start = c.Restart+1, c.Stop-1, c.Start-1
			}
		case OpReload:
			c.Reload++
		case OpDefine:
			c.Redefine++
			if a.Stale {
				c.Stale++
			}
		case OpMake:
			c.Add++
		case OpRemove:
			c.Remove++
		case OpRename:
			c.Rename++
		}
	}
	return c
}

// touched counts the services of the new database that actions name.
func touched(actions []Action) int {
	names := map[string]bool{}
	for _, a := range actions {
		if a.Phase == StartPhase || a.Op == OpMake || a.Op == OpPipe {
			names[a.Service] = true
		}
		for _, name := range a.NewNames {
			names[name] = true
		}
	}
	return len(names)
}
