package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"strata/live"
	"strata/live/s6"
)

// system is a live directory with its own s6-svscan.
type system struct {
	strata   string // the multi-call binary
	root     string // the temporary directory that holds everything
	services []service
	dir      *live.Dir
	svscan   *exec.Cmd
}

// newSystem makes the source, the database, the scandir and the live directory of
// n services in root. The caller stops it, also after an error.
func newSystem(ctx context.Context, strata, root string, n int) (*system, error) {
	s := &system{strata: strata, root: root, services: generate(n)}
	if err := writeSource(s.path("src"), s.services); err != nil {
		return s, err
	}
	if err := s.run(ctx, "compile", "-o", s.path("db"), s.path("src")); err != nil {
		return s, err
	}
	if err := s.startSvscan(); err != nil {
		return s, err
	}
	if err := s.run(ctx, "init", "-c", s.path("db"), "-l", s.path("live"), s.path("scan")); err != nil {
		return s, err
	}
	var err error
	s.dir, err = live.Open(s.path("live"))
	return s, err
}

func (s *system) path(name string) string { return filepath.Join(s.root, name) }

// run runs a command of the multi-call binary.
func (s *system) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, s.strata, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		first, _, _ := strings.Cut(said.String(), "\n")
		return fmt.Errorf("strata %s: %w: %s", args[0], err, first)
	}
	return nil
}

// startSvscan starts an s6-svscan that takes that many services. The option for it
// differs between versions of s6; one that does not know it exits before it says
// that it is ready.
func (s *system) startSvscan() error {
	if err := os.Mkdir(s.path("scan"), 0o755); err != nil {
		return err
	}
	err := s.trySvscan("-c")
	if errors.Is(err, errNotReady) {
		err = s.trySvscan("-C")
	}
	return err
}

var errNotReady = errors.New("cannot start s6-svscan: it ended before it was ready")

func (s *system) trySvscan(option string) error {
	const most = "30000"
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	cmd := exec.Command("s6-svscan", "-d", "3", option, most, "--", s.path("scan"))
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
	s.svscan = cmd
	return nil
}

// stop ends the tree and removes the directory.
func (s *system) stop() error {
	return errors.Join(s.stopSvscan(), os.RemoveAll(s.root))
}

func (s *system) stopSvscan() error {
	if s.svscan == nil {
		return nil
	}
	scandir := s6.Svscan{Dir: s.path("scan")}
	if err := scandir.Send(s6.ScanStopAll); err != nil {
		return err
	}
	const limit = 20 * time.Second
	timer := time.AfterFunc(limit, s.killAll)
	defer timer.Stop()
	return s.svscan.Wait()
}

// killAll ends what does not end by itself: a service that takes no notice, or one
// that s6-svscan 2.15 has forgotten to stop.
func (s *system) killAll() {
	dirs, _ := filepath.Glob(s.path("live/servicedirs/*"))
	for _, dir := range dirs {
		// Without a supervisor there is nothing to end.
		_ = s6.SendControl(dir, s6.CmdDown, s6.CmdKill, s6.CmdExit)
	}
}
