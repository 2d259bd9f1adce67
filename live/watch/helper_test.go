package watch

import (
	"os"
	"path/filepath"
	"testing"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// machine is a live directory under a private s6-svscan: the longruns a, which runs
// for ever, b, which says when it is ready, and c, which ends before it is and whose
// finish gives up; and the oneshot d.
type machine struct {
	*s6test.Scandir
	t     *testing.T
	dir   *live.Dir
	w     *live.Writer
	slots map[string]live.Slot
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{Scandir: s6test.New(t), t: t, slots: make(map[string]live.Slot)}
	base, path := filepath.Join(m.Root, "db"), filepath.Join(m.Root, "live")
	m.write(base)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := live.Init(t.Context(), live.InitOptions{DB: base, Live: path, Scandir: m.Dir, Program: program, Lenient: true}); err != nil {
		t.Fatalf("%v\n%s", err, m.Log())
	}
	if m.dir, err = live.Open(path); err != nil {
		t.Fatal(err)
	}
	if m.w, err = m.dir.Lock(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.w.Close(); err != nil {
			t.Error(err)
		}
		m.tidy()
	})
	for _, e := range m.w.Journal().Table {
		m.slots[e.Name] = e.Slot
	}
	return m
}

// write writes the database.
func (m *machine) write(path string) {
	m.t.Helper()
	model := db.Model{Blobs: db.Blobs{}}
	script := func(text string) db.Program {
		return db.Program{Form: db.Script, Script: model.Blobs.Add([]byte(text))}
	}
	a := db.Service{Name: "a", Type: db.Longrun, Consumer: db.None, Run: script(s6test.Forever)}
	b := db.Service{Name: "b", Type: db.Longrun, Consumer: db.None, Run: script(s6test.ReadyForever), NotificationFD: db.Uint{Set: true, Value: 3}}
	c := db.Service{Name: "c", Type: db.Longrun, Consumer: db.None, Run: script("#!/bin/sh\nexit 3\n"), Finish: script("#!/bin/sh\nexit 125\n"), NotificationFD: b.NotificationFD}
	d := db.Service{Name: "d", Type: db.Oneshot, Consumer: db.None, Up: db.Program{Form: db.Argv, Argv: []string{"true"}}}
	model.Services = []db.Service{a, b, c, d}
	none, err := graph.New(len(model.Services), nil)
	if err != nil {
		m.t.Fatal(err)
	}
	model.Needs, model.Wants, model.Soft = none, none, none
	if model.Levels, err = none.Levels(); err != nil {
		m.t.Fatal(err)
	}
	if _, err := db.Write(path, &model, db.WriteOptions{}); err != nil {
		m.t.Fatal(err)
	}
}

// tidy looks for what a feed has left.
func (m *machine) tidy() {
	for _, pattern := range []string{"event", "sv/*/event"} {
		left, err := filepath.Glob(filepath.Join(m.dir.Real(), pattern, "*"))
		if err != nil || len(left) > 0 {
			m.t.Errorf("left behind: %q, %v", left, err)
		}
	}
}

// append writes to the journal.
func (m *machine) append(cause string, events ...journal.Event) {
	m.t.Helper()
	if err := m.w.Append(cause, events...); err != nil {
		m.t.Fatal(err)
	}
}

// control tells a supervisor what to do, and waits until that is done.
func (m *machine) control(name string, goal s6.Goal, cmd s6.Command) {
	m.t.Helper()
	if _, err := s6.WaitFor(m.t.Context(), m.dir.Servicedir(m.slots[name]), goal, cmd); err != nil {
		m.t.Fatal(err)
	}
}
