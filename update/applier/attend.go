package applier

import (
	"context"
	"errors"

	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
	"strata/live/watch"
)

// ErrGone says that nobody applies the patch that is under way.
var ErrGone = errors.New("the update is half applied, and nobody goes on with it: rc-update --resume does, --abort takes it back")

// Ending is how an update ended.
type Ending struct {
	Outcome  journal.Outcome
	TimedOut bool
	// Failed are the services that could not be moved, in the order in which that
	// was told.
	Failed []live.Slot
}

// Switched says whether the new database counts now.
func (e Ending) Switched() bool {
	return e.Outcome == journal.Applied || e.Outcome == journal.AppliedWithFailures
}

// Attend tells what happens to the patch under way, record by record, from the one
// that begins it on, until it has ended. It needs no lock. The error is [ErrGone], the
// cause of ctx's end, or that of reading the journal. Without a patch under way the
// ending is that of the last one, of which only the outcome is known.
func Attend(ctx context.Context, d *live.Dir, tell func(journal.Record)) (Ending, error) {
	tail := journal.NewTail(d.JournalPath())
	defer tail.Close()
	return follow(ctx, d, tail, attendant{tell: tell})
}

// AttendFrom is [Attend] for who knows the journal's head from before the patch was
// begun, and has a tail of what came after it.
func AttendFrom(ctx context.Context, d *live.Dir, head journal.State, tail *journal.Tail, tell func(journal.Record)) (Ending, error) {
	a := attendant{tell: tell, begun: true}
	// Only patches are followed: without a table nothing is kept of any service.
	head.Table = nil
	a.fold.Apply(journal.Record{Seq: head.Seq, Event: journal.Snapshot{State: head}})
	return follow(ctx, d, tail, a)
}

func follow(ctx context.Context, d *live.Dir, tail *journal.Tail, a attendant) (Ending, error) {
	feed, err := watch.Open(d)
	if err != nil {
		return Ending{}, err
	}
	defer feed.Close()
	if _, err := feed.Listen(live.ApplierSlot); err != nil {
		return Ending{}, err
	}
	for {
		// The order matters: what a dead applier has written stands in the journal.
		alive := works(d, a.fold.Head().Patch)
		records, err := tail.Next()
		if err != nil {
			return a.ending, err
		}
		a.take(records)
		switch under := a.fold.Head().Patch; {
		case under == nil && alive: // it tidies up, and gives the lock back
		case under == nil:
			a.ending.Outcome = a.fold.Head().LastPatch
			return a.ending, nil
		case !alive:
			return a.ending, ErrGone
		}
		if _, err := feed.Next(ctx); err != nil {
			return a.ending, err
		}
	}
}

// works says whether somebody applies the patch, or is about to.
func works(d *live.Dir, under *journal.Patch) bool {
	if under != nil && live.Running(journal.Run{PID: under.PID, Start: under.Start}) {
		return true
	}
	st, err := s6.ReadStatus(d.Servicedir(live.ApplierSlot))
	return err == nil && (st.WantUp || !st.DownReady())
}

// attendant is what [Attend] knows.
type attendant struct {
	tell   func(journal.Record)
	fold   journal.Folder
	begun  bool // the patch that is looked on has
	ending Ending
}

func (a *attendant) take(records []journal.Record) {
	skip := 0
	if !a.begun {
		a.begun = true
		skip = lastBegin(records)
	}
	for i, r := range records {
		a.fold.Apply(r)
		if i >= skip {
			a.note(r)
			a.tell(r)
		}
	}
}

// lastBegin is the place of the record from which on the last patch is told, with the
// one that takes it back.
func lastBegin(records []journal.Record) int {
	for i := len(records) - 1; i >= 0; i-- {
		switch e := records[i].Event.(type) {
		case journal.PatchBegin:
			if !e.Aborts {
				return i
			}
		case journal.Snapshot:
			return i
		}
	}
	return len(records)
}

// note takes note of what belongs to the ending.
func (a *attendant) note(r journal.Record) {
	switch e := r.Event.(type) {
	case journal.Failed:
		a.ending.Failed = append(a.ending.Failed, e.Slot)
	case journal.PatchEnd:
		a.ending.TimedOut = e.TimedOut
	}
}
