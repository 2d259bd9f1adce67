package fdholder

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// FromFile makes a client of a connection that another process has opened. The
// file stays the caller's.
func FromFile(f *os.File) (*Client, error) {
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("cannot use connection to fd-holder: %w", err)
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, fmt.Errorf("cannot use connection to fd-holder: it is no Unix socket")
	}
	return newClient(u), nil
}

// File gives a copy of the connection, for another process. The caller closes it.
func (c *Client) File() (*os.File, error) { return c.conn.File() }

// PID is the pid of the daemon: the process that has made the socket. It is 0 if
// that lives in another PID namespace.
func (c *Client) PID() (int, error) {
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return 0, err
	}
	if credErr != nil {
		return 0, fmt.Errorf("cannot find out the pid of the fd-holder: %w", credErr)
	}
	return int(cred.Pid), nil
}

// Gone reports whether the daemon has ended, or given the connection up. It asks
// the kernel, not the daemon.
func (c *Client) Gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return true
	}
	gone := true
	err = raw.Control(func(fd uintptr) {
		n, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		gone = n == 0 || n < 0 && err != unix.EAGAIN && err != unix.EINTR
	})
	return gone || err != nil
}
