package update

import (
	"crypto/sha256"
	"fmt"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
)

// Fingerprint is a digest of what a patch depends on: the database, the life of
// the supervision tree, and which services are up and wanted. Process ids and
// times are no part of it.
func Fingerprint(st *live.State) db.Digest {
	const each = 32 // bytes, mostly enough
	text := fmt.Appendf(make([]byte, 0, each*len(st.Services)), "%s\n%+v\n", st.Content, st.Epoch)
	for i := range st.Services {
		s := &st.Services[i]
		is := byte('0')
		if s.Wanted {
			is++
		}
		if s.Up {
			is += 2
		}
		if s.Unknown {
			is += 4
		}
		text = append(append(text, s.Name...), 0, is, '\n') // no name holds a zero
	}
	return sha256.Sum256(text)
}

// StateOf is what a plan needs to know of a live directory. A oneshot of which
// nothing is known counts as up, and so does a longrun that is on its way up, as
// somebody wants it.
func StateOf(d *live.Dir, st *live.State) State {
	s := State{
		Live: LiveID{Path: d.Path(), Fingerprint: Fingerprint(st)},
		Up:   make([]bool, len(st.Services)), Stopped: make([]bool, len(st.Services)), Failed: make([]bool, len(st.Services)),
		Runner: internalUp(d, live.RunnerSlot), Holder: internalUp(d, live.HolderSlot),
	}
	for i, sv := range st.Services {
		s.Up[i] = sv.Up || sv.Unknown
		// It was up once, and went down because it was told to.
		s.Stopped[i] = !s.Up[i] && !sv.Wanted && !sv.Since.IsZero() && sv.Failure == "" && sv.Cause != "observed"
		s.Failed[i] = !s.Up[i] && (sv.Wanted || sv.Failure != "" && sv.Failed == journal.PhaseUp)
	}
	return s
}

// Base is what an update begins with: a state of a live directory and its current
// database, which stays the caller's.
type Base struct {
	State *live.State
	View  live.View
}

// PlanLive plans an update of a live directory in a certain state to another
// database. It reads and changes nothing. The error is one of [Diff] or [Plan], or wraps
// [live.ErrHalfApplied].
func PlanLive(d *live.Dir, base Base, newdb *db.DB, conv Conversions, o Options) (*Patch, error) {
	var patch *Patch
	err := Preview(d, base, newdb, conv, o, func(p *Patch, _ *Changes) error {
		patch = p
		return nil
	})
	return patch, err
}

// Preview is [PlanLive] for those who want to see the changes too: look gets the
// patch and what it was made of, while both databases are open. Its error is
// returned.
func Preview(d *live.Dir, base Base, newdb *db.DB, conv Conversions, o Options, look func(*Patch, *Changes) error) error {
	if base.State.Patch != nil {
		return fmt.Errorf("cannot update: %w", live.ErrHalfApplied)
	}
	changes, err := Diff(base.View.DB, newdb, conv)
	if err != nil {
		return err
	}
	p, err := Plan(changes, StateOf(d, base.State), o)
	if err != nil {
		return err
	}
	return look(p, changes)
}

// internalUp says whether an internal service runs.
func internalUp(d *live.Dir, slot live.Slot) bool {
	st, err := s6.ReadStatus(d.Servicedir(slot))
	return err == nil && st.WantUp
}
