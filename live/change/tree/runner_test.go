package tree_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/change"
	"strata/live/change/tree"
	"strata/live/runner"
	"strata/live/s6"
)

// waits is a oneshot that says that it has begun, and ends with the exit code that
// it is told.
func waits(name string) definition {
	return oneshot(name, "echo begun >$FIFO2; read code <$FIFO; exit $code")
}

// fifos makes both FIFOs and opens them so that nobody waits for the other end.
func (tr *testTree) fifos() (in, out *os.File) {
	tr.t.Helper()
	var ends [2]*os.File
	for i, name := range []string{"fifo", "fifo2"} {
		path := filepath.Join(tr.Root, name)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			tr.t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			tr.t.Fatal(err)
		}
		tr.t.Cleanup(func() { f.Close() })
		ends[i] = f
	}
	return ends[0], ends[1]
}

// begin starts services in the background, of which one is [waits], and returns
// when that has begun.
func (tr *testTree) begin(out *os.File, names string) <-chan change.Result {
	tr.t.Helper()
	out.SetReadDeadline(time.Time{})
	done := make(chan change.Result, 1)
	go func() {
		r := tr.run(change.Request{Op: change.Start}, names)
		out.SetReadDeadline(time.Unix(1, 0)) // if it has not begun, it never will
		done <- r
	}()
	if _, err := out.Read(make([]byte, len("begun\n"))); err != nil {
		tr.t.Fatalf("%v: %+v", err, <-done)
	}
	return done
}

// install makes program what the runner's definition names.
func (tr *testTree) install(program string) {
	tr.t.Helper()
	w := tr.lock()
	defer w.Close()
	if err := w.UpdateInternals(program); err != nil {
		tr.t.Fatal(err)
	}
}

// copyProgram makes another file of this program.
func (tr *testTree) copyProgram() string {
	tr.t.Helper()
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		tr.t.Fatal(err)
	}
	defer from.Close()
	path := filepath.Join(tr.Root, "program")
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		tr.t.Fatal(err)
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Close()); err != nil {
		tr.t.Fatal(err)
	}
	return path
}

func (tr *testTree) dial() *runner.Client {
	tr.t.Helper()
	c, err := runner.Dial(tr.t.Context(), tr.dir.RunnerSocket())
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.t.Cleanup(func() { c.Close() })
	return c
}

// pids are the pids of the runner, a longrun and their supervisors.
func (tr *testTree) pids(longrun string) (pids [4]int) {
	tr.t.Helper()
	for i, dir := range []string{tr.dir.Servicedir(live.RunnerSlot), tr.dir.Servicedir(tr.slot(longrun))} {
		st, err := s6.ReadStatus(dir)
		if err != nil {
			tr.t.Fatal(err)
		}
		supervisor, err := s6.SupervisorPID(dir)
		if err != nil {
			tr.t.Fatal(err)
		}
		pids[2*i], pids[2*i+1] = st.PID, supervisor
	}
	return pids
}

// An upgrade of the program reaches a runner at work: no process is another one
// afterwards, and no result is lost. The command of the new program sees to it.
func TestRunnerRenewed(t *testing.T) {
	tr := newTree(t, longrun("web"), oneshot("first", "exit 0"), waits("wait"), oneshot("last", "exit 0"))
	in, out := tr.fifos()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tr.must(change.Start, "web first")
	before := tr.pids("web")
	program := tr.copyProgram()
	tr.install(program)
	done := tr.begin(out, "wait")

	if err := tr.dial().Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, err := runner.IdentityOf(program)
	if err != nil {
		t.Fatal(err)
	}
	if got := tr.dial().Program(); got != want {
		t.Errorf("it runs %+v and not %+v", got, want)
	}
	in.WriteString("7\n")
	if r := <-done; len(r.Failed) != 1 || r.Failed[0].Err.Error() != "exit 7" {
		t.Errorf("who waited got %+v", r)
	}

	tr.install(self)
	tr.must(change.Start, "last")
	if got, err := runner.Self(); err != nil || tr.dial().Program() != got {
		t.Errorf("the runner runs %+v, and we %+v (%v)", tr.dial().Program(), got, err)
	}
	if after := tr.pids("web"); after != before {
		t.Errorf("pids %v became %v", before, after)
	}
	if deaths, err := s6.ReadDeaths(tr.dir.Servicedir(live.RunnerSlot)); err != nil || len(deaths) > 0 {
		t.Errorf("the runner has died: %v, %v", deaths, err)
	}
	if got := tr.ups(); got != "first last web" {
		t.Errorf("up: %s", got)
	}
	tr.must(change.Stop, "first last web") // and the runner, which is idle then
}

// When the runner dies nobody knows how the program ended: not that it is down,
// and the words name the service. It can be started again.
func TestL25RunnerDies(t *testing.T) {
	tr := newTree(t, waits("wait"), oneshot("other", "exit 0"))
	in, out := tr.fifos()
	tr.must(change.Start, "other")
	done := tr.begin(out, "wait")
	st, err := s6.ReadStatus(tr.dir.Servicedir(live.RunnerSlot))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(st.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r := <-done
	if len(r.Failed) != 1 || !errors.Is(r.Failed[0], change.ErrLost) || !strings.Contains(r.Failed[0].Error(), "wait") {
		t.Errorf("%+v", r)
	}
	if st := tr.state("wait"); !st.Unknown {
		t.Errorf("%+v", st)
	}
	in.WriteString("0\n") // the orphan ends
	done = tr.begin(out, "wait")
	in.WriteString("0\n")
	if r := <-done; !r.OK() {
		t.Errorf("%+v", r)
	}
	if st := tr.state("wait"); st.Unknown || !st.Up {
		t.Errorf("%+v", st)
	}
}

// In the log of the tree lines before and after say whose output stands there.
func TestL25Output(t *testing.T) {
	tr := newTree(t, oneshot("say", "echo what it says; exit 3"))
	r := tr.run(change.Request{Op: change.Start}, "say")
	if len(r.Failed) != 1 {
		t.Errorf("%+v", r)
	}
	want := "oneshot-runner: say: up: begins\nwhat it says\noneshot-runner: say: up: exit 3\n"
	if got := tr.Log(); !strings.Contains(got, want) {
		t.Errorf("the log is %q", got)
	}
}

// A connection serves many oneshots, and one that the runner has closed none.
func TestRunnerRestarted(t *testing.T) {
	tr := newTree(t, oneshot("a", "exit 0"), oneshot("b", "exit 0"))
	w := tr.lock()
	defer w.Close()
	sup := tree.New(tr.dir)
	defer sup.Close()
	s, err := tree.Open(t.Context(), w, sup)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	start := func(name string) {
		t.Helper()
		ids, err := tree.Resolve(s.View.DB, []string{name})
		if err != nil {
			t.Fatal(err)
		}
		if _, r, err := s.Run(t.Context(), change.Request{Op: change.Start, Names: ids}, tr.options); err != nil || !r.OK() {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	start("a")
	dir := tr.dir.Servicedir(live.RunnerSlot)
	if _, err := s6.WaitFor(t.Context(), dir, s6.GoalDownReady(), s6.CmdDown); err != nil {
		t.Fatal(err)
	}
	start("b")
	// Right after its death its status still says that it is up.
	st, err := s6.ReadStatus(dir)
	if err != nil {
		t.Fatal(err)
	}
	pidfd, err := unix.PidfdOpen(st.PID, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	if err := unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, -1); err != nil {
		t.Fatal(err)
	}
	start("a")
	start("b")
}
