package journal

import (
	"maps"
	"slices"

	"strata/compile/db"
)

// Fold makes the state of a list of records, which begins with an [Init] or a
// [Snapshot]. It is the same as to fold a part, take a snapshot, and fold the rest
// onto that. A record about a slot that is not known changes nothing.
func Fold(records []Record) State {
	var f Folder
	for _, r := range records {
		f.Apply(r)
	}
	return f.State()
}

// Folder folds records one by one. Its zero value knows nothing.
type Folder struct {
	state State // but the services
	// slots are those of the services that are known; index says where each stands.
	slots []Slot
	index slotIndex
	// services are, in that order, those of which something was told. Before that rows
	// says what is known: of thousands most are only looked at, and once.
	services []*Service
	rows     rows
	// told holds those slots of the command under way of which something was told
	// since: the others are left. A map of these is made for who asks.
	told slotIndex
}

// State returns a copy of the state.
func (f *Folder) State() State {
	s := f.Head()
	s.Services = make(map[Slot]Service, len(f.services))
	for i, slot := range f.slots {
		if v := f.known(i); v != (Service{}) {
			s.Services[slot] = v
		}
	}
	return s
}

// Head is State without services, which is much less.
func (f *Folder) Head() State {
	s := f.state
	if s.Run != nil {
		run := *s.Run
		run.Left = make(map[Slot]bool)
		for _, slot := range run.Slots {
			if _, told := f.told.find(slot); !told {
				run.Left[slot] = true
			}
		}
		s.Run = &run
	}
	if s.Patch != nil {
		p := *s.Patch
		p.Done = slices.Clone(p.Done)
		p.Failed = maps.Clone(p.Failed)
		s.Patch = &p
	}
	return s
}

// Service is what is known of one service: nothing if it is down and not wanted.
func (f *Folder) Service(slot Slot) Service {
	if i, ok := f.index.find(slot); ok {
		return f.known(int(i))
	}
	return Service{}
}

// Standing is what a summary has of [Folder.Service], which takes much less time.
func (f *Folder) Standing(slot Slot) (up, wanted, unknown bool) {
	i, ok := f.index.find(slot)
	if !ok {
		return false, false, false
	}
	if v := f.services[i]; v != nil {
		return v.Up, v.Wanted, v.Unknown
	}
	up, wanted = f.rows.standing(int(i))
	return up, wanted, false
}

func (f *Folder) known(i int) Service {
	if v := f.services[i]; v != nil {
		return *v
	}
	return f.rows.service(i)
}

// Seq is the number of the last record.
func (f *Folder) Seq() uint64 { return f.state.Seq }

// Apply folds one more record.
func (f *Folder) Apply(r Record) {
	s := &f.state
	switch e := r.Event.(type) {
	case Init:
		*f = Folder{state: State{Epoch: e.Epoch, Content: e.Content, Table: e.Table, NextSlot: e.NextSlot}}
		f.learn()
	case Snapshot:
		f.restore(e.State)
		for slot, v := range e.State.Services {
			f.update(slot, Record{}, func(to *Service) { *to = v })
		}
	case restored:
		*f = *e.folder
	case Want:
		for _, slot := range e.Slots {
			f.update(slot, r, func(v *Service) { v.Wanted = e.Up })
		}
	case Run:
		s.Run = &RunState{Run: e, Cause: r.Cause, At: r.At}
		f.told = makeSlotIndex(len(e.Slots), s.NextSlot)
	case RunEnd:
		s.Run, f.told = nil, slotIndex{}
	case Begin:
		if e.Phase == PhaseReload {
			r.Cause = "" // it moves nothing
		}
		f.update(e.Slot, r, func(v *Service) { v.Pending, v.Begun, v.At = e.Phase, r.Boot, r.At })
	case Up:
		f.end(e.Slot, e.By, r, func(v *Service) {
			moved(v, true, r)
			v.Def, v.Redefined = e.Def, 0
		})
	case Down:
		f.end(e.Slot, e.By, r, func(v *Service) { moved(v, false, r) })
	case Failed:
		f.end(e.Slot, e.By, r, func(v *Service) {
			v.Pending, v.Begun, v.Failure, v.Failed = "", 0, e.Reason, e.Phase
			v.Unknown = v.Unknown || e.Unknown
			v.Permanent, v.Skipped = e.Permanent, false
		})
	case Skipped:
		f.end(e.Slot, e.By, r, func(v *Service) {
			v.Failure, v.Failed = r.Cause, e.Phase
			v.Permanent, v.Skipped = false, true
		})
	case Reloaded:
		if s.Run != nil {
			f.told.add(e.Slot, 0)
		}
		r.Cause = ""
		f.update(e.Slot, r, func(v *Service) { v.Pending, v.Begun, v.Failure, v.Failed, v.At = "", 0, "", "", r.At })
	case Observed:
		f.end(e.Slot, 0, r, func(v *Service) {
			moved(v, e.Up, r)
			v.Observed = e.What
		})
	case Redefined:
		f.update(e.Slot, r, func(v *Service) {
			if v.Up {
				v.Redefined = r.Boot
			}
		})
	case Switch:
		s.Content, s.NextSlot = e.Content, max(e.NextSlot, s.NextSlot)
		if s.Patch != nil {
			s.Patch.Switched = s.Content == s.Patch.New
		}
		if !e.Same {
			s.Table = e.Table
			f.learn()
		}
	case PatchBegin:
		table, known := e.Table, e.Same && s.Patch == nil
		if e.Same {
			table = s.Table
		}
		s.Patch = &Patch{
			Patch: e.Patch, Old: e.Old, New: e.New, OldTable: s.Table, Table: table,
			NextSlot: e.NextSlot, Actions: e.Actions, Begun: r.At, Cause: r.Cause, Limit: e.Limit, Aborts: e.Aborts,
		}
		s.NextSlot = max(e.NextSlot, s.NextSlot)
		if !known {
			f.learn()
		}
	case PatchTry:
		if s.Patch != nil {
			s.Patch.Tries++
			if e.PID == 0 {
				s.Patch.Tries, s.Patch.Again = 0, true
			}
			s.Patch.PID, s.Patch.Start = e.PID, e.Start
		}
	case PatchAbort:
		if s.Patch != nil {
			s.Patch.Aborting = true
		}
	case PatchStep:
		if s.Patch != nil {
			step(s.Patch, e)
		}
	case PatchEnd:
		p := s.Patch
		s.Patch, s.LastPatch = nil, e.Outcome
		if p != nil && !(p.Table.Same(s.Table) && p.OldTable.Same(s.Table)) {
			f.learn()
		}
	}
	s.Seq = r.Seq
}

