package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/change"
)

// lockedBuffer is written to by several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// took gives what was written since the last call.
func (l *lockedBuffer) took() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.b.Reset()
	return l.b.String()
}

// twoSteps is a plan to start web, which needs db.
func twoSteps(t *testing.T) (plan change.Plan, db, web change.Target) {
	t.Helper()
	needs, err := graph.New(2, []graph.Edge{{From: 1, To: 0}})
	if err != nil {
		t.Fatal(err)
	}
	plan, err = change.Make(change.Graphs{Needs: needs}, make([]live.ServiceState, 2), change.Request{Op: change.Start, Names: []change.ID{1}})
	if err != nil {
		t.Fatal(err)
	}
	return plan, change.Target{ID: 0, Name: "db", TimeoutUp: 30 * time.Second}, change.Target{ID: 1, Name: "web"}
}

// tellTwo tells of a run in which db takes so long, and fails if err is set.
func tellTwo(t *testing.T, tell teller, took time.Duration, err error) {
	plan, db, web := twoSteps(t)
	tell.planned(nil, plan)
	began := time.Now()
	tell.observe(change.Event{Kind: change.Began, Op: change.Start, Target: db, At: began, Because: "needed by web"})
	<-time.After(took)
	synctest.Wait()
	r := change.Result{Timings: []change.Timing{{Target: db, Op: change.Start, Began: began, Ended: time.Now(), After: -1}}}
	if err != nil {
		tell.observe(change.Event{Kind: change.Failed, Op: change.Start, Target: db, Took: took, Err: err, Held: []change.Target{web}})
		tell.observe(change.Event{Kind: change.Skipped, Op: change.Start, Target: web, Because: "db"})
		r.Failed, r.Skipped = []change.Failure{{Target: db}}, []change.Skip{{Target: web}}
	} else {
		tell.observe(change.Event{Kind: change.Done, Op: change.Start, Target: db, Took: took, Because: "needed by web"})
		tell.observe(change.Event{Kind: change.Began, Op: change.Start, Target: web, At: time.Now(), Because: "rc-ctl start web"})
		tell.observe(change.Event{Kind: change.Done, Op: change.Start, Target: web, Because: "rc-ctl start web"})
		r.Done = []change.ID{0, 1}
		r.Timings = append(r.Timings, change.Timing{Target: web, Op: change.Start, Began: time.Now(), Ended: time.Now(), After: 0})
	}
	tell.ended(r, nil)
}

// A short run that succeeds is quiet; one that takes long is not.
func TestTell(t *testing.T) {
	t.Setenv("TERM", "dumb")
	limit := &change.TimeoutError{Service: "db", Op: change.Start, Limit: 30 * time.Second, Where: "admin:db.toml:3"}
	for _, test := range []struct {
		name      string
		verbosity int
		took      time.Duration
		err       error
		want      string
	}{
		{"short", 1, time.Second, nil, ""},
		{"short, each service", 2, time.Second, nil, `
			rc-ctl: db: up in 1s (needed by web)
			rc-ctl: web: up in 0s (rc-ctl start web)
			rc-ctl: start: 2 done in 1s
			rc-ctl: slowest: db 1s, web 0s
			rc-ctl: critical path: db 1s, web 0s`},
		{"short, each step", 3, time.Second, errors.New("exit 1"), `
			rc-ctl: db: starting (needed by web)
			rc-ctl: cannot start db: exit 1; it held back web
			rc-ctl: cannot start web: db failed
			rc-ctl: start: 0 done in 1s, 1 failed, 1 skipped`},
		{"long", 1, 25 * time.Second, nil, `
			rc-ctl: still waiting for db: 10s of 30s, holds back 1
			rc-ctl: still waiting for db: 20s of 30s, holds back 1
			rc-ctl: start: 2 done in 25s
			rc-ctl: slowest: db 25s, web 0s
			rc-ctl: critical path: db 25s, web 0s`},
		{"too long", 0, 30 * time.Second, limit, `
			rc-ctl: cannot start db: timed out: not up after its timeout-up of 30s, set at admin:db.toml:3; it held back web`},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out lockedBuffer
				tell := &peopleTell{s: ui.Streams{Tool: "rc-ctl", Err: &out}, op: change.Start, verbosity: test.verbosity}
				tellTwo(t, tell, test.took, test.err)
				want := strings.TrimPrefix(strings.ReplaceAll(test.want, "\n\t\t\t", "\n"), "\n")
				if got := strings.TrimSuffix(out.took(), "\n"); got != want {
					t.Errorf("it says\n%s\nwant\n%s", got, want)
				}
			})
		})
	}
}

func TestTellJSON(t *testing.T) {
	limit := &change.TimeoutError{Service: "db", Op: change.Start, Limit: 30 * time.Second, Where: "admin:db.toml:3"}
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		tellTwo(t, &jsonTell{s: ui.Streams{Out: &out}, op: change.Start}, 30*time.Second, limit)
		var kinds []string
		dec := json.NewDecoder(&out)
		dec.DisallowUnknownFields()
		var last progressJSON
		for dec.More() {
			last = progressJSON{}
			if err := dec.Decode(&last); err != nil {
				t.Fatal(err)
			}
			if last.Format != progressFormat {
				t.Errorf("format %q", last.Format)
			}
			kinds = append(kinds, last.Kind)
			if last.Kind == "failed" && (last.Timeout == nil || *last.Timeout != timeoutJSON{30_000, "admin:db.toml:3", false} || *last.TookMS != 30_000 || len(last.Held) != 1) {
				t.Errorf("failed: %+v", last)
			}
		}
		if got := strings.Join(kinds, " "); got != "planned began failed skipped summary" {
			t.Errorf("kinds: %s", got)
		}
		sum := last.Summary
		if sum == nil || sum.ExitCode != exitFailed || len(sum.Failed) != 1 || len(sum.Skipped) != 1 || len(sum.CriticalPath) != 1 || *last.TookMS != 30_000 {
			t.Errorf("summary: %+v", sum)
		}
	})
}

// While a oneshot that talks to a person runs, nothing is drawn.
func TestDisplayAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		d := &display{asking: make(map[change.ID]bool), stopped: make(chan struct{})}
		d.status = ui.NewStatus(&out, func() (int, int) { return 80, 24 }, func() []string { return []string{"area"} })
		defer d.close()
		drawn := func(want bool) {
			t.Helper()
			<-time.After(time.Second)
			synctest.Wait()
			if got := strings.Contains(out.took(), "area"); got != want {
				t.Errorf("drawn: %v, want %v", got, want)
			}
		}
		asks := func(target change.Target) bool { return target.Name == "ask" }
		tell := func(kind change.EventKind, id change.ID, name string) {
			d.asks(change.Event{Kind: kind, Target: change.Target{ID: id, Name: name, Type: db.Oneshot}}, asks)
		}
		drawn(true)
		tell(change.Began, 1, "quiet")
		drawn(true)
		tell(change.Began, 2, "ask")
		drawn(false)
		tell(change.Began, 3, "ask")
		tell(change.Done, 1, "quiet")
		tell(change.Failed, 2, "ask")
		drawn(false)
		tell(change.Done, 3, "ask")
		drawn(true)
	})
}
