package tree_test

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"strata/compile/db"
	"strata/live/change"
	"strata/live/change/scenario"
	"strata/live/change/tree"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

func TestL13Order(t *testing.T)                 { play(t, "L13") }
func TestL14FailFast(t *testing.T)              { play(t, "L14") }
func TestL26Signals(t *testing.T)               { play(t, "L26") }
func TestL29Readiness(t *testing.T)             { play(t, "L29") }
func TestL30ExplicitDown(t *testing.T)          { play(t, "L30") }
func TestL31StopsAndStartsMeeting(t *testing.T) { play(t, "L31") }

// play plays the scenarios of a lesson on a real s6.
func play(t *testing.T, lesson string) {
	t.Parallel()
	for _, s := range scenario.All(lesson) {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			scenario.Play(t, newReal(t, s.Parse()), s)
		})
	}
}

// A signal, or two, at every point.
func TestL26EveryPoint(t *testing.T) {
	t.Parallel()
	scenario.Interrupt(t, newReal(t, scenario.Mixed()), scenario.Mixed())
}

// Thirty services on one processor.
func TestL13Random(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	services := scenario.Random(13, 30)
	scenario.UpAndDown(t, newReal(t, services), services)
}

// real is a world of processes.
type real struct {
	*testTree
	*scenario.Control
}

var _ scenario.World = (*real)(nil)

func newReal(t *testing.T, services []scenario.Service) *real {
	t.Helper()
	c := scenario.NewControl(t, services)
	millis := func(limited bool) db.Millis {
		if limited {
			return db.Millis(scenario.Limit.Milliseconds())
		}
		return 0
	}
	var defs []definition
	for _, s := range services {
		d := longrun(s.Name, s.Needs...)
		d.notify, d.run, d.finish = 3, c.Run(s.Name), c.Finish(s.Name)
		if s.Oneshot {
			d = oneshot(s.Name, c.Oneshot(scenario.Transition{Service: s.Name, Op: change.Start}), s.Needs...)
			d.down = c.Oneshot(scenario.Transition{Service: s.Name, Op: change.Stop})
		}
		d.wants, d.after = s.Wants, s.After
		d.change = func(sv *db.Service, _ db.Blobs) {
			if sv.Type == db.Longrun {
				sv.TimeoutKill = db.Uint{Set: true, Value: scenario.TimeoutKill}
			}
			if s.Essential {
				sv.Flags |= db.Essential
			}
			sv.TimeoutUp, sv.TimeoutDown = millis(s.Limited[change.Start]), millis(s.Limited[change.Stop])
		}
		defs = append(defs, d)
	}
	return &real{newTree(t, defs...), c}
}

// Run implements [scenario.World].
func (r *real) Run(ctx context.Context, req change.Request, names string, o scenario.Options) change.Result {
	r.t.Helper()
	r.options = tree.Options{Observe: o.Observe, Abandon: o.Abandon, Limit: o.Limit}
	result := r.runIn(ctx, req, names)
	if result.Journal != nil {
		r.t.Errorf("journal: %v", result.Journal)
	}
	for _, f := range result.Failed {
		if f.Target.Type == db.Longrun {
			r.told(f)
		}
	}
	return result
}

// told looks whether a longrun that could not be moved was told to stop: it has to
// know when the command ends.
func (r *real) told(f change.Failure) {
	r.t.Helper()
	dir := r.dir.Servicedir(f.Target.Slot)
	if st, err := s6.ReadStatus(dir); err != nil || st.WantUp {
		r.t.Errorf("after %v: %+v, %v", f, st, err)
	}
	if f.Op == change.Stop {
		return
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), s6test.Limit)
	defer cancel()
	if st, err := s6.WaitFor(ctx, dir, s6.GoalDownReady()); err != nil {
		r.t.Errorf("after %v: %+v, %v", f, st, err)
	}
}

// Up implements [scenario.World].
func (r *real) Up() []string {
	r.t.Helper()
	for _, s := range r.snapshot().Services {
		if s.Starting {
			r.t.Errorf("%s is still starting", s.Name)
		}
	}
	return strings.Fields(r.ups())
}