// lean gives the event without a table that is the current one.
func (f *Folder) lean(e Event) Event {
	switch v := e.(type) {
	case Switch:
		if v.Same || v.Table.Same(f.state.Table) {
			v.Table, v.Same = nil, true
			return v
		}
	case PatchBegin:
		if v.Same || v.Table.Same(f.state.Table) {
			v.Table, v.Same = nil, true
			return v
		}
	}
	return e
}

// moved is what every known end of a transition does.
func moved(v *Service, up bool, r Record) {
	if v.Up != up || v.Unknown {
		v.Since = r.At
	}
	v.Up, v.Unknown, v.Pending, v.Begun = up, false, "", 0
	v.Failure, v.Failed, v.Permanent, v.Skipped = "", "", false, false
	if !up {
		v.Def, v.Redefined = db.Digest{}, 0
	}
}

func step(p *Patch, e PatchStep) {
	if e.Failed != "" {
		if p.Failed == nil {
			p.Failed = make(map[int]string)
		}
		p.Failed[e.Action] = e.Failed
		return
	}
	delete(p.Failed, e.Action)
	if !slices.Contains(p.Done, e.Action) {
		p.Done = append(p.Done, e.Action)
	}
}

// end is update for what ends a service's part in a run.
func (f *Folder) end(slot, by Slot, r Record, change func(*Service)) {
	run := f.state.Run
	if run != nil {
		f.told.add(slot, 0)
	}
	f.update(slot, r, func(v *Service) {
		v.Observed = ""
		change(v)
		v.By, v.Command, v.At = by, "", r.At
		if run != nil {
			v.Command = run.Cause
		}
	})
}

func (f *Folder) update(slot Slot, r Record, change func(*Service)) {
	i, ok := f.index.find(slot)
	if !ok {
		return
	}
	v := f.services[i]
	if v == nil {
		v = new(Service)
		*v = f.rows.service(int(i))
		f.services[i] = v
	}
	change(v)
	if r.Cause != "" {
		v.Cause = r.Cause
	}
}

// restore begins with a snapshot, of which the services are still to come.
func (f *Folder) restore(s State) {
	run := s.Run
	s.Run = nil
	other := Folder{state: s}
	*f = Folder{state: other.Head()}
	f.state.Services = nil
	f.learn()
	f.resume(run)
}

// resume goes on with a command that was under way, if there is one.
func (f *Folder) resume(run *RunState) {
	if run == nil {
		return
	}
	f.state.Run = &RunState{Run: run.Run, Cause: run.Cause, At: run.At}
	f.told = makeSlotIndex(len(run.Slots), f.state.NextSlot)
	for _, slot := range run.Slots {
		if !run.Left[slot] {
			f.told.add(slot, 0)
		}
	}
}

// learn finds out anew which slots are known, and forgets the others.
func (f *Folder) learn() {
	s := &f.state
	tables := []Table{s.Table}
	if s.Patch != nil {
		tables = append(tables, s.Patch.OldTable, s.Patch.Table)
	}
	n := 0
	for _, t := range tables {
		n += len(t)
	}
	next := Folder{
		state: *s, told: f.told, slots: make([]Slot, 0, n), index: makeSlotIndex(n, s.NextSlot),
		services: make([]*Service, 0, n), rows: rows{columns: f.rows.columns, of: make([]int32, 0, n)},
	}
	for _, t := range tables {
		for _, e := range t {
			if !next.index.add(e.Slot, len(next.slots)) {
				continue
			}
			next.slots = append(next.slots, e.Slot)
			var v *Service
			row := int32(0)
			if i, ok := f.index.find(e.Slot); ok {
				v, row = f.services[i], f.rows.of[i]
			}
			next.services, next.rows.of = append(next.services, v), append(next.rows.of, row)
		}
	}
	*f = next
}
