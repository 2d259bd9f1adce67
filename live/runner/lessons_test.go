package runner

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
)

// Who asks again for the same job, because its connection was lost or it does not
// know, gets the result of the one that runs or has run. Another job with the same
// id is another job.
func TestL27ExactlyOnce(t *testing.T) {
	m := newMachine(t, map[string]string{"once": "echo run >>runs; echo begun >out; read x <in; exit 6"})
	runs := func() int {
		return strings.Count(read(t, filepath.Join(m.dir.Servicedir(live.RunnerSlot), "runs")), "run")
	}
	in, out := m.fifo("in"), m.fifo("out")
	req := m.request("once")

	first := m.connect()
	must(t, first.send(Request{
		Op: OpRun, ID: req.ID, Token: req.Token, Content: req.Content, Service: req.Service, Slot: req.Slot, Phase: req.Phase,
	}, nil))
	line(t, out)
	first.Close()
	again, more := m.run(req), m.run(req)
	other := req
	other.Token = "2"
	var refused *RefusedError
	if _, err := m.connect().Run(t.Context(), other, nil); !errors.As(err, &refused) {
		t.Errorf("another job with the id of one that runs: %v", err)
	}
	in.WriteString("\n")
	for _, got := range []<-chan answer{again, more, m.run(req)} {
		if r := m.await(got); r.Exit != 6 {
			t.Errorf("%+v", r)
		}
	}
	m.replace()
	must(t, m.connect().Renew(t.Context()))
	if r := m.await(m.run(req)); r.Exit != 6 || runs() != 1 {
		t.Errorf("%+v, run %d times", r, runs())
	}
	if _, err := m.connect().Wait(t.Context(), req.ID, other.Token); !errors.Is(err, ErrUnknownJob) {
		t.Errorf("a job that was not run: %v", err)
	}
	got := m.run(other)
	line(t, out)
	in.WriteString("\n")
	if r := m.await(got); r.Exit != 6 || runs() != 2 {
		t.Errorf("%+v, run %d times", r, runs())
	}
	c := m.connect()
	must(t, c.Clear(t.Context()))
	if jobs, err := c.Jobs(t.Context()); err != nil || len(jobs) > 0 {
		t.Errorf("%+v, %v", jobs, err)
	}
}

// Only what a database in the live directory says is run, and only while it is
// there.
func TestL27OnlyDatabases(t *testing.T) {
	m := newMachine(t, map[string]string{"ok": "exit 0"})
	c := m.connect()
	good := m.request("ok")
	if r, err := c.Run(t.Context(), good, nil); err != nil || !r.OK() {
		t.Fatalf("%+v, %v", r, err)
	}
	for name, change := range map[string]func(*Request){
		"another database": func(r *Request) { r.Content[0] ^= 1 },
		"another service":  func(r *Request) { r.Service = "sh" },
		"a path":           func(r *Request) { r.Service = "../1/run" },
		"another phase":    func(r *Request) { r.Phase = "run" },
	} {
		req := good
		req.ID = name
		change(&req)
		var refused *RefusedError
		if _, err := c.Run(t.Context(), req, nil); !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, os.Remove(m.dir.DatabasePath(m.content)))
	good.ID = "gone"
	var refused *RefusedError
	if _, err := c.Run(t.Context(), good, nil); !errors.As(err, &refused) {
		t.Errorf("a database that is no longer there: %v", err)
	}
}

// A program gets its standard streams and nothing else; so before and after a
// renewal, which passes descriptors on, those of others who wait among them.
func TestL28ProgramDescriptors(t *testing.T) {
	m := newMachine(t, map[string]string{"list": "cd /proc/self/fd && echo *", "wait": "echo begun >out; read x <in"})
	m.run(m.request("wait"))
	line(t, m.fifo("out"))
	for range 2 {
		theirs, _, out := streams(t)
		c := m.connect()
		must(t, c.Clear(t.Context()))
		if r, err := c.Run(t.Context(), m.request("list"), theirs); err != nil || !r.OK() {
			t.Fatalf("%+v, %v", r, err)
		}
		// The shell has the directory open that it lists.
		if got := line(t, out); got != "0 1 2 3" {
			t.Errorf("a program has %s", got)
		}
		m.replace()
		must(t, c.Renew(t.Context()))
	}
}

