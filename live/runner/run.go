package runner

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"strata/live/journal"
)

// run answers a run request. A job is begun in one step with the answer, however
// long its program takes to be started: nothing comes between.
func (s *Server) run(c *session, body []byte, req Request) {
	s.launches.RLock()
	defer s.launches.RUnlock()
	j, err := s.begin(req, c.files)
	s.step(c, body, func() {
		if err != nil {
			c.say(Reply{Error: err.Error()})
			return
		}
		c.say(Reply{Started: true})
		c.waits = j
	})
}

// begin begins a job, or finds the one that an earlier request has begun.
func (s *Server) begin(req Request, files []int) (*job, error) {
	if err := check(req, files); err != nil {
		return nil, err
	}
	if j, err := s.begun(req); j != nil || err != nil {
		return j, err
	}
	p, err := s.cfg.Lookup(req)
	if err != nil {
		return nil, err
	}
	j := &job{
		Job:   Job{ID: req.ID, Service: req.Service, Phase: req.Phase},
		token: req.Token, done: make(chan struct{}),
		logs: !req.Stdio && p.TTY == "" && len(p.Argv) > 0,
	}
	if other, err := s.add(j); other != nil || err != nil {
		return other, err
	}
	s.start(j, p, time.Duration(req.LimitMS)*time.Millisecond, files)
	return j, nil
}

// check refuses what cannot be.
func check(req Request, files []int) error {
	const most = 1 << 31 // about 24 days
	switch {
	case !slices.Contains([]journal.Phase{journal.PhaseUp, journal.PhaseDown, journal.PhaseReload}, req.Phase):
		return fmt.Errorf("unknown phase %q", req.Phase)
	case req.Stdio != (len(files) == stdio):
		return fmt.Errorf("%d streams came with the request", len(files))
	case req.LimitMS < 0 || req.LimitMS > most:
		return fmt.Errorf("the limit of %d ms cannot be", req.LimitMS)
	}
	return nil
}

// begun finds the job that the request has begun before. It is an error if another
// one with its id still runs.
func (s *Server) begun(req Request) (*job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.same(req.ID, req.Token)
}

func (s *Server) same(id, token string) (*job, error) {
	j := s.jobs[id]
	switch {
	case j == nil:
		return nil, nil
	case token != "" && token == j.token:
		return j, nil
	case !j.over():
		return nil, fmt.Errorf("job %s still runs", id)
	}
	return nil, nil
}

// add adds a job, unless meanwhile the same one was.
func (s *Server) add(j *job) (*job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil, errors.New("the oneshot runner is about to end")
	}
	if other, err := s.same(j.ID, j.token); other != nil || err != nil {
		return other, err
	}
	s.jobs[j.ID] = j
	return nil, nil
}

// start starts a job's program. What cannot be run is a job that has ended already.
func (s *Server) start(j *job, p Program, limit time.Duration, streams []int) {
	if len(p.Argv) == 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.finish(j, Result{})
		return
	}
	env := append(slices.Clone(s.env), NameVar+"="+j.Service)
	if j.logs {
		logf("%s: %s: begins", j.Service, j.Phase)
	}
	pid, err := launch(p, env, s.path, streams)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.finish(j, Result{Exit: -1, Error: err.Error()})
		return
	}
	s.started(j, pid, limit)
}
