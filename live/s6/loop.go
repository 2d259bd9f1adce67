package s6

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A Loop waits for many services at once: one epoll descriptor and one goroutine
// see what comes for all waits in flight. Both are there only while there is a
// wait, so that a Loop needs no closing. Its zero value is ready for use, by
// several goroutines at once.
type Loop struct {
	mu    sync.Mutex
	waits map[int32]*waiter
	last  int32 // the key of waits that was given last
	// While there is a wait: the descriptor, and what is closed when nobody
	// looks at it any more.
	epoll *os.File
	fd    int
	done  chan struct{}
}

// source is where something can come from for a wait.
type source int32

const (
	fromEvents     source = iota // a letter in the FIFO
	fromSupervisor               // the end of it
)

// enter begins a wait.
func (l *Loop) enter(w *waiter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoll == nil {
		if err := l.open(); err != nil {
			return err
		}
	}
	l.last++
	w.loop, w.key = l, l.last
	l.waits[w.key] = w
	return nil
}

// open makes the epoll descriptor and begins to look at it.
func (l *Loop) open() error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	// Only a non-blocking descriptor is left to the runtime's poller.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return os.NewSyscallError("fcntl", err)
	}
	l.epoll, l.fd, l.done, l.waits = os.NewFile(uintptr(fd), "epoll"), fd, make(chan struct{}), make(map[int32]*waiter)
	go l.run(l.epoll, l.done)
	return nil
}

// leave ends a wait, whose descriptors must be closed already. The last one takes
// descriptor and goroutine with it.
func (l *Loop) leave(w *waiter) {
	l.mu.Lock()
	delete(l.waits, w.key)
	epoll, done := l.epoll, l.done
	last := len(l.waits) == 0
	if last {
		l.epoll = nil
	}
	l.mu.Unlock()
	if last {
		epoll.Close()
		<-done
	}
}

// watch has w told when something comes from fd, once each time; closing fd ends
// that.
func (l *Loop) watch(w *waiter, fd int, from source) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: w.key, Pad: int32(from)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(l.fd, unix.EPOLL_CTL_ADD, fd, &event))
}

// run tells the waits what has come for them, until epoll is closed. The runtime's
// poller can wait for an epoll descriptor as for others, so no thread is held.
func (l *Loop) run(epoll *os.File, done chan<- struct{}) {
	defer close(done)
	var events [64]unix.EpollEvent
	n := 0
	rc, err := epoll.SyscallConn()
	for err == nil {
		err = rc.Read(func(fd uintptr) bool {
			n, _ = unix.EpollWait(int(fd), events[:], 0)
			return n > 0
		})
		l.tell(events[:max(n, 0)])
	}
}

// tell tells the waits what has come. One that has ended meanwhile, and left an
// event behind, is not there any more; its key is never given again.
func (l *Loop) tell(events []unix.EpollEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		if w := l.waits[e.Fd]; w != nil {
			w.told(source(e.Pad))
		}
	}
}
