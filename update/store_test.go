package update

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/live/journal"
	"strata/update/generation"
)

// storeUpdate says what an update does to a store: "install:PATH", "back:PATH", or
// nothing.
type storeUpdate string

func (s storeUpdate) store() generation.Store {
	_, path, _ := strings.Cut(string(s), ":")
	return generation.Store{Path: path}
}

// keptGenerations is how many these updates leave.
const keptGenerations = 2

func (s storeUpdate) into(p *Patch) (err error) {
	var back *generation.Move
	switch verb, _, _ := strings.Cut(string(s), ":"); verb {
	case "":
		return nil
	case "back":
		if back, _, err = s.store().GoingBack(1, keptGenerations); err != nil {
			return err
		}
	}
	return p.MoveStore(s.store(), back, keptGenerations)
}

// storeBench is what is updated, with a store.
type storeBench struct {
	*machineTest
	verb             string
	older, old, next string // databases
}

var storeOld = specs{"a": longrun(), "b": longrun("a")}

// newStoreBench makes a live directory and a store in which its database is current.
// For an install there is one generation before it; for going back, the new database is
// that one.
func newStoreBench(b *bench, verb string) *storeBench {
	b.t.Helper()
	s := &storeBench{machineTest: b.init(storeOld, "b"), verb: verb}
	s.older, s.old, s.next = b.write(specs{"x": longrun()}), b.write(storeOld), b.write(specs{"a": longrun(), "b": longrun("a").with(runs("# new")), "c": longrun()})
	s.store = storeUpdate(verb + ":" + filepath.Join(b.Root, fmt.Sprintf("store%d", b.count)))
	first := s.older
	if verb == "back" {
		first = s.next
	}
	for _, path := range []string{first, s.old} {
		d, err := db.Open(path)
		if err != nil {
			b.t.Fatal(err)
		}
		m, err := s.store.store().Installing(d.Content(), 0)
		if err == nil {
			err = errors.Join(m.Alone(d, nil), d.Close())
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
	return s
}

// updateHere does the update in this process.
func (s *storeBench) updateHere() (Result, error) {
	s.t.Helper()
	newdb, err := s.w.AddDB(s.next)
	if err != nil {
		return Result{}, err
	}
	defer newdb.Close()
	p, err := PlanLive(s.d, s.base(), newdb, Conversions{}, Options{Policy: Definition})
	if err == nil {
		err = s.store.into(p)
	}
	if err != nil {
		return Result{}, err
	}
	return Apply(s.t.Context(), s.w, s.base(), newdb, p, s.env())
}

// again is the same command once more, which finishes what is left. Who went back has
// to say from where: nothing is left if that was done.
func (s *storeBench) again() (Result, error) {
	if s.verb == "back" && s.current() == contentOf(s.t, s.next) {
		return Result{}, nil
	}
	return s.updateHere()
}

func (s *storeBench) current() db.Digest {
	s.t.Helper()
	st, err := s.store.store().Read()
	if err != nil {
		s.t.Fatal(err)
	}
	return st.Current
}

// finished holds store and machine against what they should be after the update.
func (s *storeBench) finished(when string) {
	s.t.Helper()
	want := contentOf(s.t, s.next)
	if s.state().Content != want || s.current() != want {
		s.t.Errorf("%s: the same again: live is %s, current %s, want %s", when, s.state().Content.Short(), s.current().Short(), want.Short())
	}
	files := []string{".lock", "current", "generations", contentOf(s.t, s.old).String() + ".db", want.String() + ".db"}
	slices.Sort(files)
	entries, err := os.ReadDir(s.store.store().Path)
	if err != nil {
		s.t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, files) {
		s.t.Errorf("%s: the same again: the store has %q, want %q", when, got, files)
	}
	s.consistent()
}

// Killed at any step, an update with a store leaves what can be gone on with and taken
// back: store and machine follow the same database then, whose file is there, and the
// same command again does the rest.
func TestKilledWithStore(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"install", "back"} {
		for name, do := range map[string]func(*machineTest) (Result, error){"resumed": (*machineTest).resume, "aborted": (*machineTest).abort} {
			t.Run(verb+"/"+name, func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				steps := map[string]bool{}
				for n := 1; ; n++ {
					s := newStoreBench(b, verb)
					step := s.killed(s.next, n, Definition)
					if step == "" {
						s.reopen()
						s.finished("undisturbed")
						s.end()
						break
					}
					steps[step] = true
					s.checkKilled(fmt.Sprintf("killed at %s (%d)", step, n), do)
					s.end()
				}
				want := []string{"store-prepare", "keep-patch", "done switch", "store-link", "store-switch", "patch-end"}
				if verb == "install" {
					want = append(want, "store-install", "store-record", "store-remove")
				}
				for _, step := range want {
					if !steps[step] {
						t.Errorf("step %s was never tried: %v", step, slices.Sorted(maps.Keys(steps)))
					}
				}
				t.Logf("%d steps", len(steps))
			})
		}
	}
}

