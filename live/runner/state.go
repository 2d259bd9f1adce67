package runner

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// StateFormat is the version of the state that one process image hands to the
// next. A release reads its own and the one before; this is the first.
const StateFormat = "strata-runner-state/1"

// state is all that a server must not forget when another process image goes on.
// Descriptors are numbers, which stay what they are.
type state struct {
	Format   string         `json:"format"`
	Ready    int            `json:"ready,omitempty"` // on which to say that clients can connect, or 0
	Listener int            `json:"listener"`
	Jobs     []jobState     `json:"jobs,omitempty"`
	Sessions []sessionState `json:"sessions,omitempty"`
}

// jobState is a job. Its times are those of the machine's monotonic clock.
type jobState struct {
	Job
	Token    string        `json:"token,omitempty"`
	Logs     bool          `json:"logs,omitempty"`
	Told     bool          `json:"told,omitempty"`
	TimedOut bool          `json:"timed_out,omitempty"`
	Limit    time.Duration `json:"limit,omitempty"`
	Kill     time.Duration `json:"kill,omitempty"`
}

// sessionState is a connection. In and Out are what was received and not taken,
// and what is not sent yet.
type sessionState struct {
	Socket int    `json:"socket"`
	In     []byte `json:"in,omitempty"`
	Files  []int  `json:"files,omitempty"`
	Out    []byte `json:"out,omitempty"`
	Waits  string `json:"waits,omitempty"` // the id of the job it waits for
	Renew  bool   `json:"renew,omitempty"` // it waits for the server to be renewed
	Last   bool   `json:"last,omitempty"`
}

// descriptors are all that the state names.
func (st state) descriptors() []int {
	fds := []int{st.Listener}
	if st.Ready > 0 {
		fds = append(fds, st.Ready)
	}
	for _, c := range st.Sessions {
		fds = append(append(fds, c.Socket), c.Files...)
	}
	return fds
}

// state is what there is now. The caller holds the lock.
func (s *Server) state() state {
	st := state{Format: StateFormat, Listener: s.listener.fd}
	for _, j := range s.jobs {
		st.Jobs = append(st.Jobs, jobState{j.Job, j.token, j.logs, j.told, j.timedOut, j.limit, j.kill})
	}
	for c := range s.sessions {
		if c.waits != nil && c.waits.over() {
			c.result()
		}
		cs := sessionState{Socket: c.fd, In: c.in, Files: c.files, Out: c.out, Renew: c.renew, Last: c.last}
		if c.waits != nil {
			cs.Waits = c.waits.ID
		}
		st.Sessions = append(st.Sessions, cs)
	}
	return st
}

// resume takes a state over, before the server serves. Who waits for it to be
// renewed hears that it was.
func (s *Server) resume(st state) (*Listener, error) {
	for _, fd := range st.descriptors() {
		unix.CloseOnExec(fd)
	}
	sock, err := newSocket(st.Listener)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, js := range st.Jobs {
		j := &job{
			Job: js.Job, token: js.Token, logs: js.Logs, done: make(chan struct{}),
			told: js.Told, timedOut: js.TimedOut, limit: js.Limit, kill: js.Kill,
		}
		s.jobs[j.ID] = j
		if j.over() {
			close(j.done)
		} else {
			s.attend(j)
		}
	}
	for _, cs := range st.Sessions {
		sock, err := newSocket(cs.Socket)
		if err != nil {
			return nil, err
		}
		c := &session{conn: conn{sock, cs.In, cs.Files, cs.Out}, waits: s.jobs[cs.Waits], last: cs.Last}
		if cs.Renew {
			c.say(Reply{})
		}
		s.sessions[c] = struct{}{}
	}
	return &Listener{sock}, nil
}

// writeState writes a state to a file in memory that the next process image reads.
func writeState(st state) (*os.File, error) {
	b, err := json.Marshal(st)
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("oneshot-runner", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "state")
	if _, err = f.Write(b); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// readState reads a state. One of another format is an error, and so is one in
// which anything is unknown.
func readState(r io.Reader) (state, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return state{}, err
	}
	var version struct {
		Format string `json:"format"`
	}
	if err := json.Unmarshal(b, &version); err != nil {
		return state{}, fmt.Errorf("no state of a oneshot runner: %w", err)
	}
	if version.Format != StateFormat {
		return state{}, fmt.Errorf("the state has the format %q, and not %q", version.Format, StateFormat)
	}
	var st state
	if err := unmarshal(b, &st, true); err != nil {
		return state{}, err
	}
	return st, st.check()
}

// check says whether a state can be: each job has a name of its own, and a process
// or a result, and is there if somebody waits for it.
func (st state) check() error {
	jobs := map[string]bool{"": true}
	for _, j := range st.Jobs {
		if jobs[j.ID] || j.PID <= 0 && j.Result == nil {
			return fmt.Errorf("the job %q cannot be", j.ID)
		}
		jobs[j.ID] = true
	}
	for _, c := range st.Sessions {
		if !jobs[c.Waits] {
			return fmt.Errorf("the job %q, which somebody waits for, is not there", c.Waits)
		}
	}
	return nil
}
