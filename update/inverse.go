package update

import "slices"

// Inverse is the patch that takes p back: from its new database to its old one,
// from what is up afterwards to what was up before. Each action is turned round (see
// [OpRule.Inverse]), so that it moves what p moved and nothing else. What the rules
// of a policy would ask for on the way back is not looked at; for that, plan.
//
// The fingerprint of the live directory is not known yet.
func (p *Patch) Inverse() *Patch {
	inv := &Patch{
		Format: PatchFormat, Policy: p.Policy, Old: p.New, New: p.Old, Live: LiveID{Path: p.Live.Path},
		Before: Before{slices.Clone(p.After.Up)}, Actions: []Action{}, After: After{Up: slices.Clone(p.Before.Up)},
	}
	if p.Store != nil {
		inv.Store = p.Store.Inverse()
	}
	b := &inverter{forward: p, back: inv, oldName: map[string]string{}, removed: map[string]bool{}, made: map[string]bool{}}
	for _, a := range p.Actions {
		switch a.Op {
		case OpMake:
			b.made[a.Service] = true
		case OpRemove:
			b.removed[a.Service] = true
		}
		if len(a.NewNames) == 1 {
			b.oldName[a.NewNames[0]] = a.Service
		}
	}
	b.stops()
	for _, op := range []Op{OpMake, OpPipe, OpRename, OpDefine, OpSwitch, OpUnpipe, OpRemove} {
		b.each(Ops[op].Inverse, func(a Action) { b.switched(op, a) })
	}
	b.starts()
	inv.Counts = count(inv.Actions)
	inv.Counts.Untouched = p.Counts.Untouched
	return inv
}

// inverter is the work of [Patch.Inverse].
type inverter struct {
	forward, back *Patch
	// oldName is what a new service was called, if it was one service; made and
	// removed are new and old services that were not, or are not any more.
	oldName       map[string]string
	made, removed map[string]bool
}

// each visits the actions of the patch with an operation.
func (b *inverter) each(op Op, visit func(Action)) {
	for _, a := range b.forward.Actions {
		if a.Op == op {
			visit(a)
		}
	}
}

// add adds an action that takes back a.
func (b *inverter) add(op Op, service string, newNames []string, a Action) {
	because := append([]Cause{{What: ReasonTakenBack, Service: a.Service}}, a.Because...)
	b.back.add(Action{Op: op, Service: service, NewNames: newNames, Class: a.Class, Because: because})
}

// before is what a new service was called, as a list.
func (b *inverter) before(name string) []string {
	if old, ok := b.oldName[name]; ok {
		return []string{old}
	}
	if b.made[name] {
		return nil
	}
	return []string{name}
}

// stops brings down what was started, the last one first.
func (b *inverter) stops() {
	for _, a := range slices.Backward(b.forward.Actions) {
		if a.Op == OpStart {
			b.add(OpStop, a.Service, b.before(a.Service), a)
		}
	}
}

// switched takes back one action of the switch.
func (b *inverter) switched(op Op, a Action) {
	switch a.Op {
	case OpRename, OpDefine:
		b.add(op, a.NewNames[0], []string{a.Service}, a)
	case OpMake:
		b.add(op, a.Service, b.before(a.Service), a)
	default:
		b.add(op, a.Service, nil, a)
	}
}

// starts brings up what was stopped, what was stopped last first, and what ended
// with the switch. What was told to reload is told again.
func (b *inverter) starts() {
	for _, a := range slices.Backward(b.forward.Actions) {
		if a.Op == OpStop || a.Op == OpSpare && b.removed[a.Service] {
			b.add(OpStart, a.Service, nil, a)
		}
	}
	b.each(OpReload, func(a Action) { b.add(OpReload, b.before(a.Service)[0], nil, a) })
}
