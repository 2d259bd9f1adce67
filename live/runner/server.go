package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"strata/live/journal"
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
}

// Server runs jobs.
type Server struct {
	cfg  Config
	env  []string
	path string

	mu      sync.Mutex
	jobs    map[string]*job
	closing bool
	conns   map[*net.UnixConn]struct{}
}

// NewServer makes a server that has no job yet.
func NewServer(cfg Config) *Server {
	if cfg.Environ == nil {
		cfg.Environ = os.Environ()
	}
	if cfg.Grace == 0 {
		cfg.Grace = DefaultGrace
	}
	s := &Server{cfg: cfg, jobs: map[string]*job{}, conns: map[*net.UnixConn]struct{}{}}
	s.env, s.path = baseEnv(cfg.Environ, isDir)
	return s
}

// Listen makes the socket at path, for which an old one gives way. Two servers
// must not share it: the supervisor sees to that.
func Listen(path string) (*net.UnixListener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cannot listen on %s: %w", path, err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	return l, nil
}

// Serve serves until ctx ends. Then it takes no more, tells the programs that
// still run to end, and returns once they have; clients that wait get the results.
func (s *Server) Serve(ctx context.Context, l *net.UnixListener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var clients sync.WaitGroup
	// Descriptors must not run out: who is too many waits to be accepted.
	room := make(chan struct{}, s6.Window(stdio+2))
	for {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			l.Close() // so that accepting fails for certain
		}
		c, err := l.AcceptUnix()
		if err != nil {
			s.close()
			clients.Wait()
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("cannot accept clients: %w", err)
		}
		clients.Go(func() {
			s.client(c)
			<-room
		})
	}
}

// close ends all jobs and then all connections.
func (s *Server) close() {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	jobs := s.all()
	for _, j := range jobs {
		j.kill()
	}
	for _, j := range jobs {
		<-j.done
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		// What is being written still goes out; what would be read does not.
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
}

// client talks to one client until it has no more to ask.
func (s *Server) client(u *net.UnixConn) {
	c := conn{u}
	defer c.Close()
	if err := allowed(u); err != nil {
		_ = c.send(Hello{Format: Format, Error: err.Error()}, nil)
		return
	}
	if !s.enter(u) {
		return
	}
	defer s.leave(u)
	if c.send(Hello{Format: Format}, nil) != nil {
		return
	}
	for {
		var req Request
		files, err := c.receive(&req)
		if err == nil {
			err = s.answer(c, req, files)
			closeAll(files)
		} else if errors.Is(err, errMessage) {
			_ = c.send(Reply{Error: err.Error()}, nil)
		}
		if err != nil {
			return
		}
	}
}

func (s *Server) enter(u *net.UnixConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[u] = struct{}{}
	return !s.closing
}

func (s *Server) leave(u *net.UnixConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, u)
}

// allowed lets root and our own user in.
func allowed(u *net.UnixConn) error {
	raw, err := u.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if credErr != nil {
		return fmt.Errorf("cannot learn who asks: %w", credErr)
	}
	return allowedUID(cred.Uid, os.Geteuid())
}

func allowedUID(uid uint32, own int) error {
	if uid == 0 || int(uid) == own {
		return nil
	}
	return fmt.Errorf("user %d may not run oneshots here, only root and user %d", uid, own)
}

// answer answers one request. An error ends the connection.
func (s *Server) answer(c conn, req Request, files []*os.File) error {
	if req.Op != OpList && (req.ID == "" || len(req.ID) > 255) {
		return c.send(Reply{Error: "the id of a job has 1 to 255 bytes"}, nil)
	}
	switch req.Op {
	case OpPrepare, OpForget:
		return c.send(s.forget(req.ID), nil)
	case OpRun:
		j, err := s.run(req, files)
		if err != nil {
			return c.send(Reply{Error: err.Error()}, nil)
		}
		// The client's end of its own streams must not depend on ours.
		closeAll(files)
		if err := c.send(Reply{Started: true}, nil); err != nil {
			return err
		}
		<-j.done
		return c.send(Reply{Result: j.result()}, nil)
	case OpWait, OpKill:
		j := s.find(req.ID)
		if j == nil {
			return c.send(Reply{Error: "there is no job " + req.ID, Unknown: true}, nil)
		}
		if req.Op == OpKill {
			j.kill()
			return c.send(Reply{}, nil)
		}
		<-j.done
		return c.send(Reply{Result: j.result()}, nil)
	case OpList:
		return c.send(Reply{Jobs: s.list()}, nil)
	}
	return c.send(Reply{Error: fmt.Sprintf("unknown request %q", req.Op)}, nil)
}

func (s *Server) find(id string) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.jobs[id]
}

// forget drops a result. A job that runs is kept.
func (s *Server) forget(id string) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.jobs[id]; j != nil && !j.over() {
		return Reply{Error: fmt.Sprintf("job %s still runs", id)}
	}
	delete(s.jobs, id)
	return Reply{}
}

// run begins a job.
func (s *Server) run(req Request, files []*os.File) (*job, error) {
	switch req.Phase {
	case journal.PhaseUp, journal.PhaseDown, journal.PhaseReload:
	default:
		return nil, fmt.Errorf("unknown phase %q", req.Phase)
	}
	if req.Stdio != (len(files) == stdio) {
		return nil, fmt.Errorf("%d streams came with the request", len(files))
	}
	const most = 1 << 31 // about 24 days
	if req.LimitMS < 0 || req.LimitMS > most {
		return nil, fmt.Errorf("the limit of %d ms cannot be", req.LimitMS)
	}
	p, err := s.cfg.Lookup(req)
	if err != nil {
		return nil, err
	}
	j := &job{
		Job:   Job{ID: req.ID, Service: req.Service, Phase: req.Phase},
		grace: s.cfg.Grace, done: make(chan struct{}),
	}
	if err := s.add(j); err != nil {
		return nil, err
	}
	env := append(append([]string(nil), s.env...), NameVar+"="+req.Service)
	j.start(p, env, s.path, time.Duration(req.LimitMS)*time.Millisecond, files)
	// Whoever closed the server meanwhile may have passed it over.
	if s.isClosing() {
		j.kill()
	}
	return j, nil
}

func (s *Server) add(j *job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return errors.New("the oneshot runner is about to end")
	}
	if old := s.jobs[j.ID]; old != nil && !old.over() {
		return fmt.Errorf("job %s still runs", j.ID)
	}
	s.jobs[j.ID] = j
	return nil
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// all gives the jobs that there are. Their locks are not taken under the server's:
// a program that takes long to start must not hold the others up.
func (s *Server) all() []*job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.jobs))
}

func (s *Server) list() []Job {
	jobs := s.all()
	list := make([]Job, len(jobs))
	for i, j := range jobs {
		list[i] = j.snapshot()
	}
	return list
}
