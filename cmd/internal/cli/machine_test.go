package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/live"
	"strata/live/change"
	"strata/live/change/scenario"
	"strata/live/journal"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// machine is a private s6-svscan with a live directory, and our programs.
type machine struct {
	*s6test.Scandir
	*scenario.Control
	t    *testing.T
	bin  string
	dir  *live.Dir
	odd  map[scenario.Transition]bool
	said []string // what was done, for who reads of a failure
}

// newMachine compiles the services and initialises a live directory of them.
func newMachine(t *testing.T, services []scenario.Service) *machine {
	t.Helper()
	sc := s6test.New(t)
	m := bareMachine(t, sc)
	m.Control, m.odd = scenario.NewControl(t, services), map[scenario.Transition]bool{}
	source := filepath.Join(sc.Root, "source")
	err := os.Mkdir(source, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		m.write(filepath.Join(source, s.Name+".toml"), s)
	}
	m.must("rc-compile", "-o", "db", "source")
	m.must("rc-init", "-c", "db", "-l", filepath.Join(sc.Root, "live"), sc.Dir)
	if m.dir, err = live.Open(filepath.Join(sc.Root, "live")); err != nil {
		t.Fatal(err)
	}
	return m
}

// bareMachine has our programs, and nothing live.
func bareMachine(t *testing.T, sc *s6test.Scandir) *machine {
	t.Helper()
	m := &machine{Scandir: sc, t: t, bin: filepath.Join(sc.Root, "bin")}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s\n%s", strings.Join(m.said, "\n"), sc.Log())
		}
	})
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(m.bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"strata", "rc-compile", "rc-init", "rc-ctl", "rc-update"} {
		if err := os.Symlink(program, filepath.Join(m.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// write writes the definition of a service.
func (m *machine) write(path string, s scenario.Service) {
	m.t.Helper()
	text := fmt.Sprintf("needs = %s\nwants = %s\nafter = %s\n", list(s.Needs), list(s.Wants), list(s.After))
	for op, key := range map[change.Op]string{change.Start: "timeout-up", change.Stop: "timeout-down"} {
		if s.Limited[op] {
			text += fmt.Sprintf("%s = %d\n", key, scenario.Limit.Milliseconds())
		}
	}
	script := func(key, program string) { text += fmt.Sprintf("%s = '''%s'''\n", key, program) }
	if s.Oneshot {
		text += "type = \"oneshot\"\n"
		script("up", m.Oneshot(scenario.Transition{Service: s.Name, Op: change.Start}))
		script("down", m.Oneshot(scenario.Transition{Service: s.Name, Op: change.Stop}))
	} else {
		text += fmt.Sprintf("type = \"longrun\"\nnotification-fd = 3\ntimeout-kill = %d\n", scenario.TimeoutKill)
		script("run", m.Control.Run(s.Name))
		script("finish", m.Finish(s.Name))
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func list(names []string) string {
	if len(names) == 0 {
		return "[]"
	}
	return `["` + strings.Join(names, `", "`) + `"]`
}

// say remembers what was done.
func (m *machine) say(format string, args ...any) {
	m.said = append(m.said, fmt.Sprintf(format, args...))
}

// must runs one of our programs, which has to succeed, and gives what it wrote.
func (m *machine) must(program string, args ...string) string {
	m.t.Helper()
	code, out := m.call(nil, program, args...)
	if code != 0 {
		m.t.Fatalf("%s %q: exit code %d\n%s", program, args, code, out)
	}
	return out
}

// call runs one of our programs, and meanwhile, once it was started. The exit code
// is -1 if a signal has killed it. One that hangs fails the test.
func (m *machine) call(meanwhile func(context.Context, *os.Process), program string, args ...string) (code int, out string) {
	m.t.Helper()
	// Programs of oneshots may have it open longer than the command lives.
	log, err := os.CreateTemp(m.Root, "out")
	if err != nil {
		m.t.Fatal(err)
	}
	defer log.Close()
	c := exec.Command(filepath.Join(m.bin, program), args...)
	c.Dir, c.Stdout, c.Stderr = m.Root, log, log
	if err := c.Start(); err != nil {
		m.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), s6test.Limit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.Process.Signal(syscall.SIGQUIT) })
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	if meanwhile != nil {
		over, end := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			meanwhile(over, c.Process)
		}()
		err = <-ended
		end()
		<-done
	} else {
		err = <-ended
	}
	text, readErr := os.ReadFile(log.Name())
	if readErr != nil {
		m.t.Fatal(readErr)
	}
	code = c.ProcessState.ExitCode()
	m.say("%s %s: %d\n%s", program, strings.Join(args, " "), code, text)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Fatal(err)
	}
	if !stop() {
		m.t.Fatalf("%s %q hangs", program, args)
	}
	return code, string(text)
}

// steady says whether nothing is under way any more, what the journal says is
// true, and nothing is left of what was done before. leftover says that oneshots
// may still run that nobody waited for.
func (m *machine) steady(when string, leftover bool) {
	m.t.Helper()
	// First, since whoever listens removes what killed listeners have left.
	for _, pattern := range []string{"sv/*/event/ftrig*", "event/ftrig*"} {
		fifos, err := filepath.Glob(filepath.Join(m.dir.Real(), pattern))
		if err != nil || len(fifos) > 0 {
			m.t.Errorf("%s: %q are left, %v", when, fifos, err)
		}
	}
	for _, slot := range m.supervisedSlots() {
		m.settled(slot)
	}
	completed := m.Completed()
	for _, s := range m.state().Services {
		// What was told to stop and not waited for may be down by now, or not.
		stops := m.odd[scenario.Transition{Service: s.Name, Op: change.Stop}] || s.Failed == journal.PhaseDown
		pending := s.Pending != "" || s.Unknown
		switch {
		case s.Starting, s.Stopping() && !stops, pending && !leftover:
			m.t.Errorf("%s: %s is on its way: %+v", when, s.Name, s)
		case s.Observed && !stops:
			m.t.Errorf("%s: the journal is wrong about %s: %+v", when, s.Name, s)
		case s.Type == db.Oneshot && !pending && s.Up != (completed[s.Name] == change.Start):
			m.t.Errorf("%s: %s: up is %t, and the last program that ended well was %q", when, s.Name, s.Up, completed[s.Name])
		}
	}
	m.nothingLeft(when, leftover)
}

func (m *machine) state() *live.State {
	m.t.Helper()
	st, err := m.dir.State()
	if err != nil {
		m.t.Fatal(err)
	}
	return st
}

// supervisedSlots are those of all longruns, the internal services included.
func (m *machine) supervisedSlots() []live.Slot {
	m.t.Helper()
	var slots []live.Slot
	for _, in := range live.Internals() {
		slots = append(slots, in.Slot)
	}
	for _, s := range m.state().Services {
		if s.Type == db.Longrun {
			slots = append(slots, s.Slot)
		}
	}
	return slots
}

// settled waits until the supervisor of a service is there, and has done what it is
// about to do: start again what died, end what it was told to. Where that takes for
// ever, since the service hangs, it does not wait.
func (m *machine) settled(slot live.Slot) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), s6test.Limit)
	defer cancel()
	dir := m.dir.Servicedir(slot)
	if err := s6.AwaitSupervised(ctx, dir); err != nil {
		m.t.Fatalf("no supervisor for %s: %v", dir, err)
	}
	st, err := s6.ReadStatus(dir)
	if err != nil {
		m.t.Fatal(err)
	}
	op, goal := change.Start, s6.GoalUpReady()
	if !st.WantUp {
		op, goal = change.Stop, s6.GoalDownReady()
	}
	for _, s := range m.state().Services {
		if s.Slot == slot && m.odd[scenario.Transition{Service: s.Name, Op: op}] {
			return
		}
	}
	if _, err := s6.WaitFor(ctx, dir, goal); err != nil {
		m.t.Fatalf("%s does not come to rest: %v", dir, err)
	}
}

