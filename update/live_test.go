package update

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/internal/lines"
	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/holder"
	"strata/live/journal"
	"strata/live/runner"
	"strata/live/s6/s6test"
)

// TestMain lets the test binary be the internal services of its live directories.
func TestMain(m *testing.M) {
	if lines.Main(os.Args[1:]) {
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == live.HolderCommand {
		if err := holder.Main(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == live.RunnerCommand {
		if err := runner.Main(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == killedUpdate {
		if err := runKilled(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// bench is a private s6-svscan on which live directories come and go.
type bench struct {
	*s6test.Scandir
	t       testing.TB
	program string
	count   int
}

func newBench(t testing.TB) *bench {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &bench{Scandir: s6test.New(t), t: t, program: program}
}

func (b *bench) write(s specs) string {
	b.t.Helper()
	b.count++
	path := filepath.Join(b.Root, "db"+strconv.Itoa(b.count))
	if _, err := db.Write(path, s.model(b.t), db.WriteOptions{}); err != nil {
		b.t.Fatal(err)
	}
	return path
}

// machineTest is a live directory in a test.
type machineTest struct {
	*bench
	d   *live.Dir
	w   *live.Writer
	sup *tree.Supervisor
	// store is what updates that are killed do to a store.
	store storeUpdate
}

// init makes a live directory for old and brings these names up.
func (b *bench) init(old specs, start ...string) *machineTest {
	b.t.Helper()
	b.count++
	o := live.InitOptions{
		DB: b.write(old), Live: filepath.Join(b.Root, "l"+strconv.Itoa(b.count)), Scandir: b.Dir,
		Prefix: fmt.Sprintf("p%d-", b.count), Program: b.program,
	}
	if _, err := live.Init(b.t.Context(), o); err != nil {
		b.t.Fatal(err)
	}
	d, err := live.Open(o.Live)
	if err != nil {
		b.t.Fatal(err)
	}
	m := &machineTest{bench: b, d: d, sup: tree.New(d)}
	if m.w, err = d.Lock(b.t.Context(), false); err != nil {
		b.t.Fatal(err)
	}
	m.change(change.Start, start...)
	return m
}

// end takes the live directory away, with all it supervises.
func (m *machineTest) end() {
	m.t.Helper()
	m.sup.Close()
	var list []live.Named
	for _, in := range live.Internals() {
		list = append(list, live.Named(in))
	}
	for _, e := range m.w.Journal().Table {
		if e.Type == db.Longrun {
			list = append(list, live.Named{Name: e.Name, Slot: e.Slot})
		}
	}
	if err := m.w.Unsupervise(context.Background(), list); err != nil {
		m.t.Error(err)
	}
	if err := m.w.Close(); err != nil {
		m.t.Error(err)
	}
	for _, path := range []string{m.d.Path(), m.d.Real()} {
		if err := os.RemoveAll(path); err != nil {
			m.t.Error(err)
		}
	}
}

func (m *machineTest) state() *live.State {
	m.t.Helper()
	st, err := m.w.State()
	if err != nil {
		m.t.Fatal(err)
	}
	return st
}

func (m *machineTest) up() []string {
	m.t.Helper()
	out := []string{}
	for _, s := range m.state().Services {
		if s.Up {
			out = append(out, s.Name)
		}
	}
	slices.Sort(out)
	return out
}

// pids are the processes of the longruns that are up.
func (m *machineTest) pids() map[string]int {
	m.t.Helper()
	out := map[string]int{}
	for _, s := range m.state().Services {
		if s.Type == db.Longrun && s.Up {
			out[s.Name] = s.Status.PID
		}
	}
	return out
}

// base is what an update begins with now.
func (m *machineTest) base() Base {
	m.t.Helper()
	st := m.state()
	v, err := m.d.View(st.Content, st.Table)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { v.DB.Close() })
	return Base{st, v}
}

// change does what rc-ctl start and stop do.
func (m *machineTest) change(op change.Op, names ...string) {
	m.t.Helper()
	st := m.state()
	v, err := m.d.View(st.Content, st.Table)
	if err != nil {
		m.t.Fatal(err)
	}
	defer v.DB.Close()
	req := change.Request{Op: op, Essentials: true}
	var want journal.Want
	for _, name := range names {
		ids, ok := v.DB.Resolve(name)
		if !ok {
			m.t.Fatalf("no service %s", name)
		}
		req.Names = append(req.Names, ids...)
		for _, i := range ids {
			want.Slots = append(want.Slots, v.Slot(i))
		}
	}
	want.Up = op == change.Start
	if err := m.w.Append("test", want); err != nil {
		m.t.Fatal(err)
	}
	plan, err := change.Make(change.GraphsOf(v.DB), st.Services, req)
	if err != nil {
		m.t.Fatal(err)
	}
	r, err := change.Run(m.t.Context(), m.sup.Env(m.w, v, st.Services), plan)
	if err != nil || !r.OK() {
		m.t.Fatalf("%s %v: %+v, %v", op, names, r, err)
	}
}

// update plans and applies.
func (m *machineTest) update(new specs, o Options, conv ...string) (*Patch, Result, error) {
	m.t.Helper()
	newdb, err := m.w.AddDB(m.write(new))
	if err != nil {
		m.t.Fatal(err)
	}
	defer newdb.Close()
	p, err := PlanLive(m.d, m.base(), newdb, conversions(conv...), o)
	if err != nil {
		return nil, Result{}, err
	}
	r, err := Apply(m.t.Context(), m.w, m.base(), newdb, p, m.env())
	return p, r, err
}

func (m *machineTest) env() Env {
	return Env{Cause: "test", Engine: func(v live.View, states []live.ServiceState) (change.Env, error) {
		return m.sup.Env(m.w, v, states), nil
	}}
}

// exitCode is that of s6-rc-update.
func (r Result) exitCode() int {
	switch {
	case r.OK():
		return 0
	case r.Switched:
		return 1
	}
	return 9
}

// TestConformanceLive does the cases on a real s6 and compares exit code and what
// is up afterwards.
func TestConformanceLive(t *testing.T) {
	t.Parallel()
	cases := updateCases(t, conformanceCases)
	const oneIn = 3 // of the others; the plans of all are compared elsewhere
	for i, c := range updateCases(t, pipelineCases) {
		if i%oneIn == 0 {
			cases = append(cases, c)
		}
	}
	for worker := range 2 {
		t.Run(strconv.Itoa(worker), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			for i := worker; i < len(cases); i += 2 {
				b.conform(cases[i])
			}
		})
	}
}

func (b *bench) conform(c updateCase) {
	b.t.Helper()
	m := b.init(c.Old, c.Start...)
	defer m.end()
	if len(c.Stopped) > 0 {
		m.change(change.Stop, c.Stopped...)
	}
	if got := m.up(); !slices.Equal(got, c.Up) {
		b.t.Errorf("case %d: up before %v, want %v", c.ID, got, c.Up)
	}
	p, r, err := m.update(c.New, Options{Policy: Identity, ForceEssentials: c.ForceEssentials}, c.Conv...)
	code := exitOf(err)
	if err == nil {
		code = r.exitCode()
	}
	if code != c.Expect.Exit {
		b.t.Errorf("case %d: exit %d, want %d: %v, %v", c.ID, code, c.Expect.Exit, r.Outcome, err)
	}
	if got := m.up(); !slices.Equal(got, c.Expect.Up) {
		b.t.Errorf("case %d: up afterwards %v, want %v; %v", c.ID, got, c.Expect.Up, brief(p))
	}
	for _, note := range r.Notes {
		b.t.Errorf("case %d: %v", c.ID, note)
	}
}

func mkfifo(t testing.TB, path string) {
	t.Helper()
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}
