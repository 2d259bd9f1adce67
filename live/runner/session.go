package runner

import (
	"errors"
	"fmt"
	"sync"
)

// session is the server's side of one connection.
type session struct {
	conn
	waits *job // for whose result the client waits
	renew bool // the client waits for the server to be renewed
	last  bool // nothing follows what is to be sent
}

// say adds a message to what is to be sent. The caller holds the server's lock.
func (c *session) say(v any) {
	b, err := marshal(v)
	if err != nil {
		b, _ = marshal(Reply{Error: err.Error()})
	}
	c.out = append(c.out, b...)
}

// awaited gives the job that the client waits for, or nil.
func (c *session) awaited(lock sync.Locker) *job {
	lock.Lock()
	defer lock.Unlock()
	return c.waits
}

// result says the result of the job that the client waits for.
func (c *session) result() {
	if c.waits != nil {
		c.say(Reply{Result: c.waits.Result})
		c.waits = nil
	}
}

// talk talks to one client until it has no more to ask.
func (s *Server) talk(c *session) {
	defer s.leave(c)
	for {
		if c.flush(&s.mu) != nil || c.last {
			return
		}
		if j := c.awaited(&s.mu); j != nil {
			<-j.done
			s.mu.Lock()
			c.result()
			s.mu.Unlock()
			continue
		}
		body, err := split(c.in)
		if err == nil && body == nil {
			err = c.receive(&s.mu, s.buf[:])
		}
		switch {
		case err == nil && body != nil:
			s.answer(c, body)
		case errors.Is(err, errMessage):
			s.mu.Lock()
			c.say(Reply{Error: err.Error()})
			c.last = true
			s.mu.Unlock()
		case err != nil:
			return
		}
	}
}

// answer takes a request and answers it in one step; what takes time comes before.
func (s *Server) answer(c *session, body []byte) {
	var req Request
	if err := unmarshal(body, &req, true); err != nil {
		s.step(c, body, func() { c.last = true; c.say(Reply{Error: err.Error()}) })
		return
	}
	if req.Op.named() && (req.ID == "" || len(req.ID) > 255 || len(req.Token) > 255) {
		s.step(c, body, func() { c.say(Reply{Error: "the id of a job has 1 to 255 bytes, its token at most as many"}) })
		return
	}
	switch req.Op {
	case OpRun:
		s.run(c, body, req)
	case OpRenew:
		s.renew(c, body)
	case OpWait:
		s.step(c, body, func() {
			if j := s.jobs[req.ID]; j != nil && (req.Token == "" || req.Token == j.token) {
				c.waits = j
			} else {
				c.say(Reply{Error: "there is no job " + req.ID, Unknown: true})
			}
		})
	case OpList:
		s.launches.Lock() // a job that is listed has its pid
		defer s.launches.Unlock()
		fallthrough
	default:
		s.step(c, body, func() { c.say(s.do(req)) })
	}
}

// step takes a request and does what answers it.
func (s *Server) step(c *session, body []byte, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.take(body)
	do()
}

// do does what takes no time. The caller holds the lock.
func (s *Server) do(req Request) Reply {
	j := s.jobs[req.ID]
	switch req.Op {
	case OpPrepare, OpForget:
		if j != nil && !j.over() {
			return Reply{Error: fmt.Sprintf("job %s still runs", req.ID)}
		}
		delete(s.jobs, req.ID)
	case OpClear:
		for id, j := range s.jobs {
			if j.over() {
				delete(s.jobs, id)
			}
		}
	case OpKill:
		if j == nil {
			return Reply{Error: "there is no job " + req.ID, Unknown: true}
		}
		s.tell(j)
	case OpList:
		jobs := make([]Job, 0, len(s.jobs))
		for _, j := range s.jobs {
			jobs = append(jobs, j.Job)
		}
		return Reply{Jobs: jobs}
	default:
		return Reply{Error: fmt.Sprintf("unknown request %q", req.Op)}
	}
	return Reply{}
}
