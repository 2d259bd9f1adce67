package runner

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/live/s6/s6test"
)

// A program that runs, its client that waits, results and the process itself are
// what they were when another program has taken over.
func TestRenew(t *testing.T) {
	m := newMachine(t, map[string]string{"wait": "echo $$ >out; read x <in; exit 7", "three": "exit 3"})
	if r := m.await(m.run(m.request("three"))); r.Exit != 3 {
		t.Errorf("%+v", r)
	}
	got := m.run(m.request("wait"))
	program := line(t, m.fifo("out"))
	c := m.connect()

	// Nothing is done as long as there is no other program.
	must(t, c.Renew(t.Context()))
	for range 2 { // what was renewed can be renewed again
		m.replace()
		must(t, c.Renew(t.Context()))
		m.renewed()
	}
	jobs, err := c.Jobs(t.Context())
	must(t, err)
	if len(jobs) != 2 {
		t.Errorf("jobs: %+v", jobs)
	}
	if parent := read(t, "/proc/"+program+"/stat"); !strings.Contains(parent, ") S "+strconv.Itoa(m.pid())+" ") {
		t.Errorf("the program's state, parent, ...: %s", parent)
	}
	m.fifo("in").WriteString("\n")
	if r := m.await(got); r.Exit != 7 {
		t.Errorf("the client that waited got %+v", r)
	}
	for id, want := range map[string]int{"three.up": 3, "wait.up": 7} {
		if r, err := m.connect().Wait(t.Context(), id, "1"); err != nil || r.Exit != want {
			t.Errorf("%s: %+v, %v", id, r, err)
		}
	}
	// It still runs programs, and knows what it has run.
	if r := m.await(m.run(m.request("three"))); r.Exit != 3 {
		t.Errorf("%+v", r)
	}
	m.stop()
	if !m.cmd.ProcessState.Success() {
		t.Errorf("it ended with %v", m.cmd.ProcessState)
	}
}

// The limit of a program goes on.
func TestRenewKeepsLimit(t *testing.T) {
	m := newMachine(t, map[string]string{"slow": "echo begun >out; exec sleep 1000000"})
	req := m.request("slow")
	req.LimitMS = 300
	slow := m.run(req)
	line(t, m.fifo("out"))
	m.replace()
	must(t, m.connect().Renew(t.Context()))
	m.renewed()
	if r := m.await(slow); !r.TimedOut || r.Signal != int(unix.SIGTERM) {
		t.Errorf("%+v", r)
	}
}

// So does the grace of one that was told to end and does not.
func TestResumeKeepsGrace(t *testing.T) {
	path := filepath.Join(s6test.TempDir(t), SocketName)
	l, err := Listen(path)
	must(t, err)
	defer l.Close()
	fd, err := unix.Dup(l.fd)
	must(t, err)
	pid, err := launch(Program{Argv: []string{"sh", "-c", "trap '' TERM; kill -STOP $$"}, Dir: "/"}, nil, "/usr/bin:/bin", nil)
	must(t, err)
	now := realClock{}.Now()
	s := NewServer(Config{})
	again, err := s.resume(state{Format: StateFormat, Listener: fd, Jobs: []jobState{
		{Job: Job{ID: "deaf", PID: pid}, Told: true, Kill: now + 50*time.Millisecond},
		{Job: Job{ID: "done", PID: 1, Result: &Result{Exit: 3}}, Limit: now, Kill: now},
	}})
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, again) }()
	c := connect(t, path)
	if r, err := c.Wait(t.Context(), "deaf", ""); err != nil || r.Signal != int(unix.SIGKILL) {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := c.Wait(t.Context(), "done", ""); err != nil || r.Exit != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	stop()
	must(t, <-ended)
}

// A request of which only a part has come is answered when the rest has.
func TestRenewHalfRequest(t *testing.T) {
	m := newMachine(t, map[string]string{"ok": "exit 4"})
	c := m.connect()
	b, err := marshal(Request{Op: OpList})
	must(t, err)
	half := len(b) / 2
	if _, err := c.c.f.Write(b[:half]); err != nil {
		t.Fatal(err)
	}
	m.replace()
	must(t, m.connect().Renew(t.Context()))
	m.renewed()
	if _, err := c.c.f.Write(b[half:]); err != nil {
		t.Fatal(err)
	}
	var reply Reply
	if err := c.receive(&reply); err != nil || reply.Error != "" {
		t.Errorf("%+v, %v", reply, err)
	}
}

// What tells the runner to end still does after it was renewed, and ends what runs.
func TestRenewThenStop(t *testing.T) {
	for _, sig := range []syscall.Signal{stopSignal, syscall.SIGTERM} {
		m := newMachine(t, map[string]string{"wait": "echo begun >out; exec sleep 1000000"})
		got := m.run(m.request("wait"))
		line(t, m.fifo("out"))
		m.replace()
		must(t, m.connect().Renew(t.Context()))
		must(t, m.cmd.Process.Signal(sig))
		if r := m.await(got); r.Signal != int(unix.SIGTERM) {
			t.Errorf("%v: %+v", sig, r)
		}
		m.wait()
	}
}

