package live

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	// Content is the content digest of the current database, Table its services.
	Content db.Digest
	Table   journal.Table
	// Services holds the services of the current database, by ServiceID.
	Services []ServiceState
	// Other holds, while a patch is under way, the services of the other database
	// by their ServiceID there: before the switch of the new one, after it of the old
	// one. Services that keep their slot are in both, and if all do they are one list.
	Other    []ServiceState
	NextSlot Slot
	Patch    *journal.Patch // nil when none is under way
	// LastPatch is how the last patch ended, empty if there was none.
	LastPatch journal.Outcome
	// Run is the command under way, nil if there is none; one that was killed stands
	// here too: see [State.Running].
	Run *journal.RunState
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
//   - It is Starting if its supervisor wants it up and it is not Up, or its
//     supervisor is gone and the next one will start it.
//
// Observed is set where Up differs from the journal.
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
	// Def is the definition that what is up was started with (see
	// [View.Definition]); zero if it is down.
	Def   db.Digest
	Since time.Time // when Up last changed
	// Cause is why, as the journal has it. By is the service that pulled it in or
	// took it along, 0 if it was asked for itself, and Command the command that did.
	Cause   string
	By      Slot
	Command string
	// Failure is the reason of the last transition if that failed or was not tried,
	// Failed its phase. It was not tried, because the service By failed, if Skipped is
	// set. Permanent says that its finish exited 125.
	Failure            string
	Failed             journal.Phase
	Permanent, Skipped bool
	// At is when something was last told of it, Noted what was found then, if it was
	// found other than the journal had it.
	At    time.Time
	Noted string

	// For longruns.
	Supervised bool
	Starting   bool
	Observed   bool
	Unmarked   bool      // it is known that there is no file down
	Found      string    // how, if Observed; see Observation
	Status     s6.Status // zero if there is no status
}

// Stopping says that a longrun counts as up only because its process has not ended
// yet: it was told to.
func (s ServiceState) Stopping() bool {
	return s.Type == db.Longrun && s.Up && s.Supervised && !s.Status.WantUp
}

// Running reports whether the command that [State.Run] names is still at work:
// otherwise it was killed.
func (s *State) Running() bool { return s.Run != nil && Running(s.Run.Run) }

// State reads the journal and asks s6. It needs no lock. Who may not read the
// supervisors' status gets the error fs.ErrPermission: the summary is for them
// (see [Dir.Summary]). It also reads a directory that must not be believed: see
// [Dir.Current].
func (d *Dir) State() (*State, error) {
	raw, err := journal.Open(d.JournalPath())
	if err != nil {
		return nil, damaged(err)
	}
	var known *journal.Folder
	present, err := d.askBeside(func() (err error) {
		known, err = raw.Fold()
		return err
	})
	if err != nil {
		return nil, damaged(err)
	}
	return d.join(known, present)
}

// Current is State, but that the error wraps [ErrStale] for a directory of an earlier
// life of the supervision tree.
func (d *Dir) Current() (*State, error) {
	s, err := d.State()
	if err != nil {
		return nil, err
	}
	if err := d.CheckEpoch(s.Epoch); errors.Is(err, ErrStale) {
		return nil, err
	}
	return s, nil
}

// join adds what s6 says to what the journal says.
func (d *Dir) join(known *journal.Folder, present *presence) (*State, error) {
	a, err := d.ask(present)
	if err != nil {
		return nil, err
	}
	defer a.close()
	return a.join(known)
}

func (a *asker) join(known *journal.Folder) (*State, error) {
	j := known.Head()
	s := &State{
		Epoch: j.Epoch, Seq: j.Seq, Content: j.Content, Table: j.Table, NextSlot: j.NextSlot,
		Patch: j.Patch, LastPatch: j.LastPatch, Run: j.Run,
	}
	a.present.reach(j.NextSlot)
	var err error
	if s.Services, err = a.services(known, j.Table); err != nil || j.Patch == nil {
		return s, err
	}
	other := j.Patch.Table
	if j.Patch.Switched {
		other = j.Patch.OldTable
	}
	if other.Same(j.Table) {
		s.Other = s.Services
		return s, nil
	}
	s.Other, err = a.services(known, other)
	return s, err
}

// service gives the state of one service.
func (a *asker) service(s *ServiceState, e journal.Entry, known journal.Service) error {
	*s = recorded(e, known)
	if e.Type != db.Longrun {
		return nil
	}
	err := a.look(s)
	if err != nil {
		return err
	}
	d := a.dir
	if s.Supervised {
		s.Status = d.lastWord(e.Slot, s.Status, known.Up)
	}
	st := s.Status
	s.Up = (st.WantUp || st.Up()) && (known.Up || st.UpReady() || st.Up() && !d.hasReadiness(e.Slot))
	s.Starting = st.WantUp && !s.Up || !s.Supervised && d.startsAgain(e.Slot)
	s.Observed = s.Up != known.Up
	switch {
	case !s.Up:
		s.Def = db.Digest{}
	case s.Observed, known.Redefined != 0 && st.Up() && startedAfter(st.PID, known.Redefined):
		s.Def, err = d.linkedDefinition(e.Slot)
	}
	if s.Observed || known.Observed != "" {
		// The journal has when it was found, if anything.
		if moved := movedAt(st); s.Observed || !moved.IsZero() {
			s.Since = moved
		}
	}
	if s.Observed {
		d.observe(s)
	}
	return err
}

// hasReadiness reports whether the service will say that it is ready. The
// supervisor asks the same file.
func (d *Dir) hasReadiness(s Slot) bool {
	_, err := os.Stat(filepath.Join(d.Servicedir(s), "notification-fd"))
	return err == nil
}

// linkedDefinition reads the one link that says which definition counts.
func (d *Dir) linkedDefinition(s Slot) (db.Digest, error) {
	target, err := os.Readlink(filepath.Join(d.Servicedir(s), "def"))
	if err != nil {
		return db.Digest{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	def, err := db.ParseDigest(filepath.Base(target))
	if err != nil {
		return db.Digest{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return def, nil
}
