package update

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
)

// killedUpdate is the first argument with which the test binary updates a live
// directory and kills itself at a step; see [machineTest.killed].
const killedUpdate = "killed-update"

// runKilled updates args[0] to the database args[1] by the policy args[3], and the store
// as args[4] says (see [storeUpdate]), with the conversions args[5:], until the step with
// the number args[2]. It says on standard output which one that is.
func runKilled(args []string) error {
	d, err := live.Open(args[0])
	if err != nil {
		return err
	}
	w, err := d.Lock(context.Background(), false)
	if err != nil {
		return err
	}
	newdb, err := w.AddDB(args[1])
	if err != nil {
		return err
	}
	st, err := w.State()
	if err != nil {
		return err
	}
	v, err := w.View(st.Content, st.Table)
	if err != nil {
		return err
	}
	base := Base{st, v}
	p, err := PlanLive(d, base, newdb, conversions(args[5:]...), Options{Policy: Policy(args[3])})
	if err != nil {
		return err
	}
	if err := storeUpdate(args[4]).into(p); err != nil {
		return err
	}
	left, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	step := func(name string) {
		if left--; left == 0 {
			fmt.Println(name)
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	w.Hooks = func(name string) error { step(name); return nil }
	sup := tree.New(d)
	r, err := Apply(context.Background(), w, base, newdb, p, Env{
		Cause:   "test",
		Observe: func(a Action) { step("done " + string(a.Op)) },
		Engine: func(v live.View, states []live.ServiceState) (change.Env, error) {
			return sup.Env(w, v, states), nil
		},
	})
	if err == nil && !r.OK() {
		err = fmt.Errorf("update: %+v", r)
	}
	return errors.Join(err, w.Close())
}

// killed has another process update to a database and die at the n-th step. It
// gives the step, or "" if there were fewer and all was done.
func (m *machineTest) killed(newdb string, n int, policy Policy, conv ...string) (step string) {
	m.t.Helper()
	m.sup.Close()
	if err := m.w.Close(); err != nil {
		m.t.Fatal(err)
	}
	args := append([]string{killedUpdate, m.d.Path(), newdb, strconv.Itoa(n), string(policy), string(m.store)}, conv...)
	var errs bytes.Buffer
	cmd := exec.Command(m.program, args...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL) {
		m.t.Fatalf("%v: %s", err, errs.String())
	}
	return strings.TrimSuffix(string(out), "\n")
}

// stopAll does what rc-ctl change -D -a does, and gives the lock back.
func (m *machineTest) stopAll() {
	m.t.Helper()
	w, err := m.d.Lock(m.t.Context(), false)
	if err != nil {
		m.t.Fatal(err)
	}
	sup := tree.New(m.d)
	defer sup.Close()
	s, err := tree.Open(m.t.Context(), w, sup)
	if err != nil {
		m.t.Fatal(err)
	}
	_, r, err := s.Run(m.t.Context(), change.Request{Op: change.Stop, Live: true, Essentials: true}, tree.Options{Cause: "test"})
	if err != nil || !r.OK() {
		m.t.Errorf("full stop: %+v, %v", r, err)
	}
	if err := errors.Join(s.Close(), w.Close()); err != nil {
		m.t.Error(err)
	}
}

// supervisors counts the supervisors that run under the s6-svscan.
func (b *bench) supervisors() int {
	b.t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.t.Fatal(err)
	}
	count := 0
	for _, path := range stats {
		stat, _ := os.ReadFile(path)
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 1 && fields[0] != "Z" && fields[1] == strconv.Itoa(b.PID()) && bytes.Contains(stat, []byte("(s6-supervise)")) {
			count++
		}
	}
	return count
}

// Killed at any step of an update, a machine that was stopped can be initialised
// with either database, and nothing of the other is left.
func TestKilledUpdate(t *testing.T) {
	t.Parallel()
	feeds := func(s *spec) { s.Feeds = "c" }
	old := specs{
		"a": longrun(), "b": longrun().with(runs("# b")), "c": longrun(), "d": longrun().with(feeds), "e": oneshot(), "gone": longrun(),
		"x": longrun().with(runs("# x")), "job": oneshot("a").with(func(s *spec) { s.Down = "exit 0" }), "idle": longrun(),
	}
	new := specs{
		"b": longrun(), "a": longrun().with(runs("# b")), "c": longrun().with(runs("# new")), "d": longrun().with(feeds), "e": longrun(), "f": longrun("e"), "h": longrun().with(func(s *spec) { s.Feeds = "f" }),
		"gone": longrun(), "group": {Type: "bundle", Contents: []string{"g1", "g2"}}, "g1": longrun(), "g2": oneshot(), "y": longrun().with(runs("# x")), "job2": oneshot("a"),
	}
	for name, target := range map[string]specs{"old": old, "new": new} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			steps := map[string]bool{}
			for n := 1; ; n++ {
				m := b.init(old, "b", "d", "e", "gone", "x", "job")
				step := m.killed(b.write(new), n, Definition, "a -> b", "b -> a", "gone -> group", "x -> y")
				steps[step] = true
				if step != "" {
					m.renewed(fmt.Sprintf("killed at %s (%d)", step, n), target)
				} else {
					m.reopen()
				}
				m.end()
				if step == "" {
					break
				}
			}
			for _, step := range []string{
				"done stop", "update-make", "rename", "switch-def", "update-supervise", "update-database",
				"done switch", "update-remove", "done remove", "done start",
			} {
				if !steps[step] {
					t.Errorf("step %s was never tried: %v", step, slices.Sorted(maps.Keys(steps)))
				}
			}
		})
	}
}

