package runner

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"strata/live"
)

// renew answers a request to be renewed. Another process image, if there is one,
// answers it itself.
func (s *Server) renew(c *session, body []byte) {
	s.step(c, body, func() { c.renew = true })
	err := s.replace()
	s.mu.Lock()
	defer s.mu.Unlock()
	c.renew = false
	if err != nil {
		logf("%v", err)
		c.say(Reply{Error: err.Error()})
		return
	}
	c.say(Reply{})
}

// replace makes another process image go on, unless there is no need to.
func (s *Server) replace() error {
	if s.cfg.renew == nil {
		return errors.New("this oneshot runner cannot be renewed")
	}
	s.renewing.Lock()
	defer s.renewing.Unlock()
	return s.cfg.renew(s)
}

// snapshot is what there is at a moment in which no program is being started.
func (s *Server) snapshot() state {
	s.launches.Lock()
	defer s.launches.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state()
}

// freeze calls do with what there is, and nothing happens meanwhile.
func (s *Server) freeze(do func(state) error) error {
	s.launches.Lock()
	defer s.launches.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return errors.New("the oneshot runner is about to end")
	}
	return do(s.state())
}

// image is this process as one that another program can go on in.
type image struct {
	real     string // the real path of the live directory
	askLimit time.Duration
	stopper  *stopper
}

// renew makes the program that the service directory names go on, if that is not
// the one that runs. It is asked beforehand whether it can.
func (m image) renew(s *Server) error {
	program, err := os.Readlink(live.RunnerProgram)
	if err != nil {
		return fmt.Errorf("cannot be renewed: %w", err)
	}
	theirs, err := IdentityOf(program)
	if err != nil {
		return fmt.Errorf("cannot be renewed: %w", err)
	}
	if theirs == s.program {
		return nil
	}
	if err := m.ask(program, s.snapshot()); err != nil {
		return fmt.Errorf("cannot be renewed: %s does not take it over: %w", program, err)
	}
	err = s.freeze(func(st state) error {
		if m.stopper.hold() {
			return errors.New("the oneshot runner is about to end")
		}
		defer m.stopper.listen()
		return m.execute(program, st)
	})
	return fmt.Errorf("cannot be renewed: %w", err)
}

// ask runs a program that reads a state and does nothing.
func (m image) ask(program string, st state) error {
	f, err := writeState(st)
	if err != nil {
		return err
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(context.Background(), m.askLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, live.RunnerCommand, checkFlag, m.real)
	cmd.WaitDelay = time.Second
	var text strings.Builder
	cmd.Stdin, cmd.Stderr = f, &text
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(text.String()))
	}
	return nil
}

// execute executes a program that takes a state over in this process. It returns
// only if that is not possible, and leaves everything as it was.
func (m image) execute(program string, st state) error {
	f, err := writeState(st)
	if err != nil {
		return err
	}
	defer f.Close()
	fds := append(st.descriptors(), int(f.Fd()))
	inherit := func(flag int) {
		for _, fd := range fds {
			_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETFD, flag)
		}
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// What is blocked in this thread is blocked in the next image.
	set := signalSet(stopSignal)
	var old unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old); err != nil {
		return err
	}
	// Nor does anything go on that this process was started with: programs would
	// have it. A kernel before 5.11 does not know how.
	_ = unix.CloseRange(uint(unix.Stderr)+1, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	inherit(0)
	err = syscall.Exec(program, []string{program, live.RunnerCommand, stateFlag, strconv.Itoa(int(f.Fd())), m.real}, os.Environ())
	inherit(unix.FD_CLOEXEC)
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
	return fmt.Errorf("cannot execute %s: %w", program, err)
}
