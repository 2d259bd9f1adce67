package generation

import (
	"errors"
	"slices"
	"testing"
	"time"

	"strata/compile/db"
)

// What takes a move back does so if it was done, and leaves alone what somebody else has
// made current meanwhile.
func TestInverse(t *testing.T) {
	t.Parallel()
	a, b, c := written(t, "a", "", false), written(t, "b", "", false), written(t, "c", "", false)
	for name, tt := range map[string]struct {
		before  []*db.DB // installed, the last one is current
		done    bool
		other   *db.DB // made current meanwhile
		current db.Digest
	}{
		"done":           {[]*db.DB{a}, true, nil, a.Content()},
		"not done":       {[]*db.DB{a}, false, nil, a.Content()},
		"done, alone":    {nil, true, nil, db.Digest{}},
		"not done alone": {nil, false, nil, db.Digest{}},
		"the same":       {[]*db.DB{b}, true, nil, b.Content()},
		"another one":    {[]*db.DB{a}, true, c, c.Content()},
	} {
		s := Store{Path: t.TempDir()}
		for _, d := range tt.before {
			must(t, s.install(d, 0))
		}
		m, err := s.Installing(b.Content(), 0)
		must(t, err, m.Prepare(b, nil))
		if tt.done {
			must(t, m.Do(time.Now(), nil))
			if !m.Done() {
				t.Errorf("%s: not done", name)
			}
		}
		if tt.other != nil {
			must(t, s.install(tt.other, 0))
		}
		inverse := m.Inverse()
		for range 2 {
			must(t, inverse.Do(time.Now(), nil))
			if st := s.state(t); st.Current != tt.current || (st.Link == "") != tt.current.IsZero() {
				t.Errorf("%s: %q is current, want %s", name, st.Link, tt.current.Short())
			}
		}
		if tt.other == nil && !inverse.Done() {
			t.Errorf("%s: the inverse is not done", name)
		}
		if slices.Contains(s.names(t), nextName) {
			t.Errorf("%s: the link was left", name)
		}
	}
}

// A move that was planned for another state of the store is not made.
func TestPrepareAfterAnother(t *testing.T) {
	t.Parallel()
	s := Store{Path: t.TempDir()}
	a, b := written(t, "a", "", false), written(t, "b", "", false)
	m, err := s.Installing(b.Content(), 0)
	must(t, err, s.install(a, 0))
	if err := m.Prepare(b, nil); !errors.Is(err, ErrMoved) {
		t.Errorf("%v, want %v", err, ErrMoved)
	}
	if st := s.state(t); st.Current != a.Content() || len(st.Files) != 1 {
		t.Errorf("%+v", st)
	}
}
