package rescue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"strata/live/change"
	"strata/live/runner"
	"strata/live/s6"
)

// program is a down program that is run without the runner, but as that would run
// it: see package runner.
type program struct {
	argv []string
	dir  string
	tty  string
	env  []string
}

// grace is how long a group has between SIGTERM and SIGKILL.
const grace = runner.DefaultGrace

// run runs the program and waits for its end. When ctx ends it runs on.
func (p program) run(ctx context.Context, limit time.Duration, streams []*os.File) error {
	cmd, err := p.start(streams)
	if err != nil {
		return fmt.Errorf("cannot run %s: %w", p.argv[0], err)
	}
	ended := make(chan struct{})
	go func() {
		// Its status is left: until that is taken its group cannot be another one.
		for unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		}
		close(ended)
	}()
	timedOut := false
	var over, kill <-chan time.Time
	if limit > 0 {
		over = time.After(limit)
	}
	for {
		select {
		case <-ctx.Done():
			return change.ErrAbandoned
		case <-over:
			timedOut = true
			_ = unix.Kill(-cmd.Process.Pid, unix.SIGTERM)
			_ = unix.Kill(-cmd.Process.Pid, unix.SIGCONT)
			kill = time.After(grace)
			continue
		case <-kill:
			_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
			continue
		case <-ended:
		}
		break
	}
	if timedOut {
		_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) // what the leader left
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case timedOut:
		return change.ErrTimedOut
	case errors.As(err, &exit):
		return errors.New(result(exit.Sys()).String())
	}
	return err
}

// result is how a process ended.
func result(status any) runner.Result {
	ws, _ := status.(syscall.WaitStatus)
	if ws.Signaled() {
		return runner.Result{Exit: -1, Signal: int(ws.Signal())}
	}
	return runner.Result{Exit: ws.ExitStatus()}
}

// start starts the program in a session of its own.
func (p program) start(streams []*os.File) (*exec.Cmd, error) {
	file, err := p.find()
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{Path: file, Args: p.argv, Dir: p.dir, Env: p.env, SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if p.tty != "" {
		tty, err := os.OpenFile(p.tty, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
		if err != nil {
			return nil, err
		}
		defer tty.Close()
		streams = []*os.File{tty, tty, tty}
	}
	if len(streams) == 3 {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = streams[0], streams[1], streams[2]
	}
	return cmd, cmd.Start()
}

// find looks the program up in the PATH that it is going to have.
func (p program) find() (string, error) {
	name := p.argv[0]
	if strings.Contains(name, "/") {
		return name, nil
	}
	for dir := range strings.SplitSeq(pathOf(p.env), ":") {
		file := dir + "/" + name
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("not found in PATH %s", pathOf(p.env))
}

func pathOf(env []string) string {
	for _, v := range env {
		if path, ok := strings.CutPrefix(v, "PATH="); ok {
			return path
		}
	}
	return ""
}

// environment is that of s6-svscan, as the runner makes it for all oneshots. If it
// cannot be read there is only a PATH.
func environment(scandir string) []string {
	path, env := "/usr/bin:/bin", []string{}
	if pid, err := svscanPID(scandir); err == nil {
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
		for v := range strings.SplitSeq(string(text), "\x00") {
			key, value, ok := strings.Cut(v, "=")
			switch {
			case key == "PATH":
				path = value
			case ok && key != runner.NameVar:
				env = append(env, v)
			}
		}
	}
	const execline = "/usr/lib/execline/bin"
	if info, err := os.Stat(execline); err == nil && info.IsDir() && !slices.Contains(strings.Split(path, ":"), execline) {
		path += ":" + execline
	}
	return append(env, "PATH="+path)
}

// svscanUmask is the umask of s6-svscan, and so of all that runs in the tree.
func svscanUmask(scandir string) (int, bool) {
	pid, err := svscanPID(scandir)
	if err != nil {
		return 0, false
	}
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	_, rest, ok := bytes.Cut(text, []byte("\nUmask:"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	umask, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 8, 16)
	return int(umask), ok && err == nil
}

func svscanPID(scandir string) (int, error) {
	if scandir == "" {
		return 0, s6.ErrNotRunning
	}
	pid, err := s6.Svscan{Dir: scandir}.PID()
	if err == nil && pid == 0 {
		err = s6.ErrNotRunning
	}
	return pid, err
}
