package generation

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"strata/compile/db"
	"strata/internal/atomicfs"
	"strata/internal/failpoint"
)

// ErrMoved says that current does not lead any more to what it led to when a move was
// planned.
var ErrMoved = errors.New("the current generation is another one by now")

// Move is what an update does to a store: current, which leads to From, leads to To
// afterwards. It is plain data.
type Move struct {
	Path string `json:"path"` // of the store, absolute
	// From and To are targets of the link, empty for no link.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Install says that the new database is put into the store, and is the last one
	// of its history afterwards. Else the move goes back in the history.
	Install bool `json:"install,omitempty"`
	// TakesBack says that the move takes back another one, and does nothing if that
	// was not done.
	TakesBack bool `json:"takes_back,omitempty"`
	// Keep is how many generations are left afterwards at most, 0 for all.
	Keep int `json:"keep,omitempty"`
}

// Installing is the move of an update to a database that is put into the store. The
// store need not be there.
func (s Store) Installing(content db.Digest, keep int) (*Move, error) {
	path, err := filepath.Abs(s.Path)
	if err != nil {
		return nil, err
	}
	st, err := s.Read()
	if errors.Is(err, fs.ErrNotExist) {
		st, err = new(State), nil
	}
	if err != nil {
		return nil, err
	}
	return &Move{Path: path, From: st.Link, To: fileName(content), Install: true, Keep: keep}, nil
}

// GoingBack is the move of an update to the generation that counted n steps before the
// current one, or with 0 to the current one, and which one that is. The error wraps
// [ErrStore] or is a [*TooFarError], or the system's.
func (s Store) GoingBack(n, keep int) (*Move, db.Digest, error) {
	path, err := filepath.Abs(s.Path)
	if err != nil {
		return nil, db.Digest{}, err
	}
	st, err := s.Read()
	if err != nil {
		return nil, db.Digest{}, err
	}
	to := st.Current
	switch {
	case n != 0:
		to, err = st.History.Back(st.Current, n)
	case to.IsZero():
		err = fmt.Errorf("%w: %s leads to no generation", ErrStore, currentName)
	}
	if err != nil {
		return nil, db.Digest{}, fmt.Errorf("cannot roll back in store %s: %w", s.Path, err)
	}
	return &Move{Path: path, From: st.Link, To: fileName(to), Keep: keep}, to, nil
}

// Leads reports whether the move is one that an update to the database with this content
// can make.
func (m *Move) Leads(content db.Digest) bool {
	return filepath.IsAbs(m.Path) && !m.TakesBack && m.To == fileName(content)
}

// Leaves is the generation that is current before the move, zero if there is none.
func (m *Move) Leaves() db.Digest { return m.store(nil).target(m.From) }

// Short names a target of the link for people: by a digest as others are printed, if it
// is a generation's.
func (m *Move) Short(target string) string {
	if d := m.store(nil).target(target); !d.IsZero() {
		return d.Short()
	}
	return target
}

// Inverse is the move that takes this one back. What was installed stays.
func (m *Move) Inverse() *Move {
	return &Move{Path: m.Path, From: m.To, To: m.From, TakesBack: true}
}

// Done reports whether current leads where the move leads it to.
func (m *Move) Done() bool {
	link, err := os.Readlink(filepath.Join(m.Path, currentName))
	return err == nil && link == m.To || m.To == "" && errors.Is(err, fs.ErrNotExist)
}

func (m *Move) store(h failpoint.Hooks) Store { return Store{Path: m.Path, Hooks: h} }

// Prepare does what can be done before the new database counts: the store has it then,
// whole, and all that Do needs. The error wraps [ErrMoved] if
// the store is not as it was when the move was planned; then, as after any error,
// what is current is as before.
func (m *Move) Prepare(newdb *db.DB, h failpoint.Hooks) error {
	s := m.store(h)
	if m.Install {
		if err := os.MkdirAll(s.Path, 0o755); err != nil {
			return s.failed("make", err)
		}
	}
	return s.locked(func(st *State) error {
		if st.Link != m.From {
			return s.failed("change", ErrMoved)
		}
		// Also what is gone back to has to be there whole: newdb may be another copy.
		if err := s.keep(newdb); err != nil {
			return err
		}
		if err := s.Hooks.Hit("store-prepare"); err != nil {
			return err
		}
		if err := s.layNext(m.To); err != nil {
			return s.failed("change", linkCause(err))
		}
		return nil
	})
}

// Drop takes back what Prepare has laid ready; what it has installed stays.
func (m *Move) Drop() error {
	err := os.Remove(filepath.Join(m.Path, nextName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Do makes the new generation current. It can be repeated.
func (m *Move) Do(at time.Time, h failpoint.Hooks) error {
	s := m.store(h)
	err := s.locked(func(st *State) error {
		if m.TakesBack {
			return m.takeBack(s, st)
		}
		var noted error
		if to, ok := parseName(m.To); ok && m.Install {
			// What counts now counts, also if that cannot be written down.
			noted = s.record(st.History, st.History.Advance(st.Current, to, at.UTC().Truncate(time.Second)))
		}
		if st.Link == m.To {
			return errors.Join(noted, m.Drop())
		}
		return errors.Join(noted, linkCause(s.link(m.To)))
	})
	if err != nil {
		return fmt.Errorf("cannot make %s the current generation: %w", m.To, err)
	}
	return nil
}

// takeBack leads current back to where it led before, if it leads elsewhere.
func (m *Move) takeBack(s Store, st *State) error {
	switch {
	case st.Link != m.From || m.From == m.To:
		return m.Drop()
	case m.To != "":
		return linkCause(s.link(m.To))
	}
	if err := errors.Join(os.Remove(s.file(currentName)), m.Drop()); err != nil {
		return err
	}
	return atomicfs.SyncDir(s.Path)
}

// Collect is [Store.Collect] with as many as the move keeps.
func (m *Move) Collect(needed []db.Digest, h failpoint.Hooks) error {
	if m.Keep < 1 {
		return nil
	}
	_, err := m.store(h).Collect(needed, m.Keep)
	return err
}

// linkCause is the reason of an error about links, without their names, of which one
// is a temporary one.
func linkCause(err error) error {
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err
	}
	return atomicfs.Cause(err)
}

// Alone does the move where no live directory changes with it: used are the databases
// that stay in the store besides.
func (m *Move) Alone(d *db.DB, used []db.Digest) error {
	if err := m.Prepare(d, nil); err != nil {
		return err
	}
	if err := m.Do(time.Now(), nil); err != nil {
		return err
	}
	return m.Collect(used, nil)
}
