package runner

import (
	"time"

	"golang.org/x/sys/unix"
)

// job is one program that runs, or has run. The server's lock is held for all that
// is done with it.
type job struct {
	Job
	token string
	logs  bool          // to the log of the tree
	done  chan struct{} // closed when Result is set

	told     bool // to end: by the limit or by somebody
	timedOut bool
	// limit and kill are when the limit and the grace are over, by the clock; 0
	// is never.
	limit, kill time.Duration
	timers      []func() bool // stop them
}

// over says whether the job has its result.
func (j *job) over() bool { return j.Result != nil }

// signal sends a signal to the group. As long as the job is not over nobody has
// waited for its leader, so the group cannot be another one.
func (j *job) signal(sig unix.Signal) { _ = unix.Kill(-j.PID, sig) }

// started notes that a job has a process now, of which the limit counts from now.
func (s *Server) started(j *job, pid int, limit time.Duration) {
	j.PID = pid
	if limit > 0 {
		j.limit = s.cfg.clock.Now() + limit
	}
	if j.told || s.closing {
		s.tell(j)
	}
	s.attend(j)
}

// attend waits for the end of a job that runs, and of its time.
func (s *Server) attend(j *job) {
	s.at(j, j.limit, func() {
		j.timedOut = true
		s.tell(j)
	})
	s.at(j, j.kill, func() { j.signal(unix.SIGKILL) })
	go s.watch(j)
}

// at does something at a time of the clock, unless the job is over by then.
func (s *Server) at(j *job, when time.Duration, do func()) {
	if when == 0 {
		return
	}
	j.timers = append(j.timers, s.cfg.clock.After(when-s.cfg.clock.Now(), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !j.over() {
			do()
		}
	}))
}

// tell tells a job's group to end, and ends it after the grace. One that has no
// process yet is told once it has.
func (s *Server) tell(j *job) {
	j.told = true
	if j.over() || j.PID == 0 || j.kill != 0 {
		return
	}
	j.signal(unix.SIGTERM)
	j.signal(unix.SIGCONT)
	j.kill = s.cfg.clock.Now() + s.cfg.Grace
	s.at(j, j.kill, func() { j.signal(unix.SIGKILL) })
}

// watch waits for the leader of a job's group and takes its status.
func (s *Server) watch(j *job) {
	awaitExit(j.PID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.told {
		j.signal(unix.SIGKILL) // what the leader left
	}
	r := reap(j.PID)
	r.TimedOut = j.timedOut
	s.finish(j, r)
}

// finish gives a job its result.
func (s *Server) finish(j *job, r Result) {
	for _, stop := range j.timers {
		stop()
	}
	j.timers, j.Result = nil, &r
	if j.logs {
		logf("%s: %s: %s", j.Service, j.Phase, r)
	}
	close(j.done)
}