// The runner keeps nothing of a program that has ended.
func TestL28RunnerDescriptors(t *testing.T) {
	m := newMachine(t, map[string]string{"quick": "exit 0"})
	c := m.connect()
	theirs, _, _ := streams(t)
	var before string
	for i := range 500 {
		req, with := m.request("quick"), theirs
		req.ID = strconv.Itoa(i)
		if i%2 == 0 {
			with = nil
		}
		if r, err := c.Run(t.Context(), req, with); err != nil || !r.OK() {
			t.Fatalf("%+v, %v", r, err)
		}
		if i == 0 {
			before = m.descriptors()
		}
	}
	if after := m.descriptors(); after != before {
		t.Errorf("the runner had %s, and has %s", before, after)
	}
}

// No signal is blocked in a program, whatever is in the runner. (A shell would
// unblock them all.)
func TestSignalMask(t *testing.T) {
	m := newMachine(t, map[string]string{"mask": ""}, func(s *db.Service) {
		s.Up = db.Program{Form: db.Argv, Argv: []string{"grep", "^SigBlk:", "/proc/self/status"}}
	})
	theirs, _, out := streams(t)
	if r, err := m.connect().Run(t.Context(), m.request("mask"), theirs); err != nil || !r.OK() {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := line(t, out); got != "SigBlk:\t0000000000000000" {
		t.Errorf("a program has %s", got)
	}
}

// descriptors are those of the runner, and what they are.
func (m *machine) descriptors() string {
	m.t.Helper()
	dir := "/proc/" + strconv.Itoa(m.pid()) + "/fd/"
	entries, err := os.ReadDir(dir)
	must(m.t, err)
	var all []string
	for _, e := range entries {
		to, _ := os.Readlink(dir + e.Name())
		all = append(all, e.Name()+"="+to)
	}
	return strings.Join(all, " ")
}

// A program with a terminal has it as its own.
func TestTTY(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	must(t, err)
	defer master.Close()
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	must(t, err)
	must(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	tty := "/dev/pts/" + strconv.Itoa(n)

	m := newMachine(t, map[string]string{"ask": "stty -echo; echo passphrase; read x; echo got $x >/dev/tty; tty; exit 9"},
		func(s *db.Service) { s.TTY = tty })
	got := m.run(m.request("ask"))
	expect := func(want string) {
		t.Helper()
		if text := strings.TrimSuffix(line(t, master), "\r"); text != want {
			t.Errorf("%q, want %q", text, want)
		}
	}
	expect("passphrase")
	master.WriteString("word\n")
	expect("got word")
	expect(tty)
	if r := m.await(got); r.Exit != 9 {
		t.Errorf("%+v", r)
	}
}

// A terminal that is not there is an error of the job.
func TestNoTTY(t *testing.T) {
	m := newMachine(t, map[string]string{"ask": "exit 0"}, func(s *db.Service) { s.TTY = "/nowhere/tty" })
	if r := m.await(m.run(m.request("ask"))); r.OK() || !strings.Contains(r.Error, "/nowhere/tty") {
		t.Errorf("%+v", r)
	}
}

// Each phase has its program.
func TestPhases(t *testing.T) {
	program := func(code string) db.Program {
		return db.Program{Form: db.Argv, Argv: []string{"sh", "-c", "exit " + code}}
	}
	m := newMachine(t, map[string]string{"one": ""}, func(s *db.Service) {
		s.Up, s.Down, s.Reload = program("2"), program("3"), program("4")
	})
	for phase, want := range map[journal.Phase]int{journal.PhaseUp: 2, journal.PhaseDown: 3, journal.PhaseReload: 4} {
		req := m.request("one")
		req.ID, req.Phase = "one."+string(phase), phase
		if r := m.await(m.run(req)); r.Exit != want {
			t.Errorf("%s: %+v", phase, r)
		}
	}
}

// Another user is told so, even if the modes let it connect.
func TestForeignUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: another user connects")
	}
	m := newMachine(t, map[string]string{"ok": "exit 0"})
	socket := m.dir.RunnerSocket()
	for path := socket; path != "/dev" && path != "/tmp" && path != "/"; path = filepath.Dir(path) {
		if strings.HasPrefix(path, m.root) {
			must(t, os.Chmod(path, 0o777))
		}
	}
	m.replace() // a program that others can execute
	cmd := exec.Command(m.program(), "dial", socket)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	b, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(b), "user 65534 may not run oneshots here") {
		t.Errorf("%s, %v", b, err)
	}
	must(t, m.connect().Clear(t.Context()))
}
