package tree_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/change"
	"strata/live/holder"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// runHolder lets the test binary be the fd-holder.
func runHolder(args []string) int {
	err := holder.Main(args)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	if errors.Is(err, holder.ErrGivesUp) {
		return live.HolderGivesUp
	}
	return 1
}

// quiet writes a word when it starts, and then nothing; after is what it does to
// its descriptors then. It says that it is ready in a subshell: the shell itself
// would have its standard output elsewhere for a moment.
func quiet(name, feeds, after string) definition {
	return definition{name: name, run: "#!/bin/sh\necho " + name + "\n" + after + "\n(echo >&3)\nexec 3>&-\nexec sleep 100000\n", notify: 3, feeds: feeds}
}

// content reads what is in the pipe of a consumer that does not read.
func (p *pipeline) content(consumer string) string {
	p.t.Helper()
	path := filepath.Join("/proc", strconv.Itoa(p.pid(consumer)), "fd/0")
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	defer unix.Close(fd)
	var text []byte
	for buf := make([]byte, 4096); ; {
		n, err := unix.Read(fd, buf)
		if n <= 0 {
			if err != unix.EAGAIN {
				p.t.Errorf("the pipe into %s has no writer: %v", consumer, err)
			}
			return string(text)
		}
		text = append(text, buf[:n]...)
	}
}

// dropRecords removes the notes of which pipes the holder has.
func (p *pipeline) dropRecords() {
	p.t.Helper()
	if err := os.RemoveAll(filepath.Dir(holder.RecordPath(p.dir, 0))); err != nil {
		p.t.Fatal(err)
	}
}

// What is in a pipe stays there as long as one of its ends or the holder lives.
func TestPipeContent(t *testing.T) {
	p := newPipeline(t, quiet("src", "sink", ""), ready("sink"))
	p.must(change.Start, "src")
	pipe := p.pipe("sink", 0)
	p.kill("sink", holderName)
	p.kill("src", holderName)
	p.kill("src", "sink")
	if got := p.pipe("sink", 0); got != pipe {
		t.Errorf("pipe %s became %s", pipe, got)
	}
	if got := p.content("sink"); got != "src\nsrc\nsrc\n" {
		t.Errorf("in the pipe is %q", got)
	}
	p.must(change.Stop, "src")
	p.kill(holderName)
	if got := p.pipe("sink", 0); got != pipe {
		t.Errorf("with the consumer alone: pipe %s became %s", pipe, got)
	}
	p.must(change.Start, "src")
	// With everybody the pipe is gone, but not the pipeline.
	p.down("src", "sink")
	p.kill(holderName)
	p.ready("sink", "src")
	if in, out := p.pipe("sink", 0), p.pipe("src", 1); in == pipe || in != out {
		t.Errorf("pipe %s became %s and %s", pipe, out, in)
	}
	if got := p.content("sink"); got != "src\n" {
		t.Errorf("in the new pipe is %q", got)
	}
	if strings.Contains(p.Log(), "warning") {
		t.Error("there is a warning")
	}
}

// A pipe that was not noted is believed if both ends are on it, and not otherwise.
func TestPipeWithoutRecord(t *testing.T) {
	p := newPipeline(t, quiet("src", "sink", ""), quiet("more", "sink", ""), ready("sink"))
	p.must(change.Start, "src more")
	pipe := p.pipe("sink", 0)
	p.dropRecords()
	p.kill(holderName)
	p.kill("sink")
	if got := p.pipe("sink", 0); got != pipe {
		t.Errorf("pipe %s became %s", pipe, got)
	}
	if got, err := os.Readlink(holder.RecordPath(p.dir, p.slot("sink"))); err != nil || got != pipe {
		t.Errorf("noted is %s, %v", got, err)
	}
	// Two producers prove nothing. One that was killed may live on for a while, and tell.
	p.down("sink")
	p.dropRecords()
	p.kill(holderName)
	p.ready("sink")
	if got := p.pipe("sink", 0); got == pipe {
		t.Errorf("the consumer has %s, which nobody can know", got)
	}
	if log := p.Log(); !strings.Contains(log, "the pipe into sink is a new one") || !strings.Contains(log, "of src is not on it") {
		t.Error("there is no warning")
	}
}

// Standard output is not always the pipe.
func TestPipeElsewhere(t *testing.T) {
	p := newPipeline(t, quiet("moved", "a", "exec 7>&1 >/dev/null"), ready("a"),
		quiet("closed", "b", "exec >/dev/null"), ready("b"))
	p.must(change.Start, "moved closed")
	a, b := p.pipe("a", 0), p.pipe("b", 0)
	p.down("a", "b")
	p.kill(holderName)
	p.ready("a", "b")
	if got := p.pipe("a", 0); got != a {
		t.Errorf("pipe %s became %s", a, got)
	}
	if got := p.pipe("b", 0); got == b {
		t.Errorf("the consumer has %s, which nobody has had", got)
	}
	if log := p.Log(); !strings.Contains(log, "the pipe into b is a new one") || strings.Contains(log, "the pipe into a") {
		t.Error("the warning is another one")
	}
}

