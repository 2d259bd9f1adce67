package journal

import (
	"time"

	"strata/compile/db"
)

// State is what the journal knows after its last record.
type State struct {
	Epoch    Epoch     `json:"epoch"`
	Seq      uint64    `json:"seq"`     // of the last record
	Content  db.Digest `json:"content"` // of the current database
	Table    Table     `json:"table"`   // of the current database
	NextSlot Slot      `json:"next_slot"`
	// Services holds the services of which anything is known but that they are down
	// and not wanted.
	Services Services `json:"services"`
	// Run is the command under way, nil when there is none; one whose process is
	// gone was killed.
	Run *RunState `json:"run,omitempty"`
	// Patch is the patch under way, nil when there is none. During one the slots of
	// both its tables are known.
	Patch *Patch `json:"patch,omitempty"`
	// LastPatch is how the last patch ended; empty if there was none.
	LastPatch Outcome `json:"last_patch,omitempty"`
}

// Service is what the journal knows of one service.
type Service struct {
	Wanted  bool `json:"wanted,omitempty"`
	Up      bool `json:"up,omitempty"`
	Unknown bool `json:"unknown,omitempty"`
	// Pending is the phase that was begun and has not ended, or empty.
	Pending Phase `json:"pending,omitempty"`
	// Begun is when that was, after boot.
	Begun time.Duration `json:"begun,omitempty"`
	// Def is the definition that the service came up with; zero if it is down.
	Def db.Digest `json:"def,omitzero"`
	// Redefined is when its definition was last switched while it was up, after
	// boot; 0 if it was not since it came up.
	Redefined time.Duration `json:"redefined,omitempty"`
	// Since is when Up last changed, At when something was last begun, done, failed,
	// skipped or observed.
	Since time.Time `json:"since,omitzero"`
	At    time.Time `json:"at,omitzero"`
	// Cause is the cause of the last record about the service that is not of a
	// reload, and By the service that it names, the next link of the chain that leads to who asked for it.
	// Command is the cause of the run in which that happened.
	Cause   string `json:"cause,omitempty"`
	By      Slot   `json:"by,omitempty"`
	Command string `json:"command,omitempty"`
	// Failure is the reason of the last failed transition, Failed its phase; a
	// transition that succeeds clears them. Permanent and Skipped are as in
	// [Failed] and [Skipped]: By is what failed then.
	Failure   string `json:"failure,omitempty"`
	Failed    Phase  `json:"failed,omitempty"`
	Permanent bool   `json:"permanent,omitempty"`
	Skipped   bool   `json:"skipped,omitempty"`
	// Observed is what was found, if the last that was told of it is an [Observed].
	Observed string `json:"observed,omitempty"`
}

// RunState is a command under way.
type RunState struct {
	Run
	Cause string    `json:"cause"`
	At    time.Time `json:"at"`
	// Left are the services of which nothing has been told since.
	Left map[Slot]bool `json:"left"`
}

// Patch is a patch that is under way.
type Patch struct {
	Patch    db.Digest `json:"patch"`
	Old      db.Digest `json:"old"`
	New      db.Digest `json:"new"`
	OldTable Table     `json:"old_table"`
	Table    Table     `json:"table"` // the new one
	NextSlot Slot      `json:"next_slot"`
	Actions  int       `json:"actions"`
	Begun    time.Time `json:"begun"`
	Cause    string    `json:"cause,omitempty"`
	// Limit and Aborts are those of [PatchBegin]. Aborting is set once the patch is
	// being taken back.
	Limit    time.Duration `json:"limit,omitempty"`
	Aborts   bool          `json:"aborts,omitempty"`
	Aborting bool          `json:"aborting,omitempty"`
	// Tries is how often a process has begun to apply it since somebody asked for that,
	// Again says that it was asked for again; PID and Start are the last one, as in [Run].
	Again bool   `json:"again,omitempty"`
	Tries int    `json:"tries,omitempty"`
	PID   int    `json:"pid,omitempty"`
	Start uint64 `json:"start,omitempty"`
	// Switched is set once the Switch record was written.
	Switched bool           `json:"switched,omitempty"`
	Done     []int          `json:"done,omitempty"`   // actions done, in the order they were
	Failed   map[int]string `json:"failed,omitempty"` // actions that failed
}
