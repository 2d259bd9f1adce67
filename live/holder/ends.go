package holder

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ends are the two ends of one pipe. They are blocking: so they are for everybody
// who will ever have them.
type ends struct{ read, write *os.File }

func (e ends) close() {
	e.read.Close()
	e.write.Close()
}

// newEnds makes a pipe. Who opens it again, by way of a process that has it, needs
// to own it: it is given to owner where that is possible.
func newEnds(owner int) (ends, pipeID, error) {
	var fds [2]int
	// Not os.Pipe, whose pipes are non-blocking.
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return ends{}, "", fmt.Errorf("cannot make a pipe: %w", err)
	}
	if owner != os.Geteuid() {
		_ = unix.Fchown(fds[0], owner, -1) // only root can, and only root needs to
	}
	id, err := idOf(selfLink(fds[0]))
	if err != nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
		return ends{}, "", err
	}
	return ends{os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe")}, id, nil
}

// pipeID tells pipes apart by their inodes, as the kernel writes it: "pipe:[1234]".
// It is empty for a descriptor of anything else, also for that of a FIFO with a
// name.
type pipeID string

// idOf is the id of the pipe that a link in /proc leads to.
func idOf(link string) (pipeID, error) {
	target, err := os.Readlink(link)
	if err != nil || !strings.HasPrefix(target, "pipe:[") {
		return "", err
	}
	return pipeID(target), nil
}

// selfLink is the link to a descriptor of ours.
func selfLink(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// idOfFile is the id of an open pipe.
func idOfFile(f *os.File) (pipeID, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return "", err
	}
	var id pipeID
	var inner error
	err = raw.Control(func(fd uintptr) { id, inner = idOf(selfLink(int(fd))) })
	return id, errors.Join(err, inner)
}

// errOther says that a descriptor is no longer what it was.
var errOther = errors.New("it has another pipe now")

// reopen opens both ends of the pipe that a process has, by whichever end that is:
// link is in its directory in /proc.
func reopen(link string, want pipeID) (e ends, err error) {
	// The read end comes first: there may be no other, and then the write end
	// could not be opened.
	if e.read, err = open(link, unix.O_RDONLY, want); err != nil {
		return ends{}, err
	}
	if e.write, err = open(link, unix.O_WRONLY, want); err != nil {
		e.read.Close()
		return ends{}, err
	}
	return e, nil
}

// open opens one end, without waiting for anybody who has the other.
func open(link string, direction int, want pipeID) (*os.File, error) {
	fd, err := unix.Open(link, direction|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: link, Err: err}
	}
	id, err := idOf(selfLink(fd))
	if err == nil && id != want {
		err = &os.PathError{Op: "open", Path: link, Err: errOther}
	}
	if err == nil {
		err = unix.SetNonblock(fd, false)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "pipe"), nil
}
