package journal

import (
	"slices"
	"time"

	"strata/compile/db"
)

// services takes the rest of the columns of services that f knows.
func (s *scanner) services(f *Folder) {
	s.lit(`"slots":[`)
	slots := s.slots()
	list := s.known(f, slots)
	s.states(list)
	s.column(`,"since":[`, list, func(v *Service) { v.Since = fromNanos(s.int()) })
	s.column(`,"at":[`, list, func(v *Service) { v.At = fromNanos(s.int()) })
	s.column(`,"by":[`, list, func(v *Service) { v.By = s.slot() })
	// The texts that these are places in come after them.
	causes, commands := make([]uint32, len(list)), make([]uint32, len(list))
	s.places(`,"causes":[`, causes)
	s.places(`,"commands":[`, commands)
	s.lit(`,"texts":[`)
	texts := s.names()
	for i, v := range list {
		if s.bad = s.bad || int(causes[i]) >= len(texts) || int(commands[i]) >= len(texts); s.bad {
			return
		}
		v.Cause, v.Command = texts[causes[i]], texts[commands[i]]
	}
	if s.opt(`,"rest":{`) {
		s.rests(slots, list)
	}
	s.lit(`}`)
	for _, v := range list {
		s.bad = s.bad || *v == Service{} // would be left out
	}
}

// known gives the services of slots, which are sorted.
func (s *scanner) known(f *Folder, slots []Slot) []*Service {
	list := make([]*Service, len(slots))
	for i, slot := range slots {
		place, ok := f.index.find(slot)
		if !ok || i > 0 && slot <= slots[i-1] {
			s.bad = true
			return nil
		}
		list[i] = &f.services[place]
		*list[i] = Service{}
	}
	return list
}

// states takes the columns that say which are wanted and up, and with which definition.
func (s *scanner) states(list []*Service) {
	s.lit(`,"states":"`)
	states := s.bytes()
	s.lit(`,"defs":"`)
	defs := s.digits()
	if s.bad = s.bad || len(states) != len(list); s.bad {
		return
	}
	for i, v := range list {
		state := states[i] - '0'
		if s.bad = state >= stateEnd; s.bad {
			return
		}
		v.Wanted, v.Up = state&stateWanted != 0, state&stateUp != 0
		if state&stateKnown != 0 {
			const digits = 2 * len(db.Digest{})
			if s.bad = len(defs) < digits || !unhex(v.Def[:], defs); s.bad {
				return
			}
			defs = defs[digits:]
		}
	}
	s.bad = len(defs) != 0
}

// column takes a list with an element for each service.
func (s *scanner) column(head string, list []*Service, element func(*Service)) {
	s.lit(head)
	for i, v := range list {
		if i > 0 {
			s.lit(`,`)
		}
		element(v)
	}
	s.lit(`]`)
}

// places takes a list of as many small numbers as there is room for.
func (s *scanner) places(head string, to []uint32) {
	s.lit(head)
	for i := range to {
		if i > 0 {
			s.lit(`,`)
		}
		to[i] = uint32(s.slot())
	}
	s.lit(`]`)
}

// rests takes the rest of an object with what has no column.
func (s *scanner) rests(slots []Slot, list []*Service) {
	for comma := ""; !s.bad && !s.opt(`}`); comma = "," {
		s.lit(comma + `"`)
		i, ok := slices.BinarySearch(slots, s.slot())
		s.lit(`":{`)
		if s.bad = s.bad || !ok; s.bad {
			return
		}
		list[i].add(s.rest())
	}
}

// rest takes the rest of an object with what one service has beside the columns.
func (s *scanner) rest() (v Service) {
	comma := 1
	// has takes the beginning of a field, or all of it.
	has := func(text string) bool {
		if s.opt(text[comma:]) {
			comma = 0
			return true
		}
		return false
	}
	v.Unknown = has(`,"unknown":true`)
	if has(`,"pending":"`) {
		v.Pending = s.phase()
	}
	if has(`,"begun":`) {
		v.Begun = time.Duration(s.int())
	}
	if has(`,"redefined":`) {
		v.Redefined = time.Duration(s.int())
	}
	if has(`,"failure":"`) {
		v.Failure = s.text()
	}
	if has(`,"failed":"`) {
		v.Failed = s.phase()
	}
	v.Permanent = has(`,"permanent":true`)
	v.Skipped = has(`,"skipped":true`)
	if has(`,"observed":"`) {
		v.Observed = s.text()
	}
	s.lit(`}`)
	return v
}
