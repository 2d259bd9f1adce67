package runner

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// socket is a Unix stream socket for which the runtime's poller waits. Its number
// is known, unlike that of package net's, so that it can be handed over.
type socket struct {
	fd  int
	f   *os.File
	raw syscall.RawConn
}

// newSocket takes a descriptor that does not block.
func newSocket(fd int) (socket, error) {
	f := os.NewFile(uintptr(fd), "socket")
	if f == nil {
		return socket{}, fmt.Errorf("%d is no descriptor", fd)
	}
	raw, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return socket{}, err
	}
	return socket{fd, f, raw}, nil
}

const socketType = unix.SOCK_STREAM | unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC

// await calls try under the lock, first at once and then each time the socket may
// be ready, until try does not end with EAGAIN.
func (s socket) await(wait func(func(uintptr) bool) error, lock sync.Locker, try func() error) error {
	var err error
	waitErr := wait(func(uintptr) bool {
		lock.Lock()
		defer lock.Unlock()
		for {
			if err = try(); err != unix.EINTR {
				return err != unix.EAGAIN
			}
		}
	})
	if waitErr != nil {
		return waitErr
	}
	return err
}

// listen makes a socket at path that only its owner can reach.
func listen(path string) (socket, error) {
	fd, err := unix.Socket(unix.AF_UNIX, socketType, 0)
	if err != nil {
		return socket{}, os.NewSyscallError("socket", err)
	}
	if err = unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err == nil {
		if err = os.Chmod(path, 0o600); err == nil {
			err = os.NewSyscallError("listen", unix.Listen(fd, unix.SOMAXCONN))
		}
	} else {
		err = os.NewSyscallError("bind", err)
	}
	if err != nil {
		unix.Close(fd)
		return socket{}, err
	}
	return newSocket(fd)
}

// dialSocket makes a socket that is connected to the one at path.
func dialSocket(path string) (socket, error) {
	path, done, err := ShortPath(path)
	if err != nil {
		return socket{}, err
	}
	defer done()
	fd, err := unix.Socket(unix.AF_UNIX, socketType, 0)
	if err != nil {
		return socket{}, os.NewSyscallError("socket", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		unix.Close(fd)
		return socket{}, &os.PathError{Op: "connect", Path: path, Err: err}
	}
	return newSocket(fd)
}

// ShortPath gives a path of a socket that is not longer than a socket's may be,
// which counts until done is called.
func ShortPath(socket string) (path string, done func(), err error) {
	const most = 107
	if len(socket) <= most {
		return socket, func() {}, nil
	}
	dir, err := unix.Open(filepath.Dir(socket), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, &os.PathError{Op: "open", Path: filepath.Dir(socket), Err: err}
	}
	return "/proc/self/fd/" + strconv.Itoa(dir) + "/" + filepath.Base(socket), func() { unix.Close(dir) }, nil
}

// conn is a connection with what was received and not yet taken, and what is to be
// sent.
type conn struct {
	socket
	in    []byte
	files []int // descriptors that came with the message that in begins with
	out   []byte
}

// chunk is how much is received at once, in bytes.
const chunk = 4096

// receive waits until more has come. io.EOF is the end. buf, which the lock
// protects too, is used for receiving; a connection that is idle has none.
func (c *conn) receive(lock sync.Locker, buf []byte) error {
	oob := make([]byte, unix.CmsgSpace(stdio*4))
	return c.await(c.raw.Read, lock, func() error {
		n, oobn, _, _, err := unix.Recvmsg(c.fd, buf, oob, unix.MSG_CMSG_CLOEXEC)
		if err != nil {
			return err
		}
		c.files = append(c.files, rights(oob[:oobn])...)
		c.in = append(c.in, buf[:n]...)
		switch {
		case len(c.files) > stdio:
			return fmt.Errorf("%w: %d descriptors", errMessage, len(c.files))
		case n == 0:
			return io.EOF
		}
		return nil
	})
}

// flush sends what is to be sent, and descriptors with its first byte.
func (c *conn) flush(lock sync.Locker, files ...int) error {
	var oob []byte
	if len(files) > 0 {
		oob = unix.UnixRights(files...)
	}
	for done := false; !done; {
		err := c.await(c.raw.Write, lock, func() error {
			if len(c.out) == 0 {
				done = true
				return nil
			}
			n, err := unix.SendmsgN(c.fd, c.out, oob, nil, unix.MSG_NOSIGNAL)
			if err == nil {
				c.out, oob = c.out[n:], nil
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// take drops the first message of what was received, and its descriptors.
func (c *conn) take(body []byte) {
	c.in = c.in[headSize+len(body):]
	if len(c.in) == 0 {
		c.in = nil
	}
	c.dropFiles()
}

func (c *conn) dropFiles() {
	for _, fd := range c.files {
		unix.Close(fd)
	}
	c.files = nil
}

func (c *conn) close() {
	c.dropFiles()
	c.f.Close()
}

// rights takes the descriptors out of a control message.
func rights(oob []byte) []int {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	var all []int
	for i := range messages {
		if fds, err := unix.ParseUnixRights(&messages[i]); err == nil {
			all = append(all, fds...)
		}
	}
	return all
}
