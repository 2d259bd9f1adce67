package change_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"strata/live/change"
	"strata/live/change/fake"
	"strata/live/journal"
)

// A restart stops what needs the service, and brings back exactly what was up.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web: app", "app: db", "db: (net)", "(net):", "idle: db", "log: ~db").up("web app db net log")
		plan := w.plan(change.Request{Op: change.Restart, Names: w.ids("db")})
		if got, want := w.list(plan), "stop web<app app<db db; start web<app app<db db"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		r := w.run(t.Context(), change.Request{Op: change.Restart, Names: w.ids("db")})
		if !r.OK() {
			t.Error(w.failures(r))
		}
		if got, want := w.calls(), "stop web, stop app, stop db, start db, start app, start web"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if w.sup.Idle() != 0 {
			t.Error("it was said that nothing is up")
		}
	})
}

func TestRestartOfWhatIsDown(t *testing.T) {
	w := newWorld(t, "web: db", "db:").up("db")
	if plan := w.plan(change.Request{Op: change.Restart, Names: w.ids("web")}); plan.Moves() != 0 {
		t.Errorf("%s", w.list(plan))
	}
}

// What a failed stop leaves up is left alone, and what did stop comes back.
func TestRestartFails(t *testing.T) {
	tests := []struct {
		name  string
		up    map[string]fake.Script
		down  map[string]fake.Script
		fails string
		up2   string
	}{
		{
			"a stop", nil,
			map[string]fake.Script{"app": {Err: errBroken}},
			"cannot stop app: exit 1; skipped db because of app", "web other app db",
		},
		{
			"a start",
			map[string]fake.Script{"app": {Err: errBroken}},
			nil,
			"cannot start app: exit 1; skipped web because of app", "other db",
		},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "web: app", "app: db", "other: db", "db:").up("web app other db")
			w.sup.Up, w.sup.Down = test.up, test.down
			r := w.run(t.Context(), change.Request{Op: change.Restart, Names: w.ids("db")})
			if got := w.failures(r); got != test.fails {
				t.Errorf("%s: got  %s\nwant %s", test.name, got, test.fails)
			}
			w.absorb()
			for i, name := range w.names {
				if want := strings.Contains(" "+test.up2+" ", " "+name+" "); w.states[i].Up != want {
					t.Errorf("%s: %s is up: %t", test.name, name, w.states[i].Up)
				}
			}
		})
	}
}

// What an interrupted restart has stopped is named.
func TestRestartInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web: db", "db:").up("web db")
		w.sup.Down["db"] = fake.Script{Hang: true}
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			synctest.Wait()
			cancel(change.ErrInterrupted)
		}()
		r := w.run(ctx, change.Request{Op: change.Restart, Names: w.ids("db")})
		if got, want := w.failures(r), "cannot stop db: interrupted; left web"; got != want || r.Quit == nil {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestRestartEssential(t *testing.T) {
	w := newWorld(t, "ssh: net !", "net:").up("ssh net")
	if got, want := w.list(w.plan(change.Request{Op: change.Restart, Names: w.ids("ssh")})), "stop kept:ssh; start"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	plan := w.plan(change.Request{Op: change.Restart, Names: w.ids("ssh"), Essentials: true})
	if got, want := w.list(plan), "stop ssh; start ssh"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A reload is of what was named alone, and leaves up what fails it.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web: (conf)", "(conf):", "db:").up("web conf db")
		w.sup.Reload = map[string]fake.Script{"conf": {Err: errBroken}}
		var mu sync.Mutex // a oneshot's begin is told by its own goroutine
		var told []string
		w.journal = func(_ string, events ...journal.Event) error {
			mu.Lock()
			defer mu.Unlock()
			for _, e := range events {
				told = append(told, fmt.Sprintf("%T", e))
			}
			return nil
		}
		r := w.run(t.Context(), change.Request{Op: change.Reload, Names: w.ids("conf web")})
		if got, want := w.failures(r), "cannot reload conf: exit 1"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := w.calls(); got != "reload web, reload conf" && got != "reload conf, reload web" {
			t.Errorf("got %s", got)
		}
		if len(w.sup.Released()) != 0 {
			t.Error("a service was told to stop")
		}
		text := strings.Join(told, " ")
		for _, want := range []string{"journal.Run", "journal.Begin", "journal.Reloaded", "journal.Failed", "journal.RunEnd"} {
			if !strings.Contains(text, want) {
				t.Errorf("the journal has %s, and not %s", text, want)
			}
		}
	})
}

func TestReloadOfWhatIsDown(t *testing.T) {
	w := newWorld(t, "a:", "b:", "c:").up("b")
	_, err := change.Make(w.graphs, w.states, change.Request{Op: change.Reload, Names: w.ids("a b c")})
	var down *change.NotUpError
	if !errors.As(err, &down) || fmt.Sprint(down.Names) != "[a c]" {
		t.Errorf("%v", err)
	}
}
