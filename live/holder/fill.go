package holder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/s6/fdholder"
)

// fillLimit is how long all exchanges with daemons may take.
const fillLimit = 20 * time.Second

// endLimit is how long an old daemon may take to end before it is killed.
const endLimit = 5 * time.Second

// runFiller is the filler's role.
func runFiller(args []string) error {
	a, err := parseRole(args)
	if err == nil {
		err = fill(a)
	}
	if err != nil {
		return fmt.Errorf("cannot fill the fd-holder: %w", err)
	}
	return nil
}

func fill(a roleArgs) error {
	ctx, cancel := context.WithTimeout(context.Background(), fillLimit)
	defer cancel()
	h := a.handed()
	daemon, err := unix.PidfdOpen(a.daemon, 0)
	if err != nil {
		return fmt.Errorf("it has ended: %w", err)
	}
	s, err := collect(ctx, a.real, h.old)
	if err != nil {
		return err
	}
	defer s.close()
	if err := say(h.start); err != nil {
		return fmt.Errorf("it has ended: %w", err)
	}
	if err := s.deliver(ctx, h); err != nil {
		// Its supervisor tries again.
		_ = unix.PidfdSendSignal(daemon, unix.SIGTERM, nil, 0)
		return err
	}
	return nil
}

// collect gets all pipes.
func collect(ctx context.Context, real string, old *os.File) (*stock, error) {
	d, err := live.Open(real)
	if err != nil {
		return nil, err
	}
	pipes, err := Pipes(d)
	if err != nil {
		return nil, err
	}
	s := newStock(d, func(err error) { fmt.Fprintf(os.Stderr, "%s: warning: %v\n", live.HolderCommand, err) })
	if old != nil {
		s.takeOver(ctx, old, pipes)
	}
	for slot, p := range pipes {
		if _, taken := s.pipes[slot]; taken {
			continue
		}
		if err := s.get(p); err != nil {
			s.close()
			return nil, err
		}
	}
	if err := forget(d, pipes); err != nil {
		s.warn(err)
	}
	return s, nil
}

// deliver stores everything once the daemon listens.
func (s *stock) deliver(ctx context.Context, h handed) error {
	if _, err := io.ReadFull(h.ready, make([]byte, 1)); err != nil {
		return errors.New("it has ended before it listened")
	}
	c, err := fdholder.Dial(ctx, socketName)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := s.put(ctx, c); err != nil {
		return err
	}
	return say(h.notify)
}

// say writes a line to somebody who waits for it.
func say(f *os.File) error {
	_, err := f.WriteString("\n")
	return errors.Join(err, f.Close())
}

// takeOver takes the pipes of a daemon whose supervisor was killed, and ends it.
// What cannot be had from it may still be had from the members.
func (s *stock) takeOver(ctx context.Context, conn *os.File, pipes map[live.Slot]Pipe) {
	c, err := fdholder.FromFile(conn)
	if err != nil {
		s.warn(err)
		return
	}
	defer c.Close()
	if err := s.takeAll(ctx, c, pipes); err != nil {
		s.warn(err)
	}
	pid, err := c.PID()
	if err == nil {
		err = end(pid)
	}
	if err != nil {
		s.warn(fmt.Errorf("cannot end the old fd-holder: %w", err))
	}
}

func (s *stock) takeAll(ctx context.Context, c *fdholder.Client, pipes map[live.Slot]Pipe) error {
	ids, err := c.List(ctx)
	if err != nil {
		return err
	}
	for slot := range pipes {
		read, write := live.PipeReader(slot), live.PipeWriter(slot)
		if !slices.Contains(ids, read) || !slices.Contains(ids, write) {
			continue
		}
		var e ends
		if e.read, err = c.Retrieve(ctx, read, false); err != nil {
			return err
		}
		if e.write, err = c.Retrieve(ctx, write, false); err != nil {
			e.read.Close()
			return err
		}
		id, err := idOfFile(e.read)
		if err != nil {
			e.close()
			return err
		}
		s.pipes[slot] = stocked{e, id}
	}
	return nil
}

// end ends a process and waits until it has.
func end(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return nil
	}
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	for _, signal := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := unix.PidfdSendSignal(fd, signal, nil, 0); err != nil && err != unix.ESRCH {
			return fmt.Errorf("process %d: %w", pid, err)
		}
		if ended(fd, endLimit) {
			return nil
		}
	}
	return fmt.Errorf("process %d does not end", pid)
}

// ended waits until the process of a pidfd has ended, for no longer than limit.
func ended(pidfd int, limit time.Duration) bool {
	for until := time.Now().Add(limit); ; {
		left := max(time.Until(until), 0)
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(left.Milliseconds()))
		if err != unix.EINTR {
			return n > 0
		}
	}
}
