package tree_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strata/compile/db"
	"strata/internal/atomicfs"
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

// real is a world of processes. Their programs ask files how to go on.
type real struct {
	*testTree
	gates, begun map[string]*os.File
}

var _ scenario.World = (*real)(nil)

// The programs. LOG is a file in the root directory; the FIFO never has no writer
// and is never written to.
const (
	realHead = `#!/bin/sh
me=%s ctl=${LOG%%/log}/ctl
wait_here() {
	echo >"$ctl/begun.$me"
	read _ <"$ctl/gate.$me"
}
`
	realRun = realHead + `stop() {
	read how <"$ctl/stop.$me"
	case $how in
	hangs) return ;;
	waits) trap '' TERM; wait_here ;;
	esac
	exit 0
}
read how <"$ctl/start.$me"
case $how in
fails|crashes) exit 1 ;;
hangs) exec sleep 100000 ;;
waits) wait_here ;;
esac
trap stop TERM
echo >&3
exec 3>&-
while :; do read _ <"$ctl/never"; done
`
	realFinish = realHead + `read how <"$ctl/start.$me"
[ "$1$how" != 1fails ] || exit 125
`
	realOneshot = realHead + `read how <"$ctl/$1.$me"
case $how in
fails) exit 1 ;;
hangs) read _ <"$ctl/never" ;;
waits) wait_here ;;
esac
`
)

func newReal(t *testing.T, services []scenario.Service) *real {
	t.Helper()
	var defs []definition
	for _, s := range services {
		d := longrun(s.Name, s.Needs...)
		d.notify, d.run, d.finish = 3, fmt.Sprintf(realRun, s.Name), fmt.Sprintf(realFinish, s.Name)
		if s.Oneshot {
			text := fmt.Sprintf(realOneshot, s.Name)
			d = oneshot(s.Name, "set start\n"+text, s.Needs...)
			d.down = "set stop\n" + text
		}
		d.wants, d.after = s.Wants, s.After
		d.change = func(sv *db.Service, _ db.Blobs) {
			if s.Essential {
				sv.Flags |= db.Essential
			}
			if s.Limited[change.Start] {
				sv.TimeoutUp = db.Millis(scenario.Limit.Milliseconds())
			}
			if s.Limited[change.Stop] {
				sv.TimeoutDown = db.Millis(scenario.Limit.Milliseconds())
			}
		}
		defs = append(defs, d)
	}
	r := &real{testTree: newTree(t, defs...), gates: map[string]*os.File{}, begun: map[string]*os.File{}}
	if err := os.Mkdir(r.ctl(""), 0o755); err != nil {
		t.Fatal(err)
	}
	r.fifo("ctl/never")
	for _, s := range services {
		r.gates[s.Name], r.begun[s.Name] = r.fifo("ctl/gate."+s.Name), r.fifo("ctl/begun."+s.Name)
		r.Set(scenario.Transition{Service: s.Name, Op: change.Start}, scenario.Works)
		r.Set(scenario.Transition{Service: s.Name, Op: change.Stop}, scenario.Works)
	}
	return r
}

func (r *real) ctl(name string) string { return filepath.Join(r.Root, "ctl", name) }

// Set implements [scenario.World].
func (r *real) Set(tr scenario.Transition, w scenario.Way) {
	r.t.Helper()
	err := atomicfs.WriteFile(r.ctl(tr.Op.String()+"."+tr.Service), 0o644, func(f *os.File) error {
		_, err := fmt.Fprintln(f, w)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// Begun implements [scenario.World].
func (r *real) Begun(ctx context.Context, service string) {
	f := r.begun[service]
	stop := context.AfterFunc(ctx, func() { f.SetReadDeadline(time.Now()) })
	_, err := f.Read(make([]byte, 1))
	if !stop() {
		f.SetReadDeadline(time.Time{})
	} else if err != nil {
		r.t.Error(err)
	}
}

// Let implements [scenario.World].
func (r *real) Let(service string) {
	if _, err := r.gates[service].WriteString("\n"); err != nil {
		r.t.Error(err)
	}
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