// A signal that comes while nobody listens, between the one program and the other,
// waits for the other.
func TestStopDuringRenewal(t *testing.T) {
	m := newMachine(t, map[string]string{"wait": "echo begun >out; exec sleep 1000000"})
	got := m.run(m.request("wait"))
	out := m.fifo("out")
	line(t, out)
	in := m.fifo("in")
	self, err := os.Executable()
	must(t, err)
	m.script("[ $2 = --check ] && exit 0; echo taken >out; read x <in; exec " + self + " \"$@\"\n")
	c := m.connect()
	renewed := make(chan error, 1)
	go func() { renewed <- c.Renew(t.Context()) }()
	line(t, out)
	must(t, m.cmd.Process.Signal(stopSignal))
	in.WriteString("\n")
	if r := m.await(got); r.Signal != int(unix.SIGTERM) {
		t.Errorf("%+v", r)
	}
	<-renewed
	m.wait()
}

// A signal that comes just before is heard before or after.
func TestStopBeforeRenewal(t *testing.T) {
	for range 5 {
		m := newMachine(t, map[string]string{"wait": "echo begun >out; exec sleep 1000000"})
		got := m.run(m.request("wait"))
		out := m.fifo("out")
		line(t, out)
		self, err := os.Executable()
		must(t, err)
		m.script("[ $2 = --check ] && echo asked >out && exit 0; exec " + self + " \"$@\"\n")
		c := m.connect()
		renewed := make(chan error, 1)
		go func() { renewed <- c.Renew(t.Context()) }()
		line(t, out)
		must(t, m.cmd.Process.Signal(stopSignal))
		if r := m.await(got); r.Signal != int(unix.SIGTERM) {
			t.Errorf("%+v", r)
		}
		<-renewed
		m.wait()
	}
}

// A program that does not take the state over is not let: the old one goes on.
func TestRenewRefused(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"it says no":             {"echo no such format >&2; exit 1", "no such format"},
		"it cannot be executed":  {"rm \"$0\"\n", "no such file"},
		"it is another program":  {"cat >/dev/null; exit 100", "exit status 100"},
		"it is not there at all": {"", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, map[string]string{"wait": "echo begun >out; read x <in; exit 5"})
			got := m.run(m.request("wait"))
			line(t, m.fifo("out"))
			if m.script(c.script); c.script == "" {
				must(t, os.Remove(m.program()))
			}
			client := m.connect()
			var refused *RefusedError
			if err := client.Renew(t.Context()); !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
			if !strings.Contains(m.log(), c.want) {
				t.Errorf("the log does not say so: %s", m.log())
			}
			m.fifo("in").WriteString("\n")
			if r := m.await(got); r.Exit != 5 {
				t.Errorf("%+v", r)
			}
			if jobs, err := client.Jobs(t.Context()); err != nil || len(jobs) != 1 {
				t.Errorf("%+v, %v", jobs, err)
			}
		})
	}
}

// A program that does not answer is not waited for.
func TestRenewAskLimit(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	must(t, os.WriteFile(program, []byte("#!/bin/sh\nexec sleep 1000000\n"), 0o755))
	if err := (image{askLimit: 50 * time.Millisecond}).ask(program, state{Format: StateFormat}); err == nil {
		t.Error("it was waited for")
	}
}

// A state of another version is not taken, nor is one with anything unknown.
func TestStateVersions(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"format":"strata-runner-state/1","listener":3}`:          true,
		`{"format":"strata-runner-state/0","listener":3}`:          false,
		`{"format":"strata-runner-state/2","listener":3}`:          false,
		`{"format":"strata-runner-state/1","listener":3,"more":1}`: false,
		`{"listener":3}`: false,
		`{"format":"strata-runner-state/1","sessions":[{"socket":4,"waits":"a"}]}`:                  false,
		`{"format":"strata-runner-state/1","jobs":[{"id":"a"}]}`:                                    false,
		`{"format":"strata-runner-state/1","jobs":[{"id":"a","pid":2},{"id":"a","pid":3}]}`:         false,
		`{"format":"strata-runner-state/1","jobs":[{"id":"a","pid":2}],"sessions":[{"waits":"a"}]}`: true,
	} {
		if _, err := readState(strings.NewReader(text)); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A client that finds no version of the protocol that it knows says so; one of
// several is enough.
func TestProtocolVersions(t *testing.T) {
	for _, c := range []struct{ hello, want string }{
		{`{"formats":["strata-runner/0"],"program":{"dev":1,"ino":2}}`, "strata-runner/0"},
		{`{"formats":["strata-runner/2","strata-runner/1"],"program":{"dev":1,"ino":2},"later":true}`, ""},
		{`{"format":"strata-runner/1"}`, "speaks"},
	} {
		text, want := c.hello, c.want
		path := filepath.Join(s6test.TempDir(t), "s")
		l, err := Listen(path)
		must(t, err)
		go func() {
			fd, _, err := unix.Accept(l.fd)
			for err == unix.EAGAIN {
				_, _ = unix.Poll([]unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}}, -1)
				fd, _, err = unix.Accept(l.fd)
			}
			b := append([]byte{0, 0, 0, byte(len(text))}, text...)
			unix.Write(fd, b)
			unix.Close(fd)
		}()
		c, err := Dial(t.Context(), path)
		if err == nil {
			c.Close()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
		l.Close()
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return string(bytes.TrimSpace(b))
}
