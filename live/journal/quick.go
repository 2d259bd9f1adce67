package journal

import (
	"math"
	"time"
)

// quickRecord reads the JSON of a record of the kinds that there are many of, or that
// are long. It is no other format: what it does not take, and it may refuse anything,
// decodeRecord does, which would read the same from what it takes.
func quickRecord(text []byte, cause string, clock *calendar) (r Record, ok bool) {
	s := scanner{b: text, clock: clock}
	s.lit(`{"at":`)
	r.At = s.time()
	s.lit(`,"boot":`)
	r.Boot = time.Duration(s.int())
	if s.opt(`,"cause":"`) {
		r.Cause = s.same(cause)
	}
	s.lit(`,"kind":"`)
	kind := s.bytes()
	s.lit(`,"data":{`)
	if s.bad {
		return r, false
	}
	switch Kind(kind) {
	case KindUp:
		r.Event = s.up()
	case KindDown:
		r.Event = s.down()
	case KindBegin:
		r.Event = s.begin()
	case KindWant:
		r.Event = s.want()
	case KindRun:
		r.Event = s.run()
	case KindRunEnd:
		r.Event = s.runEnd()
	case KindInit:
		r.Event = s.init()
	case KindSwitch:
		r.Event = s.switched()
	case KindPatchBegin:
		r.Event = s.patchBegin()
	case KindSnapshot:
		r.Event = s.snapshot()
	default:
		return r, false
	}
	s.lit(`}`) // of the record
	return r, s.done()
}

// Each of these takes the rest of an event, of which the opening brace was taken.

func (s *scanner) up() (e Up) {
	s.lit(`"slot":`)
	e.Slot = s.slot()
	s.lit(`,"def":"`)
	e.Def = s.digest()
	e.By = s.by()
	return e
}

func (s *scanner) down() (e Down) {
	s.lit(`"slot":`)
	e.Slot = s.slot()
	e.By = s.by()
	return e
}

// by takes the end of an event that may say which service caused it.
func (s *scanner) by() (by Slot) {
	if s.opt(`,"by":`) {
		by = s.slot()
	}
	s.lit(`}`)
	return by
}

func (s *scanner) begin() (e Begin) {
	s.lit(`"slot":`)
	e.Slot = s.slot()
	s.lit(`,"phase":"`)
	e.Phase = s.phase()
	s.lit(`}`)
	return e
}

func (s *scanner) want() (e Want) {
	s.lit(`"slots":[`)
	e.Slots = s.slots()
	s.lit(`,"up":`)
	e.Up = s.bool()
	s.lit(`}`)
	return e
}

func (s *scanner) run() Run {
	e := s.runFields()
	s.lit(`}`)
	return e
}

func (s *scanner) runFields() (e Run) {
	s.lit(`"op":"`)
	e.Op = s.text()
	s.lit(`,"pid":`)
	e.PID = int(s.int())
	s.lit(`,"start":`)
	e.Start = s.uint(math.MaxUint64)
	s.lit(`,"slots":[`)
	e.Slots = s.slots()
	return e
}

func (s *scanner) runEnd() (e RunEnd) {
	s.lit(`"outcome":"`)
	e.Outcome = s.text()
	s.lit(`}`)
	return e
}

func (s *scanner) init() (e Init) {
	e.Epoch = s.epoch()
	s.lit(`,"content":"`)
	e.Content = s.digest()
	s.lit(`,"table":`)
	e.Table = s.table()
	s.lit(`,"next_slot":`)
	e.NextSlot = s.slot()
	s.lit(`}`)
	return e
}

func (s *scanner) epoch() (e Epoch) {
	s.lit(`"epoch":{"boot":"`)
	e.Boot = s.text()
	s.lit(`,"pid":`)
	e.PID = int(s.int())
	s.lit(`,"start":`)
	e.Start = s.uint(math.MaxUint64)
	s.lit(`}`)
	return e
}

func (s *scanner) switched() (e Switch) {
	s.lit(`"content":"`)
	e.Content = s.digest()
	s.lit(`,"table":`)
	e.Table = s.table()
	s.lit(`,"next_slot":`)
	e.NextSlot = s.slot()
	e.Same = s.opt(`,"same":true`)
	s.lit(`}`)
	return e
}

func (s *scanner) patchBegin() (e PatchBegin) {
	s.lit(`"patch":"`)
	e.Patch = s.digest()
	s.lit(`,"old":"`)
	e.Old = s.digest()
	s.lit(`,"new":"`)
	e.New = s.digest()
	s.lit(`,"table":`)
	e.Table = s.table()
	s.lit(`,"next_slot":`)
	e.NextSlot = s.slot()
	s.lit(`,"actions":`)
	e.Actions = int(s.int())
	e.Same = s.opt(`,"same":true`)
	s.lit(`}`)
	return e
}

// phase takes the rest of a string that is one of the phases.
func (s *scanner) phase() Phase {
	text := s.bytes()
	for _, p := range [...]Phase{PhaseUp, PhaseDown, PhaseReload} {
		if string(text) == string(p) {
			return p
		}
	}
	s.bad = true
	return ""
}