// nothingLeft looks for processes and locks. What is in the session of a service that
// runs belongs to that.
func (m *machine) nothingLeft(when string, leftover bool) {
	m.t.Helper()
	known, services := []int{m.PID()}, []int{}
	for _, slot := range m.supervisedSlots() {
		dir := m.dir.Servicedir(slot)
		pid, err := s6.SupervisorPID(dir)
		if err != nil {
			m.t.Fatal(err)
		}
		st, err := s6.ReadStatus(dir)
		if err != nil {
			m.t.Fatal(err)
		}
		known = append(known, pid)
		if st.PID != 0 {
			known, services = append(known, st.PID), append(services, st.PID)
		}
	}
	for _, p := range m.Processes() {
		session, _ := unix.Getsid(p.PID)
		if !leftover && !slices.Contains(known, p.PID) && !slices.Contains(services, session) && !p.Ends() {
			m.t.Errorf("%s: process %d (%s) is left", when, p.PID, p.Name)
		}
	}
	w, err := m.dir.Lock(m.t.Context(), false)
	if err != nil {
		m.t.Errorf("%s: %v", when, err)
		return
	}
	if err := w.Close(); err != nil {
		m.t.Error(err)
	}
}

// killSupervisor kills the supervisor of a service and what it runs. A run whose
// supervisor alone is killed goes on beside the next one's: s6 has it so.
func (m *machine) killSupervisor(slot live.Slot) {
	dir := m.dir.Servicedir(slot)
	sup, err := s6.OpenSupervisor(dir)
	if err != nil {
		return // it has been killed before
	}
	defer sup.Close()
	syscall.Kill(sup.PID(), syscall.SIGKILL)
	if err := sup.Dead(m.t.Context()); err != nil {
		m.t.Error(err)
	}
	killService(dir)
	// What it was just starting does not stand in its status.
	for _, p := range m.Processes() {
		parent := parentOf(p.PID)
		if parent != m.PID() && runsIn(p.PID, dir) && !runsIn(parent, dir) {
			killGroup(p.PID)
		}
	}
}

// runsIn reports whether a directory is the current one of a process.
func runsIn(pid int, dir string) bool {
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && cwd == dir
}

// parentOf is the parent of a process, 0 if that is gone.
func parentOf(pid int) (parent int) {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	var state string
	_, _ = fmt.Sscan(string(stat[bytes.LastIndexByte(stat, ')')+1:]), &state, &parent)
	return parent
}

// killService kills what the status of a service directory says is running there.
func killService(dir string) {
	if st, err := s6.ReadStatus(dir); err == nil && st.PID != 0 {
		killGroup(st.PID)
	}
}

// killGroup kills a process and its group, if it leads one.
func killGroup(pid int) {
	if syscall.Kill(-pid, syscall.SIGKILL) != nil {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// killRunner kills the oneshot runner and the programs that it runs.
func (m *machine) killRunner() {
	st, err := s6.ReadStatus(m.dir.Servicedir(live.RunnerSlot))
	if err != nil || st.PID == 0 {
		return
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", st.PID))
	var jobs []int
	for _, path := range tasks {
		children, _ := os.ReadFile(path)
		for field := range strings.FieldsSeq(string(children)) {
			var pid int
			if n, _ := fmt.Sscan(field, &pid); n == 1 {
				jobs = append(jobs, pid)
			}
		}
	}
	for _, pid := range append([]int{st.PID}, jobs...) {
		killGroup(pid)
	}
}
