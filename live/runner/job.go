package runner

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Program is what a job runs.
type Program struct {
	// Argv is the command; empty is a program that does nothing and succeeds.
	Argv []string
	// File says that Argv[0] is a file in Dir.
	File bool
	// Dir is the current directory.
	Dir string
	// TTY is a terminal for the standard streams, or empty.
	TTY string
}

// job is one program that runs, or has run.
type job struct {
	Job
	grace time.Duration
	done  chan struct{} // closed when Result is set

	mu       sync.Mutex
	ended    bool // the leader has ended: its pid is still its own, but soon not
	told     bool // to end: by the limit or by somebody
	timedOut bool
	timers   []*time.Timer
}

// start runs the program. What cannot be run is a job that has ended already.
func (j *job) start(p Program, env []string, path string, limit time.Duration, streams []*os.File) {
	if len(p.Argv) == 0 {
		j.finish(Result{})
		return
	}
	cmd, err := j.launch(p, env, path, limit, streams)
	if err != nil {
		j.finish(Result{Exit: -1, Error: err.Error()})
		return
	}
	go j.wait(cmd)
}

// launch starts the process and its time. Who wants to signal it waits until there
// is a process.
func (j *job) launch(p Program, env []string, path string, limit time.Duration, streams []*os.File) (*exec.Cmd, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	cmd, err := launch(p, env, path, streams)
	if err != nil {
		return nil, err
	}
	j.PID = cmd.Process.Pid
	if limit > 0 {
		j.timers = append(j.timers, time.AfterFunc(limit, j.expire))
	}
	return cmd, nil
}

func launch(p Program, env []string, path string, streams []*os.File) (*exec.Cmd, error) {
	file := "./" + p.Argv[0]
	if !p.File {
		if file = find(p.Argv[0], path); file == "" {
			return nil, fmt.Errorf("cannot run %s: not found in PATH %s", p.Argv[0], path)
		}
	}
	attr := &syscall.SysProcAttr{Setsid: true}
	if p.TTY != "" {
		tty, err := openTTY(p.TTY)
		if err != nil {
			return nil, fmt.Errorf("cannot open terminal: %w", err)
		}
		defer tty.Close()
		streams = []*os.File{tty, tty, tty}
		attr.Setctty = true
	}
	cmd := &exec.Cmd{Path: file, Args: p.Argv, Dir: p.Dir, Env: env, SysProcAttr: attr}
	if p.File {
		cmd.Args = append([]string{file}, p.Argv[1:]...)
	}
	if len(streams) == stdio {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = streams[0], streams[1], streams[2]
	} else {
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	}
	err := cmd.Start()
	if err != nil && attr.Setctty && errors.Is(err, unix.EPERM) {
		// The terminal belongs to another session; it can be used all the same.
		again := &exec.Cmd{Path: cmd.Path, Args: cmd.Args, Dir: cmd.Dir, Env: env, SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
		again.Stdin, again.Stdout, again.Stderr = cmd.Stdin, cmd.Stdout, cmd.Stderr
		cmd, err = again, again.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot run %s: %w", p.Argv[0], err)
	}
	return cmd, nil
}

// openTTY opens a terminal. One on a serial line without a carrier would make us
// wait for that, before there is a program that a limit could end.
func openTTY(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		unix.Close(fd)
		return nil, &os.PathError{Op: "fcntl", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// wait waits for the leader and takes its status. Between its end and that, its
// group cannot be another one.
func (j *job) wait(cmd *exec.Cmd) {
	for {
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	j.mu.Lock()
	j.ended = true
	for _, t := range j.timers {
		t.Stop()
	}
	if j.told {
		_ = unix.Kill(-j.PID, unix.SIGKILL) // what the leader left
	}
	timedOut := j.timedOut
	j.mu.Unlock()

	_ = cmd.Wait() // its error is the status
	r := Result{Exit: -1, TimedOut: timedOut}
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
		switch {
		case ws.Exited():
			r.Exit = ws.ExitStatus()
		case ws.Signaled():
			r.Signal = int(ws.Signal())
		}
	}
	j.finish(r)
}

func (j *job) finish(r Result) {
	j.mu.Lock()
	j.Result = &r
	j.mu.Unlock()
	close(j.done)
}

// expire tells the group to end because the limit is over.
func (j *job) expire() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.ended {
		j.timedOut = true
		j.tell()
	}
}

// kill tells the group to end, if there is one.
func (j *job) kill() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.ended && j.PID != 0 {
		j.tell()
	}
}

// tell tells the group to end, and ends it after the grace. The caller holds the
// lock, and the leader has not ended.
func (j *job) tell() {
	j.told = true
	_ = unix.Kill(-j.PID, unix.SIGTERM)
	_ = unix.Kill(-j.PID, unix.SIGCONT)
	j.timers = append(j.timers, time.AfterFunc(j.grace, j.end))
}

// end ends the group, unless its leader has ended: then that was done.
func (j *job) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.ended {
		_ = unix.Kill(-j.PID, unix.SIGKILL)
	}
}

// snapshot is the job as the list shows it.
func (j *job) snapshot() Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.Job
}

// over says whether the job has its result. It never waits, not even for a program
// that is being started.
func (j *job) over() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// result is nil while the program runs.
func (j *job) result() *Result {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.Result
}
