package runner

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/live/journal"
)

// Format is what a server says first; another one is spoken to by nobody.
const Format = "strata-runner/1"

// MaxMessage is the most bytes a message may have.
const MaxMessage = 1 << 20

// stdio is how many descriptors can come with a message.
const stdio = 3

// Hello is the server's first message.
type Hello struct {
	Format string `json:"format"`
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
)

// Request is a client's message. All but list have an ID; what follows is for run.
type Request struct {
	Op Op     `json:"op"`
	ID string `json:"id,omitempty"`

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

// marshal makes the bytes of a message.
func marshal(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(body) > MaxMessage {
		return nil, fmt.Errorf("message of %d bytes is too long", len(body))
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...), nil
}

// unmarshal reads the JSON of a message, all of it and nothing unknown.
func unmarshal(body []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", errMessage, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows", errMessage)
	}
	return nil
}

// readBody reads what follows a length.
func readBody(r io.Reader, head [4]byte) ([]byte, error) {
	n := binary.BigEndian.Uint32(head[:])
	if n > MaxMessage {
		return nil, fmt.Errorf("%w: %d bytes are too long", errMessage, n)
	}
	// Grown as it comes: the length alone must not cost memory.
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, int64(n)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return b.Bytes(), nil
}

// conn sends and receives messages.
type conn struct{ *net.UnixConn }

// send sends a message, and the descriptors with it.
func (c conn) send(v any, files []*os.File) error {
	b, err := marshal(v)
	if err != nil {
		return err
	}
	var oob []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		oob = unix.UnixRights(fds...)
	}
	n, _, err := c.WriteMsgUnix(b, oob, nil)
	if err != nil {
		return err
	}
	_, err = c.Write(b[n:])
	return err
}

// receive reads a message. io.EOF is the end between two messages. The caller
// closes the files, also after an error of what the message says.
func (c conn) receive(v any) ([]*os.File, error) {
	var head [4]byte
	var files []*os.File
	oob := make([]byte, unix.CmsgSpace(stdio*4))
	for got := 0; got < len(head); {
		n, oobn, _, _, err := c.ReadMsgUnix(head[got:], oob)
		if err == nil && n == 0 {
			err = io.EOF
		}
		files = append(files, rights(oob[:oobn])...)
		if err != nil {
			if got > 0 && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			closeAll(files)
			return nil, err
		}
		got += n
	}
	body, err := readBody(c, head)
	if err == nil {
		err = unmarshal(body, v)
	}
	if err != nil {
		closeAll(files)
		return nil, err
	}
	return files, nil
}

// rights takes the descriptors out of a control message; they are close-on-exec.
func rights(oob []byte) []*os.File {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	var files []*os.File
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "stream"))
		}
	}
	return files
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
