package watch

import (
	"time"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
)

// Goal is what services are waited to be.
type Goal uint8

// The goals.
const (
	// Up: a oneshot is up; a longrun runs, is ready if it says so, and was not told
	// to stop.
	Up Goal = iota + 1
	// Down: nothing of it runs, and its supervisor is not going to start it.
	Down
	// Restarted: up, by another start than before.
	Restarted
)

// String names the goal.
func (g Goal) String() string {
	switch g {
	case Down:
		return "down"
	case Restarted:
		return "restarted"
	}
	return "up"
}

// look is what is known of a service at one moment of the wait.
type look struct {
	live.ServiceState
	readiness bool // it says when it is ready
	gaveUp    bool // its supervisor said so during the wait
	busy      bool // a command is at work on it, or is going to be
}

// start tells one start of a service from another.
func (l look) start() time.Time {
	if l.Type == db.Longrun && l.Supervised {
		return l.Status.Stamp.Time()
	}
	return l.Since
}

// up says whether what needs the service can use it.
func (l look) up() bool {
	if l.Type == db.Longrun && l.Supervised {
		return l.Status.Up() && l.Status.WantUp && (l.Status.Ready || !l.readiness)
	}
	return l.Up && !l.Unknown && l.Pending == ""
}

func (l look) down() bool {
	if l.Type == db.Longrun && l.Supervised {
		return l.Status.DownReady() && !l.Status.WantUp
	}
	return !l.Up && !l.Unknown && l.Pending == ""
}

// reached says whether the goal is. before is the start that counted when the wait
// began, zero if the service was not up then.
func (g Goal) reached(l look, before time.Time) bool {
	switch g {
	case Down:
		return l.down()
	case Restarted:
		return l.up() && !l.start().Equal(before)
	}
	return l.up()
}

// hopeless says why the goal cannot be reached any more: its transition has failed,
// and nobody is at work on it. It is empty where it can.
func (g Goal) hopeless(l look) string {
	phase := journal.PhaseUp
	if g == Down {
		phase = journal.PhaseDown
	}
	atWork := l.busy || l.Pending != "" || l.Starting
	switch {
	case atWork:
		return ""
	case g != Down && (l.gaveUp || l.Permanent) && !l.Up:
		return "it gave up for good"
	case l.Failed != phase || l.Up == (phase == journal.PhaseUp):
		return ""
	case l.Skipped:
		return "it was skipped: " + l.Failure
	case l.Failure != "":
		return "it failed: " + l.Failure
	}
	return ""
}
