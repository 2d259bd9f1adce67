package journal

import (
	"bytes"
	"encoding/json"
	"math"
	"runtime"
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
	table := s.until(`,"next_slot":`)
	state.NextSlot = s.slot()
	f := &Folder{state: state}
	learnt := beside(len(table), func() bool { return f.takeTable(table) })
	s.lit(`,"services":{`)
	services := s.columns()
	s.bad = !learnt() || s.bad || !services.fill(f)
	if s.opt(`,"run":{`) {
		f.resume(s.runState())
	}
	if s.opt(`,"last_patch":"`) {
		f.state.LastPatch = Outcome(s.text())
	}
	s.others(&f.state)
	s.lit(`}}`)
	if f.state.Patch != nil {
		f.learn()
	}
	return restored{f}
}

// takeTable learns the services of a table. It reports false if that is written in
// another way.
func (f *Folder) takeTable(text []byte) bool {
	s := scanner{b: text}
	f.state.Table = s.table()
	f.learn()
	return s.done()
}

// beside does something beside its caller, until that asks how it ended, if there is
// another processor and size says that it is worth that. Else it does it at once.
func beside(size int, do func() bool) (ended func() bool) {
	const enough = 64 << 10
	if size < enough || runtime.GOMAXPROCS(0) < 2 {
		ok := do()
		return func() bool { return ok }
	}
	done := make(chan bool, 1)
	go func() { done <- do() }()
	return func() bool { return <-done }
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
