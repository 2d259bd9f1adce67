package live

import (
	"time"

	"strata/compile/db"
	"strata/live/journal"
	"strata/live/s6"
)

// State is what is known about a live directory at one moment: the journal's
// fold, and for longruns what s6 says.
type State struct {
	Epoch journal.Epoch
	Seq   uint64 // of the last record taken into account
	// Content is the content digest of the current database.
	Content db.Digest
	// Services holds the services of the current database, by ServiceID.
	Services []ServiceState
	// Next holds, while a patch is under way and before its switch, the services of
	// the new database, by their ServiceID there; after the switch those of the old
	// one that are not in the new. Services that keep their slot are in both.
	Next     []ServiceState
	NextSlot Slot
	Patch    *journal.Patch // nil when none is under way
	// LastPatch is how the last patch ended, empty if there was none.
	LastPatch journal.Outcome
}

// ServiceState is the state of one atomic service.
//
// For a oneshot the journal is the truth. For a longrun it is s6:
//
//   - It is Up if the journal saw it come up, or it is now running and ready (or
//     running, if it has no notification-fd), and its supervisor wants it up or its
//     process is running. So a daemon that crashed and is about to be started
//     again is up, as s6-rc has it; one that was stopped with s6-svc, gave up for
//     good, or has no supervisor is not.
//   - It is Starting if its supervisor wants it up and it is not Up.
//
// Observed is set where that differs from the journal.
type ServiceState struct {
	Slot Slot
	Name string
	Type db.Type
	// Wanted says that an operator or a patch asked for it by name, or for a bundle
	// that holds it, and has not asked for its stop since.
	Wanted bool
	Up     bool
	// Unknown is set for a oneshot whose last transition has no known result: it
	// counts as up for a stop and as down for a start.
	Unknown bool
	// Pending is the phase of a oneshot that was begun and not ended: its writer
	// died, and the runner may hold the result.
	Pending journal.Phase
	// Def is the definition that what runs was started with; zero if nothing runs.
	Def   db.Digest
	Since time.Time // when Up last changed
	// Cause is why, as the journal has it. Failure is the reason of the last
	// transition if that failed.
	Cause, Failure string

	// For longruns.
	Supervised bool
	Starting   bool
	Observed   bool      // Up is not what the journal has
	Status     s6.Status // zero if there is no status
}
