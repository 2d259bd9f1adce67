package update

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"strata/compile/db"
	"strata/live/change"
	"strata/live/journal"
)

// TestL1Processes: on a machine, what a change of one field does to the process. (What
// class each field has, TestL1ClassOfEachChange shows.)
func TestL1Processes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.init(specs{"a": longrun(), "other": longrun()}, "a", "other")
	defer m.end()
	for _, tt := range []struct {
		field  string
		change func(*spec)
		stays  bool
	}{
		{"run", runs("# new"), false},
		{"finish", func(s *spec) { s.Finish = "# new" }, true},
		{"timeout-kill", func(s *spec) { s.Edit = func(d *db.Service) { d.TimeoutKill = db.Uint{Set: true, Value: 5} } }, true},
		{"description", func(s *spec) { s.Edit = func(d *db.Service) { d.Description = "new" } }, true},
		{"env", func(s *spec) {
			s.Edit = func(d *db.Service) { d.Exec.Env = []db.EnvVar{{Name: "A", Value: "new"}} }
		}, false},
	} {
		before := m.pids()
		m.updated(specs{"a": longrun().with(tt.change), "other": longrun()}, Options{})
		if now := m.pids(); now["a"] == 0 || (now["a"] == before["a"]) != tt.stays {
			t.Errorf("%s: process %d, before %d", tt.field, now["a"], before["a"])
		}
		m.samePIDs(before, map[string]string{"other": "other"})
		m.updated(specs{"a": longrun(), "other": longrun()}, Options{})
	}
}

// TestL4NothingStaysDownSilently: each way in which an update can fail has its own
// outcome, and it names what is not up that was.
func TestL4NothingStaysDownSilently(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stubborn := oneshot().with(func(s *spec) { s.Down = "exit 7" })
	for _, tt := range []struct {
		name     string
		old, new specs
		o        Options
		code     int
		outcome  journal.Outcome
	}{
		{
			"a stop fails, and all is as before",
			specs{"a": longrun(), "job": stubborn},
			specs{"a": longrun().with(runs("# new"))},
			Options{Policy: Definition},
			9, journal.Aborted,
		},
		{
			"a stop fails, as with s6-rc",
			specs{"a": longrun("job"), "job": stubborn},
			specs{"a": longrun()},
			Options{Policy: Identity},
			9, journal.AbortedWithFailures,
		},
		{
			"a start fails",
			specs{"a": longrun()},
			specs{"a": longrun("bad"), "bad": oneshot().with(runs("exit 3"))},
			Options{Policy: Definition},
			1, journal.AppliedWithFailures,
		},
	} {
		m := b.init(tt.old, slices.Sorted(maps.Keys(tt.old))...)
		was := m.up()
		p, r, err := m.update(tt.new, tt.o)
		if err != nil || r.exitCode() != tt.code || r.Outcome != tt.outcome {
			t.Fatalf("%s: %+v, %v", tt.name, r, err)
		}
		m.consistent()
		told := map[string]bool{}
		for _, part := range []change.Result{r.Stop, r.Start} {
			for _, f := range part.Failed {
				told[f.Target.Name] = true
			}
			for _, s := range part.Skipped {
				told[s.Target.Name] = true
			}
		}
		for _, a := range p.Actions {
			told[a.Service] = told[a.Service] || a.Op == OpStop // the patch says so
		}
		for _, name := range was {
			if !slices.Contains(m.up(), name) && !told[name] {
				t.Errorf("%s: %s is down, and nobody has said so", tt.name, name)
			}
		}
		if tt.outcome == journal.Aborted && !slices.Equal(m.up(), was) {
			t.Errorf("%s: up %v, before %v", tt.name, m.up(), was)
		}
		m.end()
	}
}

// TestL5Deadline: time is up at each step of an update once. It ends between steps: what
// is not switched is taken back, and what is goes on to its end or says what it lacks.
func TestL5Deadline(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := specs{"a": longrun(), "b": longrun("a"), "gone": longrun()}
	next := specs{"a": longrun().with(runs("# new")), "b": longrun("a"), "more": longrun("b")}
	for at := 1; ; at++ {
		m := b.init(old, "b", "gone")
		newdb, err := m.w.AddDB(m.write(next))
		if err != nil {
			t.Fatal(err)
		}
		p, err := PlanLive(m.d, m.base(), newdb, Conversions{}, Options{Policy: Definition})
		if err != nil {
			t.Fatal(err)
		}
		// The clock is that of the context: it strikes when the step is reached.
		ctx, strike := context.WithCancelCause(t.Context())
		n := 0
		m.w.Hooks = func(string) error {
			if n++; n == at {
				strike(&change.TimeoutError{Limit: time.Second})
			}
			return nil
		}
		r, err := Apply(ctx, m.w, m.base(), newdb, p, m.env())
		m.w.Hooks = nil
		strike(nil)
		if err != nil && !errors.As(err, new(*change.TimeoutError)) {
			t.Fatalf("step %d: %v", at, err)
		}
		where := fmt.Sprintf("step %d: %+v, %v", at, r, err)
		if m.state().Patch == nil {
			m.consistent()
			if up := m.up(); !r.Switched && !slices.Equal(up, []string{"a", "b", "gone"}) {
				t.Errorf("%s: up %v", where, up)
			}
		} else if r, err := Resume(t.Context(), m.w, m.env()); err != nil || !r.OK() {
			t.Errorf("%s: then %+v, %v", where, r, err)
		}
		m.quiet(where)
		if err := newdb.Close(); err != nil {
			t.Error(err)
		}
		m.end()
		if n < at {
			break
		}
	}
}

// TestL10Quiescence: after each of many updates nothing is on its way anywhere, what the
// journal says is what s6 says, and just what the patch promised is up.
func TestL10Quiescence(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	random := rand.New(rand.NewPCG(10, 10))
	names := []string{"a", "b", "c", "d", "e"}
	draw := func() specs {
		s := specs{}
		for i, name := range names {
			if random.IntN(5) == 0 {
				continue
			}
			var needs []string
			for _, to := range names[:i] {
				if _, there := s[to]; there && random.IntN(2) == 0 {
					needs = append(needs, to)
				}
			}
			sv := longrun(needs...)
			if random.IntN(3) == 0 {
				sv = oneshot(needs...)
			}
			s[name] = sv.with(runs(fmt.Sprintf("# %d", random.IntN(2))))
		}
		if len(s) == 0 {
			s["a"] = longrun()
		}
		return s
	}
	now := draw()
	m := b.init(now)
	defer m.end()
	for range 12 {
		for name := range now {
			if random.IntN(2) == 0 {
				m.change(change.Start, name)
			}
		}
		now = draw()
		p := m.updated(now, Options{})
		m.quiet(fmt.Sprint(p.Counts))
		want := slices.Sorted(slices.Values(p.After.Up))
		if got := m.up(); !slices.Equal(got, want) {
			t.Errorf("up %v, want %v", got, want)
		}
	}
}

// quiet expects that no service is in a transient state.
func (m *machineTest) quiet(when string) {
	m.t.Helper()
	for _, s := range m.state().Services {
		if s.Starting || s.Stopping() || s.Observed || s.Pending != "" || s.Unknown || s.Status.PID != 0 && !s.Status.Up() {
			m.t.Errorf("%s: %s is on its way: %+v", when, s.Name, s)
		}
	}
}
