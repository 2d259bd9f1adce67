package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/live/s6/s6test"
)

// terminal is a pseudo-terminal: what the tool sees, and what a person would.
type terminal struct {
	t      *testing.T
	person *os.File
	tool   *os.File
	unread string
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	person := os.NewFile(uintptr(fd), "/dev/ptmx") // with deadlines, since it does not block
	t.Cleanup(func() { _ = person.Close() })
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 60})
	}
	if err != nil {
		t.Fatal(err)
	}
	tool, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tool.Close() })
	return &terminal{t: t, person: person, tool: tool}
}

// reads reads on until a text was seen, and returns what came before its end.
func (p *terminal) reads(until string) string {
	p.t.Helper()
	if err := p.person.SetReadDeadline(time.Now().Add(s6test.Limit)); err != nil {
		p.t.Fatal(err)
	}
	buf := make([]byte, 4096)
	for {
		if before, after, ok := strings.Cut(p.unread, until); ok {
			p.unread = after
			return before + until
		}
		n, err := p.person.Read(buf)
		p.unread += string(buf[:n])
		if err != nil {
			p.t.Fatalf("%v, after\n%q\nwithout %q", err, p.unread, until)
		}
	}
}

// On a terminal an area shows what is going on. It is away while a oneshot asks a
// person.
func TestTerminal(t *testing.T) {
	term := newTerminal(t)
	scandir := s6test.New(t)
	fifo := filepath.Join(scandir.Root, "go")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(scandir.Root, "src", name+".toml")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("slow", fmt.Sprintf("type = \"oneshot\"\ntimeout-up = \"1h\"\nup = [\"sh\", \"-c\", \"echo begun; read line <%s\"]\n", fifo))
	write("ask", fmt.Sprintf("type = \"oneshot\"\nneeds = [\"slow\"]\ntty = %q\nup = [\"sh\", \"-c\", \"printf 'passphrase: '; read x; echo thanks\"]\n", term.tool.Name()))
	write("bad", "type = \"oneshot\"\nneeds = [\"ask\"]\nup = [\"sh\", \"-c\", \"exit 3\"]\n")
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(name, args...)
		c.Dir = scandir.Root
		c.Env = append(os.Environ(), "TERM=xterm", "NO_COLOR=")
		return c
	}
	live := filepath.Join(scandir.Root, "live")
	for _, args := range [][]string{{"rc-compile", "-o", "db", "src"}, {"rc-init", "-c", "db", "-l", live, scandir.Dir}} {
		if out, err := command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	start := command("rc-ctl", "-l", live, "start", "bad")
	start.Stdin, start.Stdout, start.Stderr = term.tool, term.tool, term.tool
	if err := start.Start(); err != nil {
		t.Fatal(err)
	}
	term.reads("begun")
	term.reads("start: 0 of 3 done, 1 under way, 2 to come")
	term.reads(" of 1h, holds back 2")
	if err := os.WriteFile(fifo, []byte("\n"), 0); err != nil {
		t.Fatal(err)
	}
	term.reads("passphrase: ")
	if _, err := term.person.WriteString("secret\n"); err != nil {
		t.Fatal(err)
	}
	if asked := term.reads("thanks"); strings.Contains(asked, "\x1b") {
		t.Errorf("drawn while somebody was asked: %q", asked)
	}
	term.reads("cannot start bad: exit 3\r\n")
	if err := start.Wait(); start.ProcessState.ExitCode() != exitFailed {
		t.Errorf("%v", err)
	}
	if out, err := command("rc-ctl", "-l", live, "change", "-D", "-a").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
