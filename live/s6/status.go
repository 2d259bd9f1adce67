package s6

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"syscall"

	"golang.org/x/sys/unix"
)

// StatusSize is the length of supervise/status in s6 2.11 and 2.15, in bytes.
const StatusSize = 35

// The bits of the last byte of supervise/status.
const (
	flagPaused = 1 << iota
	flagFinishing
	flagWantUp
	flagReady
	flagsKnown = flagPaused | flagFinishing | flagWantUp | flagReady
)

// ErrBadStatus is wrapped by the errors about a status file that is no status.
var ErrBadStatus = errors.New("not an s6 status")

// Status is what s6-supervise says about its service. The fields are those of
// the file; the questions people ask are the methods, which give the answers of
// s6-svstat and s6-svwait.
type Status struct {
	Stamp      Stamp      // the last start of run, or its last death
	ReadyStamp Stamp      // the last readiness (up) or the end of finish (down); old unless Ready
	PID        int        // of run, or of finish while Finishing; 0: nothing runs
	Wait       WaitStatus // how run died last
	Paused     bool       // see IsPaused
	Finishing  bool       // run is dead, finish is running
	WantUp     bool       // the supervisor will start run again
	Ready      bool       // up and ready, or down and finish has ended
}

// Up reports whether run is running.
func (s Status) Up() bool { return s.PID != 0 && !s.Finishing }

// UpReady reports whether run is running and has said that it is ready. A
// service without notification-fd is never ready.
func (s Status) UpReady() bool { return s.Up() && s.Ready }

// Down reports whether run is not running. Its finish may be.
func (s Status) Down() bool { return !s.Up() }

// DownReady reports whether neither run nor finish is running.
func (s Status) DownReady() bool { return s.Down() && s.Ready }

// IsPaused reports whether the running service was stopped by SIGSTOP through
// s6. Without a process the bit means something else in s6 2.15.
func (s Status) IsPaused() bool { return s.Paused && s.PID != 0 }

// NotStarted reports whether the supervisor has not run the service yet. s6 2.15
// marks it; for 2.11 it is taken from the stamps, which are equal then.
func (s Status) NotStarted() bool {
	if s.PID != 0 || s.Finishing || s.Wait != 0 {
		return false
	}
	return s.Paused || s.Stamp == s.ReadyStamp
}

// WaitingToRestart reports whether the service is down and will be started again
// by its supervisor.
func (s Status) WaitingToRestart() bool { return s.PID == 0 && s.WantUp }

// WaitStatus is the raw wait status of a process on Linux, the low 16 bits.
type WaitStatus uint16

// Exited reports whether the process ended by itself.
func (w WaitStatus) Exited() bool { return w&0x7f == 0 }

// ExitCode is the exit code of a process that ended by itself, else -1.
func (w WaitStatus) ExitCode() int {
	if !w.Exited() {
		return -1
	}
	return int(w >> 8)
}

// Signal is the signal that ended the process, 0 when it ended by itself.
func (w WaitStatus) Signal() syscall.Signal { return syscall.Signal(w & 0x7f) }

// CoreDumped reports whether a core file was written.
func (w WaitStatus) CoreDumped() bool { return !w.Exited() && w&0x80 != 0 }

// String says how the process ended: "exit 3", or "signal SIGTERM".
func (w WaitStatus) String() string {
	if w.Exited() {
		return fmt.Sprintf("exit %d", w.ExitCode())
	}
	name := unix.SignalName(w.Signal())
	if name == "" {
		name = fmt.Sprintf("%d", w&0x7f)
	}
	if w.CoreDumped() {
		return "signal " + name + " (core dumped)"
	}
	return "signal " + name
}

// ParseStatus reads the bytes of a supervise/status file. The error wraps
// [ErrBadStatus].
func ParseStatus(b []byte) (Status, error) {
	if len(b) != StatusSize {
		return Status{}, fmt.Errorf("%w: %d bytes instead of %d", ErrBadStatus, len(b), StatusSize)
	}
	pid := binary.BigEndian.Uint64(b[24:])
	if pid > math.MaxInt32 {
		return Status{}, fmt.Errorf("%w: %d is no pid", ErrBadStatus, pid)
	}
	flags := b[34]
	if flags&^flagsKnown != 0 {
		return Status{}, fmt.Errorf("%w: unknown flags %#02x", ErrBadStatus, flags)
	}
	return Status{
		Stamp:      unpackStamp(b),
		ReadyStamp: unpackStamp(b[stampSize:]),
		PID:        int(pid),
		Wait:       WaitStatus(binary.BigEndian.Uint16(b[32:])),
		Paused:     flags&flagPaused != 0,
		Finishing:  flags&flagFinishing != 0,
		WantUp:     flags&flagWantUp != 0,
		Ready:      flags&flagReady != 0,
	}, nil
}

// AppendPacked appends the 35 bytes that s6-supervise writes for the status.
func (s Status) AppendPacked(b []byte) []byte {
	b = s.Stamp.AppendPacked(b)
	b = s.ReadyStamp.AppendPacked(b)
	b = binary.BigEndian.AppendUint64(b, uint64(s.PID))
	b = binary.BigEndian.AppendUint16(b, uint16(s.Wait))
	var flags byte
	for _, f := range [...]struct {
		set bool
		bit byte
	}{{s.Paused, flagPaused}, {s.Finishing, flagFinishing}, {s.WantUp, flagWantUp}, {s.Ready, flagReady}} {
		if f.set {
			flags |= f.bit
		}
	}
	return append(b, flags)
}

// ReadStatus reads the status of the service directory dir. It says what the
// supervisor wrote last, whether or not it still lives: see [Supervised]. The
// error wraps [fs.ErrNotExist] when no supervisor ever ran there, fs.ErrPermission,
// or [ErrBadStatus].
func ReadStatus(dir string) (Status, error) { return readStatusAt(unix.AT_FDCWD, dir) }

// readStatusAt is ReadStatus for a path that may begin at the directory at.
func readStatusAt(at int, dir string) (Status, error) {
	var buf [StatusSize + 1]byte
	path := dir + "/supervise/status"
	n, err := readSmallAt(at, path, buf[:])
	if err != nil {
		return Status{}, fmt.Errorf("cannot read status: %w", &fs.PathError{Op: "open", Path: path, Err: err})
	}
	st, err := ParseStatus(buf[:n])
	if err != nil {
		return Status{}, fmt.Errorf("cannot read status: %s: %w", path, err)
	}
	return st, nil
}

// readSmall reads the start of the regular file path into buf with as few system
// calls as can be: these files are read by the thousand, and one read gives all
// there is.
func readSmall(path string, buf []byte) (int, error) { return readSmallAt(unix.AT_FDCWD, path, buf) }

// readSmallAt is readSmall for a path that may begin at the directory dir.
func readSmallAt(dir int, path string, buf []byte) (int, error) {
	fd, err := openatRetry(dir, path, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Read(fd, buf)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// openRetry opens path, close-on-exec, and goes on after a signal.
func openRetry(path string, flags int) (int, error) {
	return openatRetry(unix.AT_FDCWD, path, flags)
}

// openatRetry is openRetry for a path that may begin at the directory dir.
func openatRetry(dir int, path string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(dir, path, flags|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
