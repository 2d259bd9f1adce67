package runner

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/live/journal"
)

// Format is the version of the protocol that is spoken here.
const Format = "strata-runner/1"

// MaxMessage is the most bytes a message may have.
const MaxMessage = 4 << 20

// stdio is how many descriptors can come with a message.
const stdio = 3

// Hello is the server's first message.
type Hello struct {
	// Formats are the versions that the server speaks.
	Formats []string `json:"formats"`
	// Program is what the server runs.
	Program Identity `json:"program"`
	// Error says why the server does not talk to this client.
	Error string `json:"error,omitempty"`
}

// Op is what a client asks for.
type Op string

// The requests.
const (
	OpPrepare Op = "prepare"
	OpRun     Op = "run"
	OpWait    Op = "wait"
	OpForget  Op = "forget"
	OpKill    Op = "kill"
	OpList    Op = "list"
	OpClear   Op = "clear"
	OpRenew   Op = "renew"
)

// named says whether a request is about one job.
func (o Op) named() bool { return o != OpList && o != OpClear && o != OpRenew }

// Request is a client's message. Those about one job have its ID; what follows is
// for run.
type Request struct {
	Op Op     `json:"op"`
	ID string `json:"id,omitempty"`
	// Token tells one job from another with the same ID. A run with the token of
	// the job that is there runs nothing and gives that job's result.
	Token string `json:"token,omitempty"`

	Content db.Digest     `json:"content,omitzero"` // of a database in the live directory
	Service string        `json:"service,omitempty"`
	Slot    uint32        `json:"slot,omitempty"`
	Phase   journal.Phase `json:"phase,omitempty"`
	LimitMS int64         `json:"limit_ms,omitempty"` // 0 is no limit
	// Stdio says that the descriptors that came with the message are the
	// program's standard streams.
	Stdio bool `json:"stdio,omitempty"`
}

// Reply is the server's answer.
type Reply struct {
	Error string `json:"error,omitempty"`
	// Unknown is set with Error if there is no job with that id.
	Unknown bool    `json:"unknown,omitempty"`
	Started bool    `json:"started,omitempty"`
	Result  *Result `json:"result,omitempty"`
	Jobs    []Job   `json:"jobs,omitempty"`
}

// Result is how a program ended.
type Result struct {
	// Exit is the exit code, or -1 if a signal ended the program or it could not
	// be run.
	Exit int `json:"exit"`
	// Signal is the number of the signal, or 0.
	Signal   int  `json:"signal,omitempty"`
	TimedOut bool `json:"timed_out,omitempty"`
	// Error says why the program could not be run.
	Error string `json:"error,omitempty"`
}

// OK says that the program succeeded. One whose limit was over did not, whatever
// it ended with.
func (r Result) OK() bool { return r.Exit == 0 && !r.TimedOut && r.Error == "" }

// String is for people: "exit 1", "killed by SIGKILL".
func (r Result) String() string {
	switch {
	case r.Error != "":
		return r.Error
	case r.TimedOut:
		return "timed out"
	case r.Signal != 0:
		if name := unix.SignalName(syscall.Signal(r.Signal)); name != "" {
			return "killed by " + name
		}
		return fmt.Sprintf("killed by signal %d", r.Signal)
	}
	return fmt.Sprintf("exit %d", r.Exit)
}

// Job is a line of the list of jobs.
type Job struct {
	ID      string        `json:"id"`
	Service string        `json:"service"`
	Phase   journal.Phase `json:"phase"`
	PID     int           `json:"pid,omitempty"`
	Result  *Result       `json:"result,omitempty"` // nil while it runs
}

// errMessage is wrapped by errors about messages that cannot be.
var errMessage = errors.New("not a message of this protocol")

// headSize is the size of the length before a message.
const headSize = 4

// marshal makes the bytes of a message.
func marshal(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(body) > MaxMessage {
		return nil, fmt.Errorf("message of %d bytes is too long", len(body))
	}
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, headSize+len(body)), uint32(len(body))), body...), nil
}

// split gives the body of the first message in what was received, or nil if it is
// not there whole.
func split(in []byte) (body []byte, err error) {
	if len(in) < headSize {
		return nil, nil
	}
	n := binary.BigEndian.Uint32(in)
	if n > MaxMessage {
		return nil, fmt.Errorf("%w: %d bytes are too long", errMessage, n)
	}
	if uint32(len(in)-headSize) < n {
		return nil, nil
	}
	return in[headSize : headSize+n : headSize+n], nil
}

// unmarshal reads the JSON of a message, all of it. With strict nothing may be
// unknown: a server must not pass over what may change a request's meaning, a
// client may pass over what a later server adds to an answer.
func unmarshal(body []byte, v any, strict bool) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	if strict {
		dec.DisallowUnknownFields()
	}
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", errMessage, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows", errMessage)
	}
	return nil
}
