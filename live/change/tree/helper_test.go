package tree_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/journal"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// definition is a service for a test database.
type definition struct {
	name, run, finish string // a run makes a longrun
	up, down          string // scripts of a oneshot
	needs             []string
	wants, after      []string
	feeds             string
	notify            uint32 // notification-fd, or 0
	timeoutUp         db.Millis
	timeoutDown       db.Millis
	change            func(*db.Service, db.Blobs)
}

func longrun(name string, needs ...string) definition {
	return definition{name: name, run: s6test.Forever, needs: needs}
}

// ready is a longrun that says that it is ready.
func ready(name string, needs ...string) definition {
	return definition{name: name, run: s6test.ReadyForever, notify: 3, needs: needs}
}

func oneshot(name, up string, needs ...string) definition {
	return definition{name: name, up: up, needs: needs}
}

func with(d definition, change func(*definition)) definition {
	change(&d)
	return d
}

// writeDB writes a database with these services to path.
func writeDB(t testing.TB, path string, defs []definition) {
	t.Helper()
	slices.SortFunc(defs, func(a, b definition) int { return strings.Compare(a.name, b.name) })
	id := func(name string) db.ServiceID {
		return db.ServiceID(slices.IndexFunc(defs, func(d definition) bool { return d.name == name }))
	}
	m := db.Model{Blobs: db.Blobs{}}
	shell := func(script string) db.Program {
		if script == "" {
			return db.Program{}
		}
		return db.Program{Form: db.Argv, Argv: []string{"sh", "-c", script}}
	}
	var edges, wants, soft []graph.Edge
	for i, d := range defs {
		s := db.Service{Name: d.name, Type: db.Oneshot, Up: shell(d.up), Down: shell(d.down), Consumer: db.None, TimeoutUp: d.timeoutUp, TimeoutDown: d.timeoutDown}
		if d.run != "" {
			s.Type, s.Run = db.Longrun, db.Program{Form: db.Script, Script: m.Blobs.Add([]byte(d.run))}
		}
		if d.finish != "" {
			s.Finish = db.Program{Form: db.Script, Script: m.Blobs.Add([]byte(d.finish))}
		}
		if d.notify != 0 {
			s.NotificationFD = db.Uint{Set: true, Value: d.notify}
		}
		if d.change != nil {
			d.change(&s, m.Blobs)
		}
		needs := d.needs
		if d.feeds != "" {
			s.Consumer = id(d.feeds)
			needs = append(needs, d.feeds)
		}
		for j, other := range defs {
			if other.feeds == d.name {
				s.Producers = append(s.Producers, db.ServiceID(j))
			}
		}
		for _, n := range needs {
			edges = append(edges, graph.Edge{From: db.ServiceID(i), To: id(n)})
		}
		for _, n := range d.wants {
			wants = append(wants, graph.Edge{From: db.ServiceID(i), To: id(n)})
		}
		for _, n := range slices.Concat(d.wants, d.after) {
			soft = append(soft, graph.Edge{From: db.ServiceID(i), To: id(n)})
		}
		m.Services = append(m.Services, s)
	}
	var err error
	if m.Needs, err = graph.New(len(defs), edges); err != nil {
		t.Fatal(err)
	}
	if m.Wants, err = graph.New(len(defs), wants); err != nil {
		t.Fatal(err)
	}
	if m.Soft, err = graph.New(len(defs), soft); err != nil {
		t.Fatal(err)
	}
	all, err := graph.Union(m.Needs, m.Soft)
	if err != nil {
		t.Fatal(err)
	}
	if m.Levels, err = all.Levels(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Write(path, &m, db.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// testTree is a live directory under a private s6-svscan.
type testTree struct {
	*s6test.Scandir
	t       testing.TB
	dir     *live.Dir
	options tree.Options
	streams []*os.File
	held    chan *os.File
	// patience is how long supervisors may take to appear; 0 is as usual.
	patience time.Duration
	// warnings are those of init and of all requests.
	warnings []string
}

func (tr *testTree) warn(text string) {
	tr.t.Log("warning:", text)
	tr.warnings = append(tr.warnings, text)
}

// newTree makes a live directory with these services. In the environment of
// their programs LOG, FIFO, FIFO2 and NEVER are paths in Root.
func newTree(t testing.TB, defs ...definition) *testTree {
	t.Helper()
	sc := s6test.New(t, func(c *exec.Cmd) {
		c.Env = append(c.Env, "LOG="+filepath.Join(c.Dir, "log"), "FIFO="+filepath.Join(c.Dir, "fifo"), "FIFO2="+filepath.Join(c.Dir, "fifo2"),
			"NEVER="+filepath.Join(c.Dir, "never"))
	})
	return newTreeIn(t, sc, defs...)
}

// newTreeIn makes a live directory beside a scandir.
func newTreeIn(t testing.TB, sc *s6test.Scandir, defs ...definition) *testTree {
	t.Helper()
	tr := &testTree{Scandir: sc, t: t, held: make(chan *os.File, 1)}
	base := filepath.Join(sc.Root, "db")
	writeDB(t, base, defs)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(sc.Root, "live")
	if _, err := live.Init(t.Context(), live.InitOptions{DB: base, Live: path, Scandir: sc.Dir, Program: program, Lenient: true, Warn: tr.warn}); err != nil {
		t.Fatalf("%v\n%s", err, sc.Log())
	}
	if tr.dir, err = live.Open(path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(sc.Log())
		}
	})
	return tr
}

// pastRunner returns once what is begun from now on can be told from what was begun before
// the runner was there: the kernel knows its start to a hundredth of a second, and nothing
// tells when that is over.
func (tr *testTree) pastRunner() {
	tr.t.Helper()
	for begin := time.Now(); ; runtime.Gosched() {
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
			tr.t.Fatal(err)
		}
		if tr.dir.RanAt(live.RunnerSlot, time.Duration(now.Nano())) {
			return
		}
		if time.Since(begin) > time.Minute {
			tr.t.Fatal("there is no runner")
		}
	}
}

