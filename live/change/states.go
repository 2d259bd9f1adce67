package change

import "fmt"

// State is where a service is.
type State uint8

// The states. Of a oneshot whose last result was lost nothing is known.
const (
	Down State = iota + 1
	Starting
	Up
	Stopping
	Unknown
	Reloading
)

// String names the state.
func (s State) String() string {
	switch s {
	case Down:
		return "down"
	case Starting:
		return "starting"
	case Up:
		return "up"
	case Stopping:
		return "stopping"
	case Unknown:
		return "unknown"
	case Reloading:
		return "reloading"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// Transient says that somebody is at work on the service.
func (s State) Transient() bool { return s == Starting || s == Stopping || s == Reloading }

// Move is what can happen to a service.
type Move uint8

// The moves. A start that fails leaves a service down, since a longrun is told to
// stop then; a stop that fails leaves it up, and so does a reload, however it ends.
const (
	BeginStart Move = iota + 1
	BeginStop
	Succeed
	Fail
	Lose // the result will never be known
	BeginReload
)

// String names the move.
func (m Move) String() string {
	switch m {
	case BeginStart:
		return "begin to start"
	case BeginStop:
		return "begin to stop"
	case Succeed:
		return "succeed"
	case Fail:
		return "fail"
	case Lose:
		return "lose the result"
	case BeginReload:
		return "begin to reload"
	}
	return fmt.Sprintf("move(%d)", uint8(m))
}

// moves is every transition there is.
var moves = map[State]map[Move]State{
	Down:      {BeginStart: Starting},
	Up:        {BeginStop: Stopping, BeginReload: Reloading},
	Unknown:   {BeginStart: Starting, BeginStop: Stopping},
	Starting:  {Succeed: Up, Fail: Down, Lose: Unknown},
	Stopping:  {Succeed: Down, Fail: Up, Lose: Unknown},
	Reloading: {Succeed: Up, Fail: Up, Lose: Up},
}

// After returns the state after a move. The error is a [*TransitionError].
func (s State) After(m Move) (State, error) {
	to, ok := moves[s][m]
	if !ok {
		return s, &TransitionError{From: s, Move: m}
	}
	return to, nil
}

// TransitionError says that a move does not exist in a state: a mistake of the
// engine, not of its user.
type TransitionError struct {
	Service string // empty if not known
	From    State
	Move    Move
}

// Error names the service, where it is and what it cannot do there.
func (e *TransitionError) Error() string {
	who := e.Service
	if who == "" {
		who = "a service"
	}
	return fmt.Sprintf("%s is %s and cannot %s", who, e.From, e.Move)
}
