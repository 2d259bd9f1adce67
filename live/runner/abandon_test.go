package runner

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/live/s6/s6test"
)

// Whoever is told not to wait any more while the runner has not said yet that the job
// is begun goes only when it has: a later command finds the job.
func TestAbandonUnbegun(t *testing.T) {
	path := filepath.Join(s6test.TempDir(t), "s")
	l, err := Listen(path)
	must(t, err)
	defer l.Close()
	asked, begin := make(chan struct{}), make(chan struct{})
	go func() {
		fd, _, err := unix.Accept(l.fd)
		for err == unix.EAGAIN {
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}}, -1)
			fd, _, err = unix.Accept(l.fd)
		}
		defer unix.Close(fd)
		hello, _ := marshal(Hello{Formats: []string{Format}})
		unix.Write(fd, hello)
		unix.Read(fd, make([]byte, chunk))
		close(asked)
		<-begin
		reply, _ := marshal(Reply{Started: true})
		unix.Write(fd, reply)
		unix.Read(fd, make([]byte, chunk)) // until it goes
	}()
	c := connect(t, path)
	stopped := errors.New("told to leave off")
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.Run(ctx, Request{ID: "a"}, nil)
		done <- err
	}()
	<-asked
	cancel(stopped)
	select {
	case err := <-done:
		t.Fatalf("it did not wait until the job was begun: %v", err)
	case <-time.After(50 * time.Millisecond): // nothing is to come
	}
	close(begin)
	if err := <-done; !errors.Is(err, stopped) {
		t.Errorf("%v", err)
	}
}
