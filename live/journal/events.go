package journal

import (
	"time"

	"strata/compile/db"
)

// Slot is the number of a service in one live directory. It is given once and
// never again, so that it means the same service across renames and databases.
// 0 is no slot.
type Slot uint32

// Epoch tells one life of a supervision tree from every other. A live directory
// with another epoch than the running s6-svscan's is stale: nothing in it may be
// believed.
type Epoch struct {
	Boot string `json:"boot"` // the kernel's boot id
	PID  int    `json:"pid"`  // of s6-svscan
	// Start is when s6-svscan was started, in clock ticks after boot.
	Start uint64 `json:"start"`
}

// Phase is what is done to a service.
type Phase string

// The phases.
const (
	PhaseUp     Phase = "up"
	PhaseDown   Phase = "down"
	PhaseReload Phase = "reload"
)

// Event is what a record tells. The types are those of this package that are
// listed in [Kinds].
type Event interface {
	kind() Kind
}

// Kind is the name of an event's type in the file.
type Kind string

// The kinds of events.
const (
	KindInit       Kind = "init"
	KindWant       Kind = "want"
	KindRun        Kind = "run"
	KindRunEnd     Kind = "run-end"
	KindBegin      Kind = "begin"
	KindUp         Kind = "up"
	KindDown       Kind = "down"
	KindFailed     Kind = "failed"
	KindSkipped    Kind = "skipped"
	KindReloaded   Kind = "reloaded"
	KindObserved   Kind = "observed"
	KindRedefined  Kind = "redefined"
	KindSwitch     Kind = "switch"
	KindPatchBegin Kind = "patch-begin"
	KindPatchTry   Kind = "patch-try"
	KindPatchStep  Kind = "patch-step"
	KindPatchAbort Kind = "patch-abort"
	KindPatchEnd   Kind = "patch-end"
	KindSnapshot   Kind = "snapshot"
)

// Init begins a live directory: every service of the table is down and not
// wanted.
type Init struct {
	Epoch    Epoch     `json:"epoch"`
	Content  db.Digest `json:"content"` // of the database
	Table    Table     `json:"table"`
	NextSlot Slot      `json:"next_slot"` // the lowest never given
}

// Want records what was asked for: these services are wanted up, or no longer.
// Only what an operator or a patch names is recorded, not what a dependency pulls
// in, and a full stop of the machine records nothing.
type Want struct {
	Slots []Slot `json:"slots"`
	Up    bool   `json:"up"`
}

// Run says that a command begins to move services, or to reload them. What has
// not been told of them when its process is gone was never begun, or is pending.
type Run struct {
	Op string `json:"op"` // "start", "stop", "restart" or "reload"
	// PID and Start are the process and when it was started, in clock ticks after
	// boot: together they tell whether it is still at work.
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
	// Slots are the services that are to be moved.
	Slots []Slot `json:"slots"`
}

// RunEnd says that the command of the last [Run] is over.
type RunEnd struct {
	// Outcome is "done", or what went wrong, for people.
	Outcome string `json:"outcome"`
}

// Begin says that a transition has been started. For a oneshot it is written
// before the runner is asked, so that whoever comes after a crash knows of a
// result to fetch.
type Begin struct {
	Slot  Slot  `json:"slot"`
	Phase Phase `json:"phase"`
}

// Up says that a service came up: a longrun is ready (or, without a
// notification-fd, running), a oneshot's up program has succeeded.
type Up struct {
	Slot Slot `json:"slot"`
	// Def is the definition it came up with.
	Def db.Digest `json:"def"`
	// By is the service that pulled this one in, 0 if it was asked for.
	By Slot `json:"by,omitempty"`
}

// Down says that a service was brought down.
type Down struct {
	Slot Slot `json:"slot"`
	// By is the service that took this one with it, 0 if it was asked for.
	By Slot `json:"by,omitempty"`
}

// Failed says that a transition did not succeed. After a failed up a longrun has
// been told to stop; after a failed up or down a oneshot is as it was.
type Failed struct {
	Slot  Slot  `json:"slot"`
	Phase Phase `json:"phase"`
	// Reason is for people: "exit 1", "timed out after 30 s".
	Reason string `json:"reason"`
	// Unknown is set for a oneshot whose result was lost: it counts as up for a
	// stop and as down for a start.
	Unknown bool `json:"unknown,omitempty"`
	// Permanent is set for a longrun whose finish exited 125: its supervisor does
	// not try again, and no file of s6's says so.
	Permanent bool `json:"permanent,omitempty"`
	// By is the service that pulled this one in, 0 if it was asked for.
	By Slot `json:"by,omitempty"`
}

