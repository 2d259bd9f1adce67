package runner

import (
	"context"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// stopSignal ends the runner; it is the down-signal in its service directory. It
// can be blocked in all threads of a Go program, unlike SIGTERM: so one that comes
// while another process image takes over waits for that.
const stopSignal = unix.SIGUSR1

// signalSet is a set of one signal.
func signalSet(sig unix.Signal) (set unix.Sigset_t) {
	n := uint(sig) - 1
	set.Val[n/64] |= 1 << (n % 64)
	return set
}

// stopper ends a context when the process is told to end.
type stopper struct {
	c     chan os.Signal
	acked chan struct{}
	ctx   context.Context
}

// newStopper begins to listen for signals.
func newStopper() *stopper {
	ctx, cancel := context.WithCancel(context.Background())
	s := &stopper{make(chan os.Signal, 1), make(chan struct{}), ctx}
	s.listen()
	go func() {
		for sig := range s.c {
			if sig == nil {
				s.acked <- struct{}{}
				continue
			}
			cancel()
		}
	}()
	return s
}

func (s *stopper) listen() { signal.Notify(s.c, stopSignal, unix.SIGTERM, unix.SIGINT) }

// hold stops listening, and says whether a signal has come. One that comes from now
// on waits, if it is [stopSignal], for who listens next.
func (s *stopper) hold() (told bool) {
	signal.Stop(s.c) // what came before it is in the channel now
	s.c <- nil
	<-s.acked
	return s.ctx.Err() != nil
}