func (tr *testTree) lock() *live.Writer {
	tr.t.Helper()
	w, err := tr.dir.Lock(tr.t.Context(), false)
	if err != nil {
		tr.t.Fatal(err)
	}
	return w
}

// run runs a request for names.
func (tr *testTree) run(req change.Request, names string) change.Result {
	tr.t.Helper()
	return tr.runIn(tr.t.Context(), req, names)
}

// runIn is run with an end.
func (tr *testTree) runIn(ctx context.Context, req change.Request, names string) change.Result {
	tr.t.Helper()
	w := tr.lock()
	defer w.Close()
	sup := tree.New(tr.dir)
	sup.Streams = tr.streams
	sup.Warn = func(err error) { tr.warn(err.Error()) }
	if tr.patience > 0 {
		sup.SetPatience(tr.patience)
	}
	defer sup.Close()
	s, err := tree.Open(tr.t.Context(), w, sup)
	if err != nil {
		tr.t.Fatal(err)
	}
	defer s.Close()
	if req.Names, err = tree.Resolve(s.View.DB, strings.Fields(names)); err != nil {
		tr.t.Fatal(err)
	}
	o := tr.options
	o.Cause = "test"
	_, r, err := s.Run(ctx, req, o)
	if err != nil {
		tr.t.Fatal(err)
	}
	return r
}

// must runs a request in which nothing may fail.
func (tr *testTree) must(op change.Op, names string) change.Result {
	tr.t.Helper()
	r := tr.run(change.Request{Op: op}, names)
	if !r.OK() || r.Journal != nil {
		tr.t.Fatalf("%s %s: %+v\n%s", op, names, r, tr.Log())
	}
	return r
}

func (tr *testTree) snapshot() *live.State {
	tr.t.Helper()
	st, err := tr.dir.State()
	if err != nil {
		tr.t.Fatal(err)
	}
	return st
}

func (tr *testTree) content() db.Digest   { return tr.snapshot().Content }
func (tr *testTree) table() journal.Table { return tr.snapshot().Table }

func (tr *testTree) state(name string) live.ServiceState {
	tr.t.Helper()
	for _, s := range tr.snapshot().Services {
		if s.Name == name {
			return s
		}
	}
	tr.t.Fatalf("no service %s", name)
	return live.ServiceState{}
}

func (tr *testTree) slot(name string) live.Slot   { return tr.state(name).Slot }
func (tr *testTree) status(name string) s6.Status { return tr.state(name).Status }

// ups are the names of all that is up.
func (tr *testTree) ups() string {
	tr.t.Helper()
	var names []string
	for _, s := range tr.snapshot().Services {
		if s.Up {
			names = append(names, s.Name)
		}
		if s.Observed {
			tr.t.Errorf("%s is not as the journal has it", s.Name)
		}
	}
	return strings.Join(names, " ")
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