// Skipped says that a transition was not tried, because that of another service,
// By, failed or was skipped itself.
type Skipped struct {
	Slot  Slot  `json:"slot"`
	Phase Phase `json:"phase"`
	By    Slot  `json:"by"`
}

// Reloaded says that a service was told to read its configuration again: a
// longrun was sent its signal, a oneshot's reload program has succeeded.
type Reloaded struct {
	Slot Slot `json:"slot"`
}

// Observed says that a longrun was found other than the journal had it: somebody
// used s6-svc, or it gave up for good.
type Observed struct {
	Slot Slot   `json:"slot"`
	Up   bool   `json:"up"`
	What string `json:"what,omitempty"` // for people
}

// Redefined says that the definition link of a service was switched.
type Redefined struct {
	Slot Slot      `json:"slot"`
	Def  db.Digest `json:"def"` // the new one
}

// Switch says that the live directory now follows another database. Services
// whose slot is not in the table are forgotten, slots that are new in it are
// down; all others keep their state.
type Switch struct {
	Content  db.Digest `json:"content"`
	Table    Table     `json:"table"`
	NextSlot Slot      `json:"next_slot"`
	// Same says that the table is the one before, and left out: [Writer.Append] sees to
	// that, as a journal should not grow by thousands of names for one new program.
	Same bool `json:"same,omitempty"`
}

// PatchBegin says that a patch is about to be applied. It holds the new table,
// so that whoever resumes uses the same slots.
type PatchBegin struct {
	// Patch is the digest of the patch's text, which the live directory keeps.
	Patch    db.Digest `json:"patch"`
	Old      db.Digest `json:"old"`
	New      db.Digest `json:"new"`
	Table    Table     `json:"table"`
	NextSlot Slot      `json:"next_slot"`
	Actions  int       `json:"actions"`
	// Limit is how long all of it may take, 0 for as long as it likes.
	Limit time.Duration `json:"limit,omitempty"`
	// Aborts says that this patch takes back the one before, which was switched
	// already: it ends as aborted.
	Aborts bool `json:"aborts,omitempty"`
	// Same says that the new table is the current one, and left out, as in [Switch].
	Same bool `json:"same,omitempty"`
}

// PatchTry says that a process begins, or begins again, to apply the patch under
// way; or, without a process, that somebody asks the applier to.
type PatchTry struct {
	// PID and Start are as in [Run], or 0.
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
}

// PatchAbort says that the patch under way, which was not switched yet, is taken
// back.
type PatchAbort struct{}

// PatchStep says that one action of the patch is done, or with Failed set that it
// was tried and failed.
type PatchStep struct {
	Action int    `json:"action"` // its seq in the patch
	Failed string `json:"failed,omitempty"`
}

// Outcome is how a patch ended.
type Outcome string

// The outcomes.
const (
	Applied             Outcome = "applied"
	AppliedWithFailures Outcome = "applied with failures"
	Aborted             Outcome = "aborted"
	AbortedWithFailures Outcome = "aborted with failures"
)

// PatchEnd says that the patch is over.
type PatchEnd struct {
	Outcome Outcome `json:"outcome"`
	// TimedOut says that the limit of the whole was what ended it.
	TimedOut bool `json:"timed_out,omitempty"`
}

// Snapshot is the fold of all records before it.
type Snapshot struct {
	State State `json:"state"`
}

func (Init) kind() Kind       { return KindInit }
func (Want) kind() Kind       { return KindWant }
func (Run) kind() Kind        { return KindRun }
func (RunEnd) kind() Kind     { return KindRunEnd }
func (Begin) kind() Kind      { return KindBegin }
func (Up) kind() Kind         { return KindUp }
func (Down) kind() Kind       { return KindDown }
func (Failed) kind() Kind     { return KindFailed }
func (Skipped) kind() Kind    { return KindSkipped }
func (Reloaded) kind() Kind   { return KindReloaded }
func (Observed) kind() Kind   { return KindObserved }
func (Redefined) kind() Kind  { return KindRedefined }
func (Switch) kind() Kind     { return KindSwitch }
func (PatchBegin) kind() Kind { return KindPatchBegin }
func (PatchTry) kind() Kind   { return KindPatchTry }
func (PatchStep) kind() Kind  { return KindPatchStep }
func (PatchAbort) kind() Kind { return KindPatchAbort }
func (PatchEnd) kind() Kind   { return KindPatchEnd }
func (Snapshot) kind() Kind   { return KindSnapshot }

// Record is one line of the journal.
type Record struct {
	Seq   uint64
	At    time.Time     // by the wall clock
	Boot  time.Duration // since the machine booted, suspension included
	Cause string        // why, for people; empty if the event says it all
	Event Event
}

// Kind is the kind of the record's event.
func (r Record) Kind() Kind { return r.Event.kind() }
