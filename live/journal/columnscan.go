package journal

import (
	"bytes"
	"slices"
	"time"

	"strata/compile/db"
)

// columns are services as they were read, of which it is not known yet where they belong.
type columns struct {
	slots            []Slot // sorted
	states           []byte
	digits           []byte      // of the definitions that are still to be read
	defs             []db.Digest // zero: none
	since, at        []int64
	by               []Slot
	causes, commands []uint32 // places in texts
	texts            []string
	rests            []serviceRest
}

// serviceRest is what a service has beside the columns.
type serviceRest struct {
	place int
	Service
}

// columns takes the rest of the columns of services.
func (s *scanner) columns() (c columns) {
	s.lit(`"slots":[`)
	c.slots = s.slots()
	s.many = len(c.slots)
	s.lit(`,"states":"`)
	c.states = s.bytes()
	s.lit(`,"defs":"`)
	c.digits = s.digits()
	s.lit(`,"since":[`)
	c.since = list(s, s.int)
	s.lit(`,"at":[`)
	c.at = list(s, s.int)
	s.lit(`,"by":[`)
	c.by = s.slots()
	s.lit(`,"causes":[`)
	c.causes = s.places()
	s.lit(`,"commands":[`)
	c.commands = s.places()
	s.many = 0
	s.lit(`,"texts":[`)
	c.texts = s.names()
	if s.opt(`,"rest":{`) {
		c.rests = s.rests(c.slots)
	}
	s.lit(`}`)
	for _, n := range []int{len(c.states), len(c.since), len(c.at), len(c.by), len(c.causes), len(c.commands)} {
		s.bad = s.bad || n != len(c.slots)
	}
	return c
}

// places takes the rest of a list of small numbers.
func (s *scanner) places() []uint32 { return list(s, func() uint32 { return uint32(s.slot()) }) }

// rows are the columns of services, once it is known which row belongs to which place in
// a folder.
type rows struct {
	*columns         // nil: there are none
	of       []int32 // the row of each place, and 1; 0 is none
}

func (r rows) standing(place int) (up, wanted bool) {
	i := r.of[place] - 1
	if i < 0 {
		return false, false
	}
	state := r.states[i] - '0'
	return state&stateUp != 0, state&stateWanted != 0
}

// service makes the service in a place.
func (r rows) service(place int) Service {
	i := r.of[place] - 1
	if i < 0 {
		return Service{}
	}
	up, wanted := r.standing(place)
	return Service{
		Wanted: wanted, Up: up, Def: r.defs[i],
		Since: fromNanos(r.since[i]), At: fromNanos(r.at[i]), By: r.by[i],
		Cause: r.texts[r.causes[i]], Command: r.texts[r.commands[i]],
	}
}

// fill gives what was read to a folder. It reports false if that does not know them or
// there is anything else that is not written so.
func (c *columns) fill(f *Folder) bool {
	c.states = bytes.Clone(c.states) // the input is large
	c.defs = make([]db.Digest, len(c.slots))
	addUp(c.since, c.at)
	f.rows.columns = c
	for i, slot := range c.slots {
		place, ok := f.index.find(slot)
		if !ok || i > 0 && slot <= c.slots[i-1] || !c.check(i) {
			return false
		}
		f.rows.of[place] = int32(i) + 1
	}
	for _, r := range c.rests {
		f.update(c.slots[r.place], Record{}, func(v *Service) { v.add(r.Service) })
	}
	for i, slot := range c.slots {
		if state := c.states[i] - '0'; state&(stateWanted|stateUp) == 0 && f.Service(slot) == (Service{}) { // would be left out
			return false
		}
	}
	return len(c.digits) == 0
}

// check says whether the i-th service can be made, and reads its definition, which takes
// its digits from the others.
func (c *columns) check(i int) bool {
	state := c.states[i] - '0'
	if state >= stateEnd || int(c.causes[i]) >= len(c.texts) || int(c.commands[i]) >= len(c.texts) {
		return false
	}
	if state&stateKnown == 0 {
		return true
	}
	const digits = 2 * len(db.Digest{})
	if len(c.digits) < digits || !unhex(c.defs[i][:], c.digits) {
		return false
	}
	c.digits = c.digits[digits:]
	return true
}

// rests takes the rest of an object with what has no column.
func (s *scanner) rests(slots []Slot) (rests []serviceRest) {
	for comma := ""; !s.bad && !s.opt(`}`); comma = "," {
		s.lit(comma + `"`)
		i, ok := slices.BinarySearch(slots, s.slot())
		s.lit(`":{`)
		if s.bad = s.bad || !ok; s.bad {
			return nil
		}
		rests = append(rests, serviceRest{i, s.rest()})
	}
	return rests
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
