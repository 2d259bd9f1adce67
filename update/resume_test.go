package update

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"strata/compile/db"
	"strata/live/change/tree"
	"strata/live/journal"
	"strata/live/s6/s6test"
)

// resumed are databases between which everything changes that can, and what stays.
var resumedOld, resumedNew = func() (old, new specs) {
	feeds := func(name string) func(*spec) { return func(s *spec) { s.Feeds = name } }
	old = specs{
		"a": longrun(), "b": longrun().with(runs("# b")), "c": longrun(), "d": longrun().with(feeds("c")), "e": oneshot(), "gone": longrun(),
		"x": longrun().with(runs("# x")), "job": oneshot("a").with(func(s *spec) { s.Down = "exit 0" }), "idle": longrun(), "keep": longrun(),
	}
	new = specs{
		"b": longrun(), "a": longrun().with(runs("# b")), "c": longrun().with(runs("# new")), "d": longrun().with(feeds("c")), "e": longrun(), "f": longrun("e"),
		"h":    longrun().with(feeds("f")),
		"gone": longrun(), "group": {Type: "bundle", Contents: []string{"g1", "g2"}}, "g1": longrun(), "g2": oneshot(), "y": longrun().with(runs("# x")), "job2": oneshot("a"),
		"keep": longrun(),
	}
	return old, new
}()

var resumedConv = []string{"a -> b", "b -> a", "gone -> group", "x -> y"}

// settle does what a command does that finds a patch under way.
func (m *machineTest) settle(do func(m *machineTest) (Result, error)) Result {
	m.t.Helper()
	m.reopen()
	s, err := tree.Open(m.t.Context(), m.w, m.sup)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		m.t.Fatal(err)
	}
	r, err := do(m)
	if err != nil {
		m.t.Fatal(err)
	}
	return r
}

func (m *machineTest) resume() (Result, error) { return Resume(m.t.Context(), m.w, m.env()) }
func (m *machineTest) abort() (Result, error)  { return Abort(m.t.Context(), m.w, m.env()) }

// wanted are the services that an operator asked for.
func (m *machineTest) wanted() []string {
	m.t.Helper()
	out := []string{}
	for _, s := range m.state().Services {
		if s.Wanted {
			out = append(out, s.Name)
		}
	}
	return out
}

// Killed at any step, an update ends as if it had not been, and so does one that is
// taken back. Package cli does that at each system call; here the switch of the store
// and the end of each action are among the steps by name.
func TestLongKilledAndResumed(t *testing.T) {
	s6test.Long(t)
	t.Parallel()
	start := []string{"b", "d", "e", "gone", "x", "job", "keep"}
	for name, do := range map[string]func(*machineTest) (Result, error){"resumed": (*machineTest).resume, "aborted": (*machineTest).abort} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			old, new := b.write(resumedOld), b.write(resumedNew)
			m := b.init(resumedOld, start...)
			before, wanted := m.up(), m.wanted()
			_, r, err := m.update(resumedNew, Options{Policy: Definition}, resumedConv...)
			if err != nil || !r.OK() {
				t.Fatalf("%+v, %v", r, err)
			}
			after, wantedAfter := m.up(), m.wanted()
			m.end()
			for n := 1; ; n++ {
				m := b.init(resumedOld, start...)
				pids := m.pids()
				step := m.killed(new, n, Definition, resumedConv...)
				if step == "" {
					m.reopen()
					m.end()
					return
				}
				when := fmt.Sprintf("killed at %s (%d)", step, n)
				m.checkSettled(when, do, pids)
				switched := m.state().Content == contentOf(t, new)
				wantUp, wantWanted := before, wanted
				if switched {
					wantUp, wantWanted = after, wantedAfter
				}
				if switched != (name == "resumed") && step != "keep-patch" {
					t.Errorf("%s: switched %t", when, switched)
				}
				if got := m.up(); !slices.Equal(got, wantUp) {
					t.Errorf("%s: up %v, want %v", when, got, wantUp)
				}
				if got := m.wanted(); !slices.Equal(got, wantWanted) {
					t.Errorf("%s: wanted %v, want %v", when, got, wantWanted)
				}
				if !switched && m.state().Content != contentOf(t, old) {
					t.Errorf("%s: another database", when)
				}
				m.end()
			}
		})
	}
}

// checkSettled settles and checks what does not depend on the way it went.
func (m *machineTest) checkSettled(when string, do func(*machineTest) (Result, error), pids map[string]int) {
	m.t.Helper()
	r := m.settle(func(m *machineTest) (Result, error) {
		r, err := do(m)
		if errors.Is(err, ErrNoPatch) {
			err = m.w.Sweep() // killed before it had begun, or after its end
		}
		return r, err
	})
	if len(r.Trouble)+len(r.Notes) > 0 || r.Outcome != "" && r.Outcome != journal.Applied && r.Outcome != journal.Aborted {
		m.t.Errorf("%s: %+v", when, r)
	}
	m.consistent()
	names := map[string]string{"keep": "keep", "a": "a", "b": "b"}
	if m.find("y") {
		names = map[string]string{"keep": "keep", "a": "b", "b": "a", "y": "x"}
	}
	m.samePIDs(pids, names)
	if got, want := m.supervisors(), len(m.entries(m.Dir)); got != want {
		m.t.Errorf("%s: %d supervisors, want %d", when, got, want)
	}
	if left := m.entries(m.d.Real()); slices.Contains(left, "patches") {
		m.t.Errorf("%s: the patch was kept", when)
	}
}

func (m *machineTest) find(name string) bool {
	m.t.Helper()
	return slices.ContainsFunc(m.state().Table, func(e journal.Entry) bool { return e.Name == name })
}

func contentOf(t testing.TB, path string) db.Digest {
	t.Helper()
	d, err := db.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	return d.Content()
}
