package runner

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/live/journal"
	"strata/live/s6/s6test"
)

// limit bounds what is meant to succeed, far above what it takes.
const limit = 60 * time.Second

// serve runs a server whose programs are the scripts, by service name.
func serve(t *testing.T, scripts map[string]string) (socket string, stop func()) {
	t.Helper()
	return serveGrace(t, limit, scripts)
}

func serveGrace(t *testing.T, grace time.Duration, scripts map[string]string) (socket string, stop func()) {
	t.Helper()
	return serveWith(t, Config{Grace: grace}, scripts)
}

func serveWith(t *testing.T, cfg Config, scripts map[string]string) (socket string, stop func()) {
	t.Helper()
	dir := s6test.TempDir(t)
	socket = filepath.Join(dir, SocketName)
	l, err := Listen(socket)
	must(t, err)
	cfg.Environ = []string{"PATH=/usr/bin:/bin", "LANG=C", NameVar + "=stolen"}
	cfg.Lookup = func(r Request) (Program, error) {
		script, ok := scripts[r.Service]
		if !ok {
			return Program{}, errors.New("no such service")
		}
		if script == "" {
			return Program{}, nil
		}
		return Program{Argv: []string{"sh", "-c", script}, Dir: dir}, nil
	}
	s := NewServer(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return socket, stop
}

func connect(t testing.TB, socket string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func up(service string) Request {
	return Request{ID: service + ".up", Service: service, Phase: journal.PhaseUp}
}

func TestResults(t *testing.T) {
	socket, _ := serve(t, map[string]string{"ok": "exit 0", "seven": "exit 7", "killed": "kill -9 $$", "empty": ""})
	c := connect(t, socket)
	for service, want := range map[string]Result{
		"ok": {}, "empty": {}, "seven": {Exit: 7}, "killed": {Exit: -1, Signal: 9},
	} {
		r, err := c.Run(t.Context(), up(service), nil)
		if err != nil || r != want {
			t.Errorf("%s: got %+v, %v; want %+v", service, r, err, want)
		}
		if r.OK() != (want == Result{}) {
			t.Errorf("%s: OK is %v", service, r.OK())
		}
	}
	if got := (Result{Exit: -1, Signal: 9}).String(); got != "killed by SIGKILL" {
		t.Error(got)
	}
	var refused *RefusedError
	if _, err := c.Run(t.Context(), up("other"), nil); !errors.As(err, &refused) {
		t.Errorf("a service that is not there: %v", err)
	}
	if _, err := c.Run(t.Context(), Request{ID: "x", Service: "ok", Phase: "sideways"}, nil); !errors.As(err, &refused) {
		t.Errorf("a phase that does not exist: %v", err)
	}
}

// A job's result is kept until it is forgotten, and found by id.
func TestResultIsKept(t *testing.T) {
	socket, _ := serve(t, map[string]string{"seven": "exit 7"})
	if _, err := connect(t, socket).Run(t.Context(), up("seven"), nil); err != nil {
		t.Fatal(err)
	}
	c := connect(t, socket)
	for range 2 {
		if r, err := c.Wait(t.Context(), "seven.up", ""); err != nil || r.Exit != 7 {
			t.Errorf("got %+v, %v", r, err)
		}
	}
	if err := c.Prepare(t.Context(), "seven.up"); err != nil {
		t.Error(err)
	}
	if _, err := c.Wait(t.Context(), "seven.up", ""); !errors.Is(err, ErrUnknownJob) {
		t.Errorf("a forgotten job: %v", err)
	}
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// streams makes standard streams of which the test has the other ends.
func streams(t *testing.T) (theirs []*os.File, in, out *os.File) {
	t.Helper()
	inR, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll([]*os.File{inR, inW, outR, outW}) })
	return []*os.File{inR, outW, outW}, inW, outR
}

// The program has the client's streams, its own session, and nothing else of
// anybody's.
func TestEnvironment(t *testing.T) {
	socket, _ := serve(t, map[string]string{"show": "read x; echo got $x; env | sort; ps -o sid= -p $$; echo $$; pwd; ls -l /proc/self/fd | grep -c socket: || true"})
	theirs, in, out := streams(t)
	c := connect(t, socket)
	io.WriteString(in, "words\n")
	in.Close()
	r, err := c.Run(t.Context(), up("show"), theirs)
	closeAll(theirs)
	if err != nil || !r.OK() {
		t.Fatalf("%+v, %v", r, err)
	}
	b, _ := io.ReadAll(out)
	text := string(b)
	for _, want := range []string{"got words\n", "LANG=C\n", "RC_NAME=show\n", filepath.Dir(socket) + "\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "HOME=") || strings.Contains(text, "stolen") {
		t.Errorf("something of this process's environment is in\n%s", text)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	n := len(lines)
	if strings.TrimSpace(lines[n-4]) != lines[n-3] {
		t.Errorf("session %s, pid %s", lines[n-4], lines[n-3])
	}
	if lines[n-1] != "0" {
		t.Errorf("%s sockets of the runner", lines[n-1])
	}
}

// stubborn is a program that leaves a process behind, which ignores SIGTERM.
const stubborn = "(trap '' TERM; echo begun; exec sleep 1000000) & wait"

// At the end of the limit the whole group goes, also what ignores SIGTERM.
func TestTimeoutKillsGroup(t *testing.T) {
	socket, _ := serve(t, map[string]string{"slow": stubborn})
	theirs, _, out := streams(t)
	c := connect(t, socket)
	req := up("slow")
	req.LimitMS = 200
	r, err := c.Run(t.Context(), req, theirs)
	closeAll(theirs)
	if err != nil || !r.TimedOut || r.OK() {
		t.Fatalf("%+v, %v", r, err)
	}
	// Nobody has the other end of the pipe any more.
	if _, err := io.ReadAll(out); err != nil {
		t.Error(err)
	}
}

// The same when it is killed.
func TestKillKillsGroup(t *testing.T) {
	socket, _ := serve(t, map[string]string{"slow": stubborn})
	theirs, _, out := streams(t)
	c, other := connect(t, socket), connect(t, socket)
	lines := bufio.NewReader(out)
	killed := make(chan error)
	go func() {
		lines.ReadString('\n')
		killed <- other.Kill(context.Background(), "slow.up")
	}()
	r, err := c.Run(t.Context(), up("slow"), theirs)
	closeAll(theirs)
	must(t, <-killed)
	if err != nil || r.Signal != int(unix.SIGTERM) || r.TimedOut {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := io.ReadAll(lines); err != nil {
		t.Error(err)
	}
}

// A program that ignores SIGTERM goes when the grace is over, stopped or not.
func TestGrace(t *testing.T) {
	const grace = 50 * time.Millisecond
	socket, _ := serveGrace(t, grace, map[string]string{"deaf": "trap '' TERM; kill -STOP $$; exec sleep 1000000"})
	req := up("deaf")
	req.LimitMS = 50
	r, err := connect(t, socket).Run(t.Context(), req, nil)
	if err != nil || !r.TimedOut || r.Exit != -1 {
		t.Fatalf("%+v, %v", r, err)
	}
}

// A job outlives its client, and the next client waits for it.
func TestOutlivesClient(t *testing.T) {
	socket, _ := serve(t, map[string]string{"wait": "echo begun; read x; exit 5"})
	theirs, in, out := streams(t)
	c := connect(t, socket)
	gone := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(gone)
		c.Run(ctx, up("wait"), theirs)
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "begun\n" {
		t.Fatalf("%q, %v", line, err)
	}
	cancel()
	<-gone
	next := connect(t, socket)
	var refused *RefusedError
	if err := next.Prepare(t.Context(), "wait.up"); !errors.As(err, &refused) {
		t.Errorf("a job that runs was forgotten: %v", err)
	}
	if _, err := next.Run(t.Context(), up("wait"), nil); !errors.As(err, &refused) {
		t.Errorf("a job that runs was run again: %v", err)
	}
	if jobs, err := next.Jobs(t.Context()); err != nil || len(jobs) != 1 || jobs[0].Result != nil || jobs[0].PID == 0 {
		t.Errorf("jobs: %+v, %v", jobs, err)
	}
	io.WriteString(in, "\n")
	if r, err := next.Wait(t.Context(), "wait.up", ""); err != nil || r.Exit != 5 {
		t.Errorf("%+v, %v", r, err)
	}
}

// The end of the server ends its jobs, and who waits hears of it.
func TestServerEnds(t *testing.T) {
	socket, stop := serve(t, map[string]string{"wait": "echo begun; read x"})
	theirs, _, out := streams(t)
	c := connect(t, socket)
	got := make(chan Result, 1)
	go func() {
		r, err := c.Run(context.Background(), up("wait"), theirs)
		if err != nil {
			t.Error(err)
		}
		got <- r
	}()
	bufio.NewReader(out).ReadString('\n')
	stop()
	if r := <-got; r.Signal != int(syscall.SIGTERM) {
		t.Errorf("%+v", r)
	}
	if _, err := Dial(t.Context(), socket); err == nil {
		t.Error("it still listens")
	}
}

func TestKill(t *testing.T) {
	socket, _ := serve(t, map[string]string{"wait": "echo begun; read x"})
	theirs, _, out := streams(t)
	c, other := connect(t, socket), connect(t, socket)
	killed := make(chan error)
	go func() {
		bufio.NewReader(out).ReadString('\n')
		killed <- other.Kill(context.Background(), "wait.up")
	}()
	if r, err := c.Run(t.Context(), up("wait"), theirs); err != nil || r.Signal != int(unix.SIGTERM) || r.TimedOut {
		t.Errorf("%+v, %v", r, err)
	}
	must(t, <-killed)
}

func TestWhoMayAsk(t *testing.T) {
	for _, c := range []struct {
		uid uint32
		own int
		ok  bool
	}{{0, 1000, true}, {1000, 1000, true}, {1001, 1000, false}, {1000, 0, false}, {0, 0, true}} {
		if err := allowedUID(c.uid, c.own); (err == nil) != c.ok {
			t.Errorf("user %d of a runner of %d: %v", c.uid, c.own, err)
		}
	}
}

func TestBaseEnv(t *testing.T) {
	yes, no := func(string) bool { return true }, func(string) bool { return false }
	for _, c := range []struct {
		environ []string
		exists  func(string) bool
		want    string
	}{
		{[]string{"A=1", "PATH=/bin", "RC_NAME=x", "junk"}, no, "A=1 PATH=/bin"},
		{[]string{"PATH=/bin", "A=1"}, yes, "A=1 PATH=/bin:" + execlineDir},
		{[]string{"PATH=" + execlineDir + ":/bin"}, yes, "PATH=" + execlineDir + ":/bin"},
		{nil, no, "PATH=" + defaultPath},
	} {
		env, _ := baseEnv(c.environ, c.exists)
		if got := strings.Join(env, " "); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestLongSocketPath(t *testing.T) {
	socket, _ := serve(t, map[string]string{"ok": "exit 0"})
	long := filepath.Join(filepath.Dir(socket), strings.Repeat("long", 30))
	if err := os.Symlink(filepath.Dir(socket), long); err != nil {
		t.Fatal(err)
	}
	connect(t, filepath.Join(long, SocketName))
}
