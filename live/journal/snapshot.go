package journal

import (
	"bytes"
	"encoding/json"
	"math"
	"time"
)

// restored is a [Snapshot] that was folded as it was read: a map of its services
// would be made only to be read once.
type restored struct{ folder *Folder }

func (restored) kind() Kind { return KindSnapshot }

// snapshot takes the rest of a snapshot's data, of which the opening brace was taken.
func (s *scanner) snapshot() restored {
	var state State
	s.lit(`"state":{`)
	state.Epoch = s.epoch()
	s.lit(`,"seq":`)
	state.Seq = s.uint(math.MaxUint64)
	s.lit(`,"content":"`)
	state.Content = s.digest()
	s.lit(`,"table":`)
	state.Table = s.table()
	s.lit(`,"next_slot":`)
	state.NextSlot = s.slot()
	s.lit(`,"services":{`)
	f := &Folder{state: state}
	f.learn()
	s.services(f)
	if s.opt(`,"run":{`) {
		f.state.Run = s.runState()
	}
	s.others(&f.state)
	s.lit(`}}`)
	if f.state.Patch != nil {
		f.learn()
	}
	return restored{f}
}

// services takes the rest of an object of services that f knows.
func (s *scanner) services(f *Folder) {
	if s.opt(`}`) {
		return
	}
	var before Service
	for !s.bad {
		s.lit(`"`)
		i, ok := f.index.find(s.slot())
		s.lit(`":{`)
		if s.bad = s.bad || !ok; s.bad {
			return
		}
		v := &f.services[i]
		*v = Service{}
		s.service(v, &before)
		before = *v
		s.bad = s.bad || before == Service{} // would be left out
		if s.opt(`}`) {
			return
		}
		s.lit(`,`)
	}
}

// service takes the rest of a service, which is often much like the one before.
func (s *scanner) service(v, before *Service) {
	comma := 1
	// has takes the beginning of a field, or all of it.
	has := func(text string) bool {
		if s.opt(text[comma:]) {
			comma = 0
			return true
		}
		return false
	}
	v.Wanted = has(`,"wanted":true`)
	v.Up = has(`,"up":true`)
	v.Unknown = has(`,"unknown":true`)
	if has(`,"pending":"`) {
		v.Pending = s.phase()
	}
	if has(`,"begun":`) {
		v.Begun = time.Duration(s.int())
	}
	if has(`,"def":"`) {
		v.Def = s.digest()
	}
	if has(`,"redefined":`) {
		v.Redefined = time.Duration(s.int())
	}
	if has(`,"since":`) {
		v.Since = s.time()
	}
	if has(`,"at":`) {
		v.At = s.time()
	}
	if has(`,"cause":"`) {
		v.Cause = s.same(before.Cause)
	}
	if has(`,"by":`) {
		v.By = s.slot()
	}
	if has(`,"command":"`) {
		v.Command = s.same(before.Command)
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
}

// runState takes the rest of a command under way.
func (s *scanner) runState() *RunState {
	r := &RunState{Run: s.runFields(), Left: make(map[Slot]bool)}
	s.lit(`,"cause":"`)
	r.Cause = s.text()
	s.lit(`,"at":`)
	r.At = s.time()
	s.lit(`,"left":{`)
	for comma := ""; !s.bad && !s.opt(`}`); comma = "," {
		s.lit(comma + `"`)
		slot := s.slot()
		s.lit(`":true`)
		r.Left[slot] = true
	}
	s.lit(`}`)
	return r
}

// others takes what else may stand behind the services in a state, which is seldom
// much.
func (s *scanner) others(to *State) {
	if s.bad || !bytes.HasPrefix(s.b, []byte(",")) {
		return
	}
	end := bytes.LastIndex(s.b, []byte(`}}`)) - 1 // of the record, the event and the state
	if end < 0 {
		s.bad = true
		return
	}
	text := append([]byte("{"), s.b[1:end]...)
	var fields struct {
		Patch     *Patch  `json:"patch"`
		LastPatch Outcome `json:"last_patch"`
	}
	d := json.NewDecoder(bytes.NewReader(append(text, '}')))
	d.DisallowUnknownFields()
	if err := d.Decode(&fields); err != nil || d.InputOffset() != int64(len(text)+1) {
		s.bad = true
		return
	}
	to.Patch, to.LastPatch = fields.Patch, fields.LastPatch
	s.b = s.b[end:]
}