// The same for s6-rc's rules, which list essential services and do not stop them.
func TestKilledEssential(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	down := func(s *spec) { s.Down, s.Essential = "exit 0", true }
	old := specs{"a": longrun(), "k": longrun(), "ess": oneshot().with(down), "root": longrun("ess").with(essential), "z": longrun("root")}
	new := specs{"a": longrun(), "k": longrun(), "z": longrun()}
	for n := 1; ; n++ {
		m := b.init(old, "a", "k", "z")
		step := m.killed(b.write(new), n, Identity, "a restart")
		if step == "" {
			m.reopen()
			m.end()
			break
		}
		m.renewed(fmt.Sprintf("killed at %s (%d)", step, n), old)
		m.end()
	}
}

// renewed expects that a half-applied directory can be stopped and then made anew
// for a database, all of which can be started.
func (m *machineTest) renewed(when string, target specs) {
	m.t.Helper()
	was := m.d.Real()
	if st, err := m.d.State(); err != nil || st.Patch == nil {
		if err != nil {
			m.t.Fatal(err)
		}
		m.reopen()
		return // killed before it began: see TestLongKilledAndResumed
	}
	o := live.InitOptions{DB: m.write(target), Live: m.d.Path(), Scandir: m.Dir, Prefix: m.d.Prefix(), Program: m.program}
	if r, err := live.Init(m.t.Context(), o); err == nil && !r.Patched || err != nil && !errors.Is(err, live.ErrHalfApplied) {
		m.t.Fatalf("%s: init while something is up: %+v, %v", when, r, err)
	}
	m.stopAll()
	if r, err := live.Init(m.t.Context(), o); err != nil || r.Existing {
		m.t.Fatalf("%s: init: %+v, %v", when, r, err)
	}
	m.reopen()
	m.consistent()
	if _, err := os.Lstat(was); !errors.Is(err, os.ErrNotExist) {
		m.t.Errorf("%s: %s is still there", when, was)
	}
	if got, want := m.supervisors(), len(m.entries(m.Dir)); got != want {
		m.t.Errorf("%s: %d supervisors, want %d", when, got, want)
	}
	if got := m.up(); len(got) > 0 {
		m.t.Errorf("%s: up after init: %v", when, got)
	}
	var all []string
	for name, s := range target {
		if s.Type != "bundle" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	m.change(change.Start, all...)
	if got := m.up(); !slices.Equal(got, all) {
		m.t.Errorf("%s: up %v, want %v", when, got, all)
	}
}

// reopen takes the lock of what is live now.
func (m *machineTest) reopen() {
	m.t.Helper()
	d, err := live.Open(m.d.Path())
	if err != nil {
		m.t.Fatal(err)
	}
	m.d, m.sup = d, tree.New(d)
	if m.w, err = d.Lock(m.t.Context(), false); err != nil {
		m.t.Fatal(err)
	}
}
