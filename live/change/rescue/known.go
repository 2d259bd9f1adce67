package rescue

import (
	"slices"
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/journal"
)

// service is something to be stopped.
type service struct {
	live.StopService
	target change.Target
	state  live.ServiceState
}

// knowledge is what journal or summary say of oneshots.
type knowledge struct {
	epoch journal.Epoch
	// oneshots gives the state of one by its place in the stop order; nil if nobody
	// knows.
	oneshots func(live.StopService) live.ServiceState
	// up are the oneshots that are up, or may be.
	up []live.StopService
}

// known asks the journal, and if that cannot be read, the mark of an earlier full
// stop, and the summary.
func (s *Session) known() knowledge {
	if s.w != nil {
		return ofJournal(s.w.Journal())
	}
	if s.dir.Stopped() {
		return ofSummary(live.Summary{}, false)
	}
	if j, err := s.dir.Journal(); err == nil {
		return ofJournal(j)
	}
	if sum, err := s.dir.Summary(); err == nil {
		return ofSummary(sum, true)
	}
	return knowledge{}
}

func ofJournal(j journal.State) knowledge {
	state := func(slot live.Slot) live.ServiceState {
		known := j.Services[slot]
		// What was begun and not ended may be up.
		return live.ServiceState{Up: known.Up, Unknown: known.Unknown || known.Pending != ""}
	}
	k := knowledge{epoch: j.Epoch, oneshots: func(sv live.StopService) live.ServiceState { return state(sv.Slot) }}
	tables := []journal.Table{j.Table}
	if j.Patch != nil {
		tables = append(tables, j.Patch.OldTable, j.Patch.Table)
	}
	for _, e := range slices.Concat(tables...) {
		if st := state(e.Slot); e.Type == db.Oneshot && (st.Up || st.Unknown) {
			k.up = append(k.up, live.StopService{Slot: e.Slot, Name: e.Name, Type: e.Type.String()})
		}
	}
	return k
}

// ofSummary takes services that are not in it for unknown, if unknown is set, and
// for down otherwise.
func ofSummary(sum live.Summary, unknown bool) knowledge {
	states := make(map[string]live.ServiceState)
	var k knowledge
	for _, sv := range sum.Services {
		states[sv.Name] = live.ServiceState{Up: sv.Up, Unknown: sv.Unknown}
		if sv.Type == db.Oneshot.String() && (sv.Up || sv.Unknown) {
			k.up = append(k.up, live.StopService{Name: sv.Name, Type: sv.Type})
		}
	}
	k.oneshots = func(sv live.StopService) live.ServiceState {
		st, ok := states[sv.Name]
		st.Unknown = st.Unknown || !ok && unknown
		return st
	}
	return k
}

// add adds a service of the stop order.
func (s *Session) add(sv live.StopService, known knowledge) {
	o := service{StopService: sv}
	o.target = change.Target{
		ID: change.ID(len(s.services)), Name: sv.Name, Type: db.Longrun, Slot: sv.Slot,
		TimeoutDown: time.Duration(sv.Timeout) * time.Millisecond,
	}
	if sv.Type == db.Oneshot.String() {
		o.target.Type = db.Oneshot
		o.state.Unknown = true
		if known.oneshots != nil {
			o.state = known.oneshots(sv)
		}
		if sv.Content != nil && sv.Def != nil {
			o.target.Content, o.target.Def = *sv.Content, *sv.Def
			s.sup.down[sv.Slot] = s.sup.program(sv)
		}
	} else {
		o.state.Up = s.dir.Runs(sv.Slot)
	}
	o.state.Slot, o.state.Name, o.state.Type = sv.Slot, sv.Name, o.target.Type
	s.services = append(s.services, o)
}

// addStrays adds what is up and not in the stop order.
func (s *Session) addStrays(known knowledge) error {
	slots, names := make(map[live.Slot]bool), make(map[string]bool)
	for _, o := range s.services {
		slots[o.Slot], names[o.Name] = true, true
	}
	running, err := s.dir.Supervised()
	if err != nil {
		return err
	}
	for _, n := range running {
		if !slots[n.Slot] {
			s.add(live.StopService{Slot: n.Slot, Name: n.Name, Type: db.Longrun.String()}, known)
		}
	}
	for _, sv := range known.up {
		if !slots[sv.Slot] && !names[sv.Name] {
			s.add(sv, known)
			slots[sv.Slot] = sv.Slot != 0
		}
	}
	return nil
}
