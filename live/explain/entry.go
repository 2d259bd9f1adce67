package explain

import (
	"fmt"
	"strings"
	"time"

	"strata/live"
	"strata/live/journal"
)

// Entry is what a record of the journal tells.
type Entry struct {
	Seq   uint64
	At    time.Time
	Kind  journal.Kind
	Cause string
	// Slots are the services it is about, Names their names at that time. Records about
	// the whole directory have none.
	Slots []live.Slot
	Names []string
	// By is the name of the service that the event names as the reason, or empty.
	By string
	// Event is the record's own.
	Event journal.Event
}

// Teller makes entries of records. It takes all records in their order, since names
// and what a command is about stand in earlier ones. Its zero value is ready.
type Teller struct {
	names map[live.Slot]string
	// run are the services of the command under way, and of the last one.
	run []live.Slot
}

// Tell takes the next record.
func (t *Teller) Tell(r journal.Record) Entry {
	e := Entry{Seq: r.Seq, At: r.At, Kind: r.Kind(), Cause: r.Cause, Event: r.Event}
	var by live.Slot
	switch v := r.Event.(type) {
	case journal.Init:
		t.learn(v.Table)
	case journal.Snapshot:
		t.learn(v.State.Table)
		if p := v.State.Patch; p != nil {
			t.learn(p.OldTable)
			t.learn(p.Table)
		}
		if v.State.Run != nil {
			t.run = v.State.Run.Slots
		}
	case journal.Switch:
		t.learn(v.Table)
	case journal.PatchBegin:
		t.learn(v.Table)
	case journal.Want:
		e.Slots = v.Slots
	case journal.Run:
		t.run, e.Slots = v.Slots, v.Slots
	case journal.RunEnd:
		e.Slots = t.run
	case journal.Begin:
		e.Slots = []live.Slot{v.Slot}
	case journal.Up:
		e.Slots, by = []live.Slot{v.Slot}, v.By
	case journal.Down:
		e.Slots, by = []live.Slot{v.Slot}, v.By
	case journal.Failed:
		e.Slots, by = []live.Slot{v.Slot}, v.By
	case journal.Skipped:
		e.Slots, by = []live.Slot{v.Slot}, v.By
	case journal.Reloaded:
		e.Slots = []live.Slot{v.Slot}
	case journal.Observed:
		e.Slots = []live.Slot{v.Slot}
	case journal.Redefined:
		e.Slots = []live.Slot{v.Slot}
	}
	for _, slot := range e.Slots {
		e.Names = append(e.Names, t.Name(slot))
	}
	if by != 0 {
		e.By = t.Name(by)
	}
	return e
}

func (t *Teller) learn(table journal.Table) {
	if t.names == nil {
		t.names = make(map[live.Slot]string, len(table))
	}
	for _, e := range table {
		t.names[e.Slot] = e.Name
	}
}

// Name is the name of the service with a slot, as of the last record.
func (t *Teller) Name(slot live.Slot) string {
	if name, ok := t.names[slot]; ok {
		return name
	}
	return fmt.Sprintf("(slot %d)", slot)
}

// About says whether an entry is about one of the services.
func (e Entry) About(slots map[live.Slot]bool) bool {
	for _, slot := range e.Slots {
		if slots[slot] {
			return true
		}
	}
	return false
}

// Text is the entry in words, without its time and number: "web: is up (needed by
// site)".
func (e Entry) Text() string {
	text, because := e.text(), e.Cause
	if because == "" || e.Kind == journal.KindSkipped || e.Kind == journal.KindObserved {
		return text
	}
	return text + " (" + because + ")"
}

func (e Entry) text() string {
	switch v := e.Event.(type) {
	case journal.Init:
		return fmt.Sprintf("live directory made with %d services", len(v.Table))
	case journal.Snapshot:
		return "what was before is not kept"
	case journal.Want:
		if v.Up {
			return e.list() + ": wanted up"
		}
		return e.list() + ": no longer wanted up"
	case journal.Run:
		return fmt.Sprintf("%s begins: %s", v.Op, e.list())
	case journal.RunEnd:
		return "ended: " + v.Outcome
	case journal.Begin:
		return e.list() + ": " + phaseRuns(v.Phase)
	case journal.Up:
		return e.list() + ": is up"
	case journal.Down:
		return e.list() + ": is down"
	case journal.Failed:
		text := e.list() + ": cannot " + phaseOp(v.Phase) + ": " + v.Reason
		if v.Permanent {
			text += ", it gave up for good"
		}
		return text
	case journal.Skipped:
		return fmt.Sprintf("%s: cannot %s: %s failed", e.list(), phaseOp(v.Phase), e.By)
	case journal.Reloaded:
		return e.list() + ": was reloaded"
	case journal.Observed:
		return e.list() + ": observed: " + observed(v)
	case journal.Redefined:
		return e.list() + ": has a new definition"
	}
	return e.patchText()
}

// patchText is the text of what happens in an update.
func (e Entry) patchText() string {
	switch v := e.Event.(type) {
	case journal.Switch:
		return "switched to database " + v.Content.Short()
	case journal.PatchBegin:
		return fmt.Sprintf("patch begins: %d actions, from database %s to %s", v.Actions, v.Old.Short(), v.New.Short())
	case journal.PatchStep:
		if v.Failed != "" {
			return fmt.Sprintf("patch: action %d failed: %s", v.Action, v.Failed)
		}
		return fmt.Sprintf("patch: action %d done", v.Action)
	case journal.PatchTry:
		return fmt.Sprintf("patch: process %d applies it", v.PID)
	case journal.PatchAbort:
		return "patch: it is taken back"
	case journal.PatchEnd:
		return "patch " + string(v.Outcome)
	}
	return string(e.Kind)
}

func observed(v journal.Observed) string {
	switch {
	case v.What != "":
		return v.What
	case v.Up:
		return "up"
	}
	return "down"
}

// phaseRuns says that a oneshot's program runs.
func phaseRuns(p journal.Phase) string { return "runs its " + string(p) + " program" }

// list names the services of an entry, the first few.
func (e Entry) list() string {
	const most = 5
	if more := len(e.Names) - most; more > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(e.Names[:most], ", "), more)
	}
	return strings.Join(e.Names, ", ")
}

// History gives the entries of records that are about the services, all of them if
// slots is nil; of these the last n, or all if n is 0.
func History(records []journal.Record, slots map[live.Slot]bool, n int) []Entry {
	var t Teller
	var list []Entry
	for _, r := range records {
		if e := t.Tell(r); slots == nil || e.About(slots) {
			list = append(list, e)
		}
	}
	if n > 0 && len(list) > n {
		list = list[len(list)-n:]
	}
	return list
}
