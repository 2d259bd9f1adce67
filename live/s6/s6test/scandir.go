package s6test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/live/s6"
)

// RequireEnv is the variable that makes a missing s6 a failure when it is "1".
const RequireEnv = "STRATA_REQUIRE_S6"

// markEnv marks all that a private s6-svscan started, so that leftovers are found.
const markEnv = "STRATA_S6TEST"

// How long the tree may take to end: when s6-svscan was told to, and when every
// supervisor was told so too. s6-svscan 2.15 forgets to tell them if a rescan was
// under way.
const (
	stopLimit = 3 * time.Second
	killLimit = 20 * time.Second
)

// maxServices is the limit that the s6-svscan of a test is started with.
const maxServices = "20000"

// Scandir is a private scandir with its running s6-svscan.
type Scandir struct {
	// Dir is the scandir.
	Dir string
	// Root is the temporary directory that holds it, and sv/ for service
	// directories. Tests may make more in it; it is removed at the end.
	Root string

	t       testing.TB
	cmd     *exec.Cmd
	exited  chan struct{} // closed when s6-svscan has been waited for
	logPath string
}

// Require skips the test, or fails it, if s6 is not installed.
func Require(t testing.TB) {
	t.Helper()
	for _, program := range []string{"s6-svscan", "s6-supervise", "execlineb"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv(RequireEnv) == "1" {
			t.Fatal("needs s6: install s6 and execline")
		}
		t.Skip("needs s6: install s6 and execline")
	}
}

// TempDir makes a directory with a path short enough for sockets, on a tmpfs
// where there is one, and removes it at the end of the test.
func TempDir(t testing.TB) string {
	t.Helper()
	base := ""
	var fs unix.Statfs_t
	if unix.Statfs("/dev/shm", &fs) == nil && fs.Type == unix.TMPFS_MAGIC && unix.Access("/dev/shm", unix.W_OK) == nil {
		base = "/dev/shm"
	}
	dir, err := os.MkdirTemp(base, "s6t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("cannot remove test directory: %v", err)
		}
	})
	return dir
}

// An Option changes how New starts s6-svscan.
type Option func(*exec.Cmd)

// Env adds "NAME=VALUE" to the environment of s6-svscan, and so of all services.
func Env(vars ...string) Option {
	return func(c *exec.Cmd) { c.Env = append(c.Env, vars...) }
}

// MaxServices sets how many services s6-svscan takes, as the version counts them.
func MaxServices(n int) Option {
	return func(c *exec.Cmd) {
		if i := slices.Index(c.Args, maxServices); i >= 0 {
			c.Args[i] = strconv.Itoa(n)
		}
	}
}

// New starts an s6-svscan on an empty scandir and waits until it is ready. At the
// end of the test everything it supervises is ended, what is left is killed, and a
// process that outlives that fails the test.
func New(t testing.TB, options ...Option) *Scandir {
	t.Helper()
	Require(t)
	root := TempDir(t)
	return Start(t, root, filepath.Join(root, "scan"), options...)
}

// Start is New for a scandir at a path of the caller's choice, made if missing,
// within root, a directory of [TempDir].
func Start(t testing.TB, root, dir string, options ...Option) *Scandir {
	t.Helper()
	Require(t)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &Scandir{Dir: dir, Root: root, t: t, logPath: filepath.Join(root, "svscan.log")}
	// The option that sets the limit of services differs between versions; a
	// version that does not know it exits before it says that it is ready.
	err := errNotReady
	for _, limit := range []string{"-c", "-C"} {
		if err = s.start(limit, options); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("cannot start s6-svscan: %v\n%s", err, s.Log())
	}
	t.Cleanup(s.stop)
	return s
}

var errNotReady = errors.New("it ended before it was ready")

// start runs one s6-svscan in a session of its own until it is ready.
func (s *Scandir) start(limit string, options []Option) error {
	logFile, err := os.OpenFile(s.logPath, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer logFile.Close()
	readyR, readyW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer readyR.Close()
	defer readyW.Close()

	cmd := exec.Command("s6-svscan", "-d", "3", limit, maxServices, "--", s.Dir)
	cmd.Dir = s.Root
	cmd.Env = append(os.Environ(), markEnv+"="+s.Root)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.ExtraFiles = []*os.File{readyW}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	for _, option := range options {
		option(cmd)
	}
	if err := startUnignored(cmd); err != nil {
		return err
	}
	readyW.Close()
	s.cmd, s.exited = cmd, make(chan struct{})
	go func(done chan struct{}) {
		_ = cmd.Wait() // how it ended is in ProcessState
		close(done)
	}(s.exited)
	line, err := io.ReadAll(io.LimitReader(readyR, 1))
	if err != nil {
		return err
	}
	if !bytes.Equal(line, []byte("\n")) {
		<-s.exited
		return errNotReady
	}
	return nil
}

// startUnignored starts a process that ignores no signal. A program that was
// started by nohup, or in the background, hands down that it ignores SIGHUP or
// SIGINT, and a shell cannot trap those then.
func startUnignored(cmd *exec.Cmd) error {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP, syscall.SIGINT) // what is caught is not inherited
	defer signal.Stop(caught)
	return cmd.Start()
}

// PID is the pid of the s6-svscan.
func (s *Scandir) PID() int { return s.cmd.Process.Pid }

// Exited is closed when the s6-svscan has ended.
func (s *Scandir) Exited() <-chan struct{} { return s.exited }

// Log gives what s6-svscan, its supervisors and services without a logger have
// written to their standard output and error so far.
func (s *Scandir) Log() string {
	b, err := os.ReadFile(s.logPath)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// stop ends the tree and checks that nothing is left of it.
func (s *Scandir) stop() {
	err := s6.Svscan{Dir: s.Dir}.Send(s6.ScanStop)
	if err != nil && !errors.Is(err, s6.ErrNotRunning) {
		s.t.Errorf("cannot stop test tree: %v", err)
	}
	if !s.exitsWithin(stopLimit) {
		for _, p := range s.Processes() {
			if p.Name == "s6-supervise" {
				syscall.Kill(p.PID, syscall.SIGTERM)
			}
		}
		if !s.exitsWithin(killLimit) {
			s.t.Logf("the test tree does not end by itself: killing what is left; its log:\n%s", s.Log())
		}
	}
	s.killLeftovers()
	<-s.exited
}

// exitsWithin waits for the end of s6-svscan.
func (s *Scandir) exitsWithin(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-s.exited:
		return true
	case <-timer.C:
		return false
	}
}

// killLeftovers kills what the tree has left, supervisors first, until nothing is
// there. What s6-svscan could not end (daemons orphaned by a killed supervisor,
// for one) is no mistake of the test.
func (s *Scandir) killLeftovers() {
	const rounds = 50 // a process may start others while we look
	for range rounds {
		left := s.Processes()
		if len(left) == 0 {
			return
		}
		for _, p := range left {
			if err := p.kill(killLimit); err != nil {
				s.t.Errorf("process %d (%s) of the test tree cannot be ended: %v", p.PID, p.Name, err)
				return
			}
		}
	}
	s.t.Errorf("the test tree keeps starting processes: %v", s.Processes())
}
