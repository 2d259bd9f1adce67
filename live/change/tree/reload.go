package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"strata/live/change"
	"strata/live/s6"
)

// ErrNotRunning is wrapped when a longrun that is to be reloaded has no process.
var ErrNotRunning = errors.New("it is not running")

// Reload implements [change.Supervisor]. It is s6-svc -l of s6 2.15, with a command
// that 2.11 knows too: the signal that the file reload-signal names, else SIGHUP.
func (s *Supervisor) Reload(_ context.Context, t change.Target) error {
	dir := s.dir.Servicedir(t.Slot)
	text, err := os.ReadFile(filepath.Join(dir, "reload-signal"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.EISDIR) {
		return err
	}
	sig, err := parseSignal(text)
	if err != nil {
		return err
	}
	st, err := s6.ReadStatus(dir)
	if err != nil {
		return err
	}
	if !st.Up() {
		return ErrNotRunning
	}
	cmd, ok := s6.SignalCommand(sig)
	if !ok {
		return fmt.Errorf("s6 cannot send %s", unix.SignalName(sig))
	}
	return s6.SendControl(dir, cmd)
}

// parseSignal reads a signal as s6 writes it: a number or a name, with or without
// SIG. Without text it is SIGHUP.
func parseSignal(file []byte) (syscall.Signal, error) {
	text := strings.TrimSpace(string(file))
	if text == "" {
		return syscall.SIGHUP, nil
	}
	if n, err := strconv.ParseUint(text, 10, 7); err == nil && n > 0 {
		return syscall.Signal(n), nil
	}
	sig := unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(text), "SIG"))
	if sig == 0 {
		return 0, fmt.Errorf("reload-signal %q is no signal", text)
	}
	return sig, nil
}