func (s *storeBench) checkKilled(when string, do func(*machineTest) (Result, error)) {
	s.t.Helper()
	if current := s.current(); current != contentOf(s.t, s.old) && current != contentOf(s.t, s.next) {
		s.t.Errorf("%s: %s is current", when, current.Short())
	}
	r := s.settle(func(m *machineTest) (Result, error) {
		r, err := do(m)
		if errors.Is(err, ErrNoPatch) {
			err = m.w.Sweep()
		}
		return r, err
	})
	if len(r.Trouble)+len(r.Notes) > 0 {
		s.t.Errorf("%s: %+v", when, r)
	}
	content := s.state().Content
	if s.current() != content {
		s.t.Errorf("%s: live is %s, current %s", when, content.Short(), s.current().Short())
	}
	d, err := s.store.store().Open(content)
	if err != nil {
		s.t.Fatalf("%s: %v", when, err)
	}
	if err := d.Close(); err != nil {
		s.t.Error(err)
	}
	if r, err := s.again(); err != nil || len(r.Trouble)+len(r.Notes) > 0 {
		s.t.Errorf("%s: the same again: %+v, %v", when, r, err)
	}
	s.finished(when)
}

// What the system refuses is said: before the switch nothing has changed, after it
// what runs counts, and the same command again does what is left.
func TestStoreErrors(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, verb := range []string{"install", "back"} {
		for n, fault := range []unix.Errno{unix.ENOSPC, unix.EIO, unix.EROFS} {
			for _, step := range []string{"store-install", "store-prepare", "store-record", "store-link", "store-switch", "store-remove"} {
				when := fmt.Sprintf("%s: %s at %s", verb, fault, step)
				s := newStoreBench(b, verb)
				hit := false
				s.w.Hooks = func(name string) error {
					if name != step {
						return nil
					}
					hit = true
					return fault
				}
				r, err := s.updateHere()
				s.w.Hooks = nil
				s.checkRefused(when, step, hit, r, err)
				if n == 0 && !hit && verb == "install" {
					t.Errorf("%s: never tried", when)
				}
				if r, err := s.again(); err != nil || !hit && r.Outcome != "" && r.Outcome != journal.Applied {
					t.Errorf("%s: the same again: %+v, %v", when, r, err)
				}
				s.finished(when)
				s.end()
			}
		}
	}
}

func (s *storeBench) checkRefused(when, step string, hit bool, r Result, err error) {
	s.t.Helper()
	old := contentOf(s.t, s.old)
	switch {
	case !hit:
	case step == "store-install" || step == "store-prepare":
		if err == nil || s.state().Content != old || s.current() != old || s.state().Patch != nil {
			s.t.Errorf("%s: %+v, %v", when, r, err)
		}
		if left := s.entries(s.d.Real()); slices.Contains(left, "patches") || len(s.entries(filepath.Join(s.d.Real(), "db"))) != 1 {
			s.t.Errorf("%s: left over in the live directory: %v", when, left)
		}
	case step == "store-remove":
		if err != nil || r.Outcome != journal.Applied || len(r.Notes) != 1 {
			s.t.Errorf("%s: %+v, %v", when, r, err)
		}
	default:
		// That the history cannot be written down does not keep current back.
		moved := s.current() != old
		if err != nil || !r.Switched || len(r.Trouble) != 1 || r.Outcome != journal.AppliedWithFailures || moved != (step == "store-record") {
			s.t.Errorf("%s: %+v, %v, moved %t", when, r, err, moved)
		}
	}
}

// A patch says what becomes of the store: it is refused if that is no longer so, or is
// of something else.
func TestStoreDoesNotFit(t *testing.T) {
	t.Parallel()
	s := newStoreBench(newBench(t), "install")
	defer s.end()
	newdb, err := s.w.AddDB(s.next)
	if err != nil {
		t.Fatal(err)
	}
	defer newdb.Close()
	p, err := PlanLive(s.d, s.base(), newdb, Conversions{}, Options{Policy: Definition})
	if err == nil {
		err = s.store.into(p)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		change func(*generation.Move)
		want   error
	}{
		{func(m *generation.Move) { m.From = contentOf(t, s.older).String() + ".db" }, ErrFit},
		{func(m *generation.Move) { m.To = m.From }, ErrPatch},
		{func(m *generation.Move) { m.Path = "store" }, ErrPatch},
		{func(m *generation.Move) { m.TakesBack = true }, ErrPatch},
	} {
		other, move := *p, *p.Store
		tt.change(&move)
		other.Store = &move
		if err := Begin(s.w, s.base(), newdb, &other, s.env()); !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v, want %v", move, err, tt.want)
		}
		if s.current() != contentOf(t, s.old) || s.state().Patch != nil {
			t.Errorf("%+v: something has changed", move)
		}
	}
	if _, err := os.Stat("store"); err == nil {
		t.Error("a store was made")
	}
}