// The engine finds a holder that an older version has started, and that came back
// with nothing.
func TestHolderEmptied(t *testing.T) {
	p := newPipeline(t, quiet("src", "sink", ""), quiet("more", "sink", ""), ready("sink"))
	p.must(change.Start, "src")
	pipe := p.pipe("sink", 0)
	c, err := holder.Dial(t.Context(), p.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ids, err := c.List(t.Context())
	if err != nil || len(ids) != 2 {
		t.Fatalf("the holder has %v, %v", ids, err)
	}
	for _, id := range ids {
		if err := c.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	p.must(change.Start, "more")
	if got := p.pipe("more", 1); got != pipe {
		t.Errorf("the second producer has %s, not %s", got, pipe)
	}
	// One that has pipes which nobody noted is noted then.
	p.must(change.Stop, "more")
	p.dropRecords()
	p.must(change.Start, "more")
	if got, err := os.Readlink(holder.RecordPath(p.dir, p.slot("sink"))); err != nil || got != pipe {
		t.Errorf("noted is %s, %v", got, err)
	}
}

// A holder whose supervisor was killed goes on; the one that the new supervisor
// starts takes everything from it.
func TestHolderTakenOver(t *testing.T) {
	p := newPipeline(t, quiet("src", "sink", ""), ready("sink"))
	p.must(change.Start, "src")
	pipe, old := p.pipe("sink", 0), p.pid(holderName)
	sup, err := s6.OpenSupervisor(p.dirs[holderName])
	if err != nil {
		t.Fatal(err)
	}
	defer sup.Close()
	sub, err := s6.Subscribe(filepath.Join(p.dirs[holderName], "event"))
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	// Nobody but the holder has the pipe then.
	p.down("src", "sink")
	if err := unix.Kill(sup.PID(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := sup.Dead(t.Context()); err != nil {
		t.Fatal(err)
	}
	for ready := false; !ready; {
		events, err := sub.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ready = bytes.ContainsRune(letters(events), rune(s6.EventReady))
	}
	p.ready("sink")
	if got := p.pipe("sink", 0); got != pipe {
		t.Errorf("pipe %s became %s", pipe, got)
	}
	if got := p.content("sink"); got != "src\n" {
		t.Errorf("in the pipe is %q", got)
	}
	if p.running(old) {
		t.Error("the old holder goes on")
	}
}

func letters(events []s6.Event) (text []byte) {
	for _, e := range events {
		text = append(text, byte(e))
	}
	return text
}

// running reports whether the tree has the process.
func (p *pipeline) running(pid int) bool {
	for _, proc := range p.Processes() {
		if proc.PID == pid {
			return true
		}
	}
	return false
}

// The process under s6-supervise is s6's daemon, with no children, and with the
// same descriptors each time; nothing else is left of the start.
func TestHolderProcess(t *testing.T) {
	p := newPipeline(t, quiet("src", "sink", ""), ready("sink"))
	p.must(change.Start, "src")
	var fds []int
	for range 3 {
		p.awaitFiller()
		pid := strconv.Itoa(p.pid(holderName))
		if comm := read(t, filepath.Join("/proc", pid, "comm")); comm != "s6-fdholderd\n" {
			t.Errorf("process %s is %s", pid, comm)
		}
		if children := read(t, filepath.Join("/proc", pid, "task", pid, "children")); children != "" {
			t.Errorf("it has the children %s", children)
		}
		n := 0
		for _, target := range openFiles(t, p.pid(holderName)) {
			// The filler's connection may not have been seen to be closed.
			if !strings.HasPrefix(target, "socket:") {
				n++
			}
			if strings.HasPrefix(target, "pipe:") && target != p.pipe("sink", 0) && !slices.Contains(openFiles(t, p.PID()), target) {
				t.Errorf("it has %s, which is none of ours", target)
			}
		}
		fds = append(fds, n)
		p.kill(holderName)
	}
	if fds[0] != fds[1] || fds[0] != fds[2] {
		t.Errorf("it has %v descriptors", fds)
	}
}

// openFiles are what a process has open, as /proc shows it.
func openFiles(t testing.TB, pid int) (targets []string) {
	t.Helper()
	links, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "fd/*"))
	if err != nil || len(links) == 0 {
		t.Fatalf("process %d: %v", pid, err)
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil {
			targets = append(targets, target)
		}
	}
	return targets
}

// awaitFiller waits for the end of what the test binary does in the tree.
func (p *pipeline) awaitFiller() {
	p.t.Helper()
	for _, proc := range p.Processes() {
		if !strings.HasPrefix(filepath.Base(os.Args[0]), proc.Name) {
			continue
		}
		fd, err := unix.PidfdOpen(proc.PID, 0)
		if err != nil {
			continue
		}
		defer unix.Close(fd)
		for {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(s6test.Limit.Milliseconds()))
			if err == unix.EINTR {
				continue
			}
			if n != 1 {
				p.t.Errorf("process %d, %s, does not end: %v", proc.PID, proc.Name, err)
			}
			break
		}
	}
}

// Only root and the tree's owner reach the pipes: not who is in root's group.
func TestHolderAccess(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: another user tries")
	}
	p := newPipeline(t, quiet("src", "sink", ""), ready("sink"))
	p.must(change.Start, "src")
	if err := os.Chmod(p.Root, 0o711); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		uid, gid uint32
		ok       bool
	}{{0, 0, true}, {0, 65534, true}, {65534, 65534, false}, {65534, 0, false}} {
		cmd := exec.Command("s6-fdholder-list", p.dir.HolderSocket())
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.uid, Gid: c.gid}}
		out, err := cmd.CombinedOutput()
		if (err == nil) != c.ok || c.ok != strings.Contains(string(out), "pipe:strata-w-") {
			t.Errorf("user %d, group %d: %q, %v", c.uid, c.gid, out, err)
		}
	}
}
