package benchtree

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"strata/live/s6"
)

// Svscan is a running s6-svscan.
type Svscan struct {
	dir  string
	live string
	cmd  *exec.Cmd
}

var errNotReady = errors.New("cannot start s6-svscan: it ended before it was ready")

// Start makes the scandir dir and starts an s6-svscan on it that takes tens of
// thousands of services, those of the live directory live. The option for it differs
// between versions of s6; one that does not know it exits before it says that it is
// ready.
func Start(dir, live string) (*Svscan, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	s := &Svscan{dir: dir, live: live}
	err := s.try("-c")
	if errors.Is(err, errNotReady) {
		err = s.try("-C")
	}
	return s, err
}

func (s *Svscan) try(option string) error {
	const most = "30000"
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	cmd := exec.Command("s6-svscan", "-d", "3", option, most, "--", s.dir)
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return err
	}
	line, err := io.ReadAll(io.LimitReader(r, 1))
	if err == nil && !bytes.Equal(line, []byte("\n")) {
		err = errNotReady
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it has failed already
		return err
	}
	s.cmd = cmd
	return nil
}

// Stop ends the whole tree. It does nothing for one that has not been started.
func (s *Svscan) Stop() error {
	if s == nil || s.cmd == nil {
		return nil
	}
	scandir := s6.Svscan{Dir: s.dir}
	if err := scandir.Send(s6.ScanStopAll); err != nil {
		return err
	}
	const limit = 20 * time.Second
	timer := time.AfterFunc(limit, s.killAll)
	defer timer.Stop()
	return s.cmd.Wait()
}

// killAll ends what does not end by itself: a service that takes no notice, or one
// that s6-svscan 2.15 has forgotten to stop.
func (s *Svscan) killAll() {
	dirs, _ := filepath.Glob(filepath.Join(s.live, "servicedirs/*"))
	for _, dir := range dirs {
		// Without a supervisor there is nothing to end.
		_ = s6.SendControl(dir, s6.CmdDown, s6.CmdKill, s6.CmdExit)
	}
}
