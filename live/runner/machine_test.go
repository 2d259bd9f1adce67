package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/journal"
	"strata/live/s6/s6test"
)

// TestMain lets the test binary be the oneshot runner, and a client of another user.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == live.RunnerCommand {
		if err := Main(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) == 3 && os.Args[1] == "dial" {
		_, err := Dial(context.Background(), os.Args[2])
		fmt.Println(err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// machine is a runner in a process of its own, with a live directory of oneshots
// but no supervisor.
type machine struct {
	t       testing.TB
	root    string
	dir     *live.Dir
	content db.Digest
	cmd     *exec.Cmd
	exited  chan struct{}
}

// program gives the path of what the runner is to run.
func (m *machine) program() string { return filepath.Join(m.root, "program") }

// newMachine starts a runner of these oneshots: scripts, by name, for all phases.
// Their current directory holds FIFOs in and out.
func newMachine(t testing.TB, scripts map[string]string, change ...func(*db.Service)) *machine {
	t.Helper()
	m := &machine{t: t, root: s6test.TempDir(t), exited: make(chan struct{})}
	real := filepath.Join(m.root, "live")
	sv := filepath.Join(real, "sv", "1")
	must(t, os.MkdirAll(filepath.Join(sv, "data"), 0o755))
	must(t, os.MkdirAll(filepath.Join(real, "db"), 0o755))
	must(t, os.WriteFile(filepath.Join(real, "format"), []byte(live.Format), 0o644))
	must(t, os.WriteFile(filepath.Join(real, "prefix"), nil, 0o644))
	must(t, os.Symlink(m.root, filepath.Join(real, "scandir")))
	must(t, os.Symlink(m.program(), filepath.Join(sv, live.RunnerProgram)))
	for _, name := range []string{"in", "out"} {
		must(t, unix.Mkfifo(filepath.Join(sv, name), 0o600))
	}
	self, err := os.Executable()
	must(t, err)
	must(t, os.Symlink(self, m.program()))
	m.dir, err = live.Open(real)
	must(t, err)
	m.writeDB(scripts, change)
	m.start()
	t.Cleanup(m.stop)
	return m
}

// writeDB writes the database and puts it into the live directory.
func (m *machine) writeDB(scripts map[string]string, change []func(*db.Service)) {
	m.t.Helper()
	model := db.Model{Blobs: db.Blobs{}}
	for name, script := range scripts {
		p := db.Program{Form: db.Argv, Argv: []string{"sh", "-c", script, "x"}}
		s := db.Service{Name: name, Type: db.Oneshot, Up: p, Down: p, Reload: p, Consumer: db.None}
		for _, f := range change {
			f(&s)
		}
		model.Services = append(model.Services, s)
	}
	slices.SortFunc(model.Services, func(a, b db.Service) int { return strings.Compare(a.Name, b.Name) })
	empty, err := graph.New(len(model.Services), nil)
	must(m.t, err)
	model.Needs, model.Wants, model.Soft = empty, empty, empty
	model.Levels, err = empty.Levels()
	must(m.t, err)
	path := filepath.Join(m.root, "db")
	_, err = db.Write(path, &model, db.WriteOptions{})
	must(m.t, err)
	base, err := db.OpenLive(path)
	must(m.t, err)
	m.content = base.Content()
	must(m.t, base.Close())
	must(m.t, os.Rename(path, m.dir.DatabasePath(m.content)))
}

// start starts the runner as its supervisor would, and waits until it is ready.
func (m *machine) start() {
	m.t.Helper()
	ready, theirs, err := os.Pipe()
	must(m.t, err)
	defer ready.Close()
	log, err := os.OpenFile(m.logPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	must(m.t, err)
	defer log.Close()
	m.cmd = exec.Command(m.program(), live.RunnerCommand, "--fd", "3", m.dir.Real())
	m.cmd.Dir = m.dir.Servicedir(live.RunnerSlot)
	m.cmd.Stderr, m.cmd.ExtraFiles = log, []*os.File{theirs}
	err = m.cmd.Start()
	theirs.Close()
	must(m.t, err)
	go func() {
		_ = m.cmd.Wait() // how it ended is in ProcessState
		close(m.exited)
	}()
	if line, err := io.ReadAll(ready); err != nil || string(line) != "\n" {
		m.t.Fatalf("it is not ready: %q, %v\n%s", line, err, m.log())
	}
}

func (m *machine) logPath() string { return filepath.Join(m.root, "log") }

func (m *machine) log() string {
	b, err := os.ReadFile(m.logPath())
	must(m.t, err)
	return string(b)
}

func (m *machine) pid() int { return m.cmd.Process.Pid }

// stop tells the runner to end, and waits until it has.
func (m *machine) stop() {
	_ = m.cmd.Process.Signal(stopSignal) // if it still runs
	m.wait()
	if m.t.Failed() {
		m.t.Log(m.log())
	}
}

// wait waits until the runner has ended.
func (m *machine) wait() {
	m.t.Helper()
	select {
	case <-m.exited:
	case <-time.After(limit):
		m.t.Errorf("the runner does not end")
		_ = m.cmd.Process.Kill()
		<-m.exited
	}
}

// replace installs another file of the same program, as an upgrade does.
func (m *machine) replace() {
	m.t.Helper()
	self, err := os.Open("/proc/self/exe")
	must(m.t, err)
	defer self.Close()
	next := m.program() + ".new"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	must(m.t, err)
	_, err = io.Copy(f, self)
	must(m.t, errors.Join(err, f.Close()))
	must(m.t, os.Rename(next, m.program()))
}

// script installs a script as the program.
func (m *machine) script(text string) {
	m.t.Helper()
	must(m.t, os.WriteFile(m.program()+".new", []byte("#!/bin/sh\n"+text), 0o755))
	must(m.t, os.Rename(m.program()+".new", m.program()))
}

// renewed checks that the runner runs what is installed.
func (m *machine) renewed() {
	m.t.Helper()
	want, err := IdentityOf(m.program())
	must(m.t, err)
	if got, err := IdentityOf("/proc/" + strconv.Itoa(m.pid()) + "/exe"); err != nil || got != want {
		m.t.Errorf("it runs %+v, and not %+v: %v", got, want, err)
	}
	if got := m.connect().Program(); got != want {
		m.t.Errorf("it says that it runs %+v, and not %+v", got, want)
	}
}

func (m *machine) connect() *Client {
	m.t.Helper()
	return connect(m.t, m.dir.RunnerSocket())
}

// request is what runs the program of a service.
func (m *machine) request(service string) Request {
	return Request{ID: service + ".up", Token: "1", Content: m.content, Service: service, Slot: 16, Phase: journal.PhaseUp}
}

// answer is what a run has come to.
type answer struct {
	Result
	err error
}

// run runs a program in the background.
func (m *machine) run(req Request) <-chan answer {
	c := m.connect()
	got := make(chan answer, 1)
	go func() {
		r, err := c.Run(m.t.Context(), req, nil)
		got <- answer{r, err}
	}()
	return got
}

// await gives what a run came to, and checks that it did not fail to be one.
func (m *machine) await(got <-chan answer) Result {
	m.t.Helper()
	select {
	case a := <-got:
		if a.err != nil {
			m.t.Fatalf("%v\n%s", a.err, m.log())
		}
		return a.Result
	case <-time.After(limit):
		m.t.Fatalf("no answer\n%s", m.log())
	}
	return Result{}
}

// fifo opens one of the FIFOs, so that neither end waits for the other.
func (m *machine) fifo(name string) *os.File {
	m.t.Helper()
	f, err := os.OpenFile(filepath.Join(m.dir.Servicedir(live.RunnerSlot), name), os.O_RDWR, 0)
	must(m.t, err)
	m.t.Cleanup(func() { f.Close() })
	return f
}

// line reads a line that a program writes, and no more.
func line(t testing.TB, f *os.File) string {
	t.Helper()
	must(t, f.SetReadDeadline(time.Now().Add(limit)))
	var text []byte
	for b := []byte{0}; ; text = append(text, b[0]) {
		_, err := f.Read(b)
		must(t, err)
		if b[0] == '\n' {
			return string(text)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
