package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"strata/live/s6"
)

// DefaultGrace is how long a group has between SIGTERM and SIGKILL.
const DefaultGrace = 5 * time.Second

// Config is what a server works with.
type Config struct {
	// Lookup finds the program of a run request. It is called by several
	// goroutines at once.
	Lookup func(Request) (Program, error)
	// Environ is the environment that all programs have; nil is that of this
	// process.
	Environ []string
	// Grace is the time between SIGTERM and SIGKILL; 0 is [DefaultGrace].
	Grace time.Duration

	// renew goes on with another program, if there is one: then it does not
	// return. nil cannot.
	renew func(*Server) error
	// rest is called when nobody has been connected for a while; nil is nothing.
	rest func()
	// clock is the time; nil is the real one.
	clock clock
}

// Server runs jobs. What it does it does in steps under one lock, none of which
// waits, so that between any two of them another process image can go on.
type Server struct {
	cfg     Config
	env     []string
	path    string
	program Identity
	room    int // how many clients there may be

	// launches is held while a program is being started, which may take long, and
	// by who wants that none is. It is locked before mu.
	launches sync.RWMutex
	// renewing is held while the server is being renewed.
	renewing sync.Mutex

	mu       sync.Mutex
	left     sync.Cond // somebody has left, or the server ends
	listener *Listener
	jobs     map[string]*job
	sessions map[*session]struct{}
	clients  sync.WaitGroup
	closing  bool
	resting  *time.Timer
	buf      [chunk]byte // for receiving
}

// NewServer makes a server that has no job yet.
func NewServer(cfg Config) *Server {
	if cfg.Environ == nil {
		cfg.Environ = os.Environ()
	}
	if cfg.Grace == 0 {
		cfg.Grace = DefaultGrace
	}
	if cfg.clock == nil {
		cfg.clock = realClock{}
	}
	s := &Server{
		cfg: cfg, jobs: map[string]*job{}, sessions: map[*session]struct{}{},
		// Descriptors must not run out: who is too many waits to be accepted.
		room: s6.Window(stdio + 2),
	}
	s.left.L = &s.mu
	s.env, s.path = baseEnv(cfg.Environ, isDir)
	s.program, _ = Self() // without /proc it is nobody's
	return s
}

// Listener is a socket on which clients are awaited.
type Listener struct{ socket }

// Listen makes the socket at path, for which an old one gives way. Two servers
// must not share it: the supervisor sees to that.
func Listen(path string) (*Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cannot listen on %s: %w", path, err)
	}
	sock, err := listen(path)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", path, err)
	}
	return &Listener{sock}, nil
}

// Close closes the socket. Its name stays.
func (l *Listener) Close() error { return l.f.Close() }

// Serve serves until ctx ends. Then it takes no more, tells the programs that
// still run to end, and returns once they have; clients that wait get the results.
func (s *Server) Serve(ctx context.Context, l *Listener) error {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		s.closing = true
		s.left.Broadcast()
		s.mu.Unlock()
		l.Close() // waits for who is accepting
	})
	defer stop()
	s.mu.Lock()
	s.listener = l
	for c := range s.sessions {
		s.clients.Go(func() { s.talk(c) })
	}
	s.rest()
	s.mu.Unlock()
	err := s.accept(ctx, l)
	s.end()
	s.clients.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("cannot accept clients: %w", err)
}

// accept lets clients in until that is not possible any more.
func (s *Server) accept(ctx context.Context, l *Listener) error {
	for {
		s.mu.Lock()
		for len(s.sessions) >= s.room && !s.closing {
			s.left.Wait()
		}
		s.mu.Unlock()
		err := l.await(l.raw.Read, &s.mu, func() error {
			fd, _, err := unix.Accept4(l.fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			if err == nil {
				err = s.enter(fd)
			}
			return err
		})
		switch {
		case err == nil, err == unix.ECONNABORTED:
		case err == unix.EMFILE, err == unix.ENFILE, err == unix.ENOBUFS, err == unix.ENOMEM:
			// Nothing tells when there is more.
			const pause = 100 * time.Millisecond
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		default:
			return err
		}
	}
}

// enter begins to talk to a client. The caller holds the lock.
func (s *Server) enter(fd int) error {
	sock, err := newSocket(fd)
	if err != nil {
		unix.Close(fd)
		return err
	}
	c := &session{conn: conn{socket: sock}}
	hello := Hello{Formats: []string{Format}, Program: s.program}
	if err := allowed(fd); err != nil {
		hello.Error, c.last = err.Error(), true
	}
	c.say(hello)
	s.sessions[c] = struct{}{}
	s.clients.Go(func() { s.talk(c) })
	s.rest()
	return nil
}

// leave ends a client's connection.
func (s *Server) leave(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.close()
	delete(s.sessions, c)
	s.left.Broadcast()
	s.rest()
}

// restAfter is how long nobody must have been connected before the server gives up
// what it needs only when somebody is.
const restAfter = time.Second

// rest sees to it that the server rests after a while if there is no client, and
// not if there is one. The caller holds the lock.
func (s *Server) rest() {
	switch {
	case s.cfg.rest == nil:
	case len(s.sessions) > 0 || s.closing:
		if s.resting != nil {
			s.resting.Stop()
		}
	case s.resting == nil:
		s.resting = time.AfterFunc(restAfter, s.cfg.rest)
	default:
		s.resting.Reset(restAfter)
	}
}

// used has the server rest a while after it was used otherwise than by a client.
func (s *Server) used() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest()
}

// end ends all jobs and then all connections.
func (s *Server) end() {
	s.mu.Lock()
	s.closing = true
	var ended []<-chan struct{}
	for _, j := range s.jobs {
		s.tell(j)
		ended = append(ended, j.done)
	}
	s.mu.Unlock()
	for _, done := range ended {
		<-done
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest()
	for c := range s.sessions {
		// What is being written still goes out; what would be read does not.
		_ = c.f.SetReadDeadline(time.Unix(1, 0))
		_ = c.f.SetWriteDeadline(time.Now().Add(time.Second))
	}
}

// allowed lets root and our own user in.
func allowed(fd int) error {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return fmt.Errorf("cannot learn who asks: %w", err)
	}
	return allowedUID(cred.Uid, os.Geteuid())
}

func allowedUID(uid uint32, own int) error {
	if uid == 0 || int(uid) == own {
		return nil
	}
	return fmt.Errorf("user %d may not run oneshots here, only root and user %d", uid, own)
}
