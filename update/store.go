package update

import (
	"errors"
	"fmt"
	"time"

	"strata/compile/db"
	"strata/update/generation"
)

// prepareStore does everything to the store that can be done, and can fail, before
// anything else is changed.
func (a *applier) prepareStore(newdb *db.DB) error {
	if a.patch.Store == nil {
		return nil
	}
	err := a.patch.Store.Prepare(newdb, a.w.Hooks)
	if errors.Is(err, generation.ErrMoved) {
		return fmt.Errorf("cannot apply patch: %w: %w", ErrFit, err)
	}
	return err
}

// dropStore takes back what was laid ready for an update that is not made.
func (a *applier) dropStore() error {
	if a.patch.Store == nil || a.patch.Store.TakesBack {
		return nil
	}
	return a.patch.Store.Drop()
}

// moveStore makes the new database the current generation. It comes before the end of
// the patch is written down: whoever goes on with it repeats it, and whoever takes it
// back finds it done.
func (a *applier) moveStore() error {
	if a.patch.Store == nil {
		return nil
	}
	return a.patch.Store.Do(time.Now(), a.w.Hooks)
}

// moveStoreAlone is all there is to do for a live directory that follows the new
// database already.
func (a *applier) moveStoreAlone() error {
	if err := a.moveStore(); err != nil {
		return err
	}
	a.result.Switched = true
	return a.collectStore()
}

// collectStore removes what is too much in the store, when nobody can take the update
// back any more.
func (a *applier) collectStore() error {
	if a.patch.Store == nil || !a.result.Switched || a.patch.Store.TakesBack {
		return nil
	}
	return a.patch.Store.Collect([]db.Digest{a.patch.New.Content}, a.w.Hooks)
}

// MoveStore makes the patch move a store of generations too, once the new database
// counts: by a move back in it, or with nil by one that installs the new database. The
// error wraps [generation.ErrStore] if the generation is another database than its name
// says.
func (p *Patch) MoveStore(s generation.Store, back *generation.Move, keep int) error {
	if back == nil {
		m, err := s.Installing(p.New.Content, keep)
		p.Store = m
		return err
	}
	if !back.Leads(p.New.Content) {
		return fmt.Errorf("cannot use generation %s: %w: it holds the database %s", p.New.Path, generation.ErrStore, p.New.Content.Short())
	}
	p.Store = back
	if back.Leaves() != p.Old.Content {
		p.Warnings = append(p.Warnings, fmt.Sprintf("the live directory does not follow the current generation: it follows %s", p.Old.Content.Short()))
	}
	return nil
}
