package runner

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"strata/live/board"
)

// boardLimit is how long a client may take to read the board. Others wait for that, or
// read the files instead.
const boardLimit = time.Second

// boardKeeper shows the board of a live directory to its commands, one after the other.
// Nothing depends on it: without it they read the status files.
type boardKeeper struct {
	*Listener
	served func() // called after each client

	mu    sync.Mutex
	board *board.Board
	full  bool // it was said that there is no room for all
}

// showBoard shows the board, if that is possible, until end is called. refresh has it
// read what it does not know.
func (m image) showBoard(served func()) (refresh, end func()) {
	k, err := keepBoard(m.real, served)
	if err != nil {
		logf("commands do without the board: %v", err)
		return func() {}, func() {}
	}
	go func() {
		if err := k.serve(); err != nil && m.stopper.ctx.Err() == nil {
			logf("commands do without the board from now on: %v", err)
		}
	}()
	return k.refresh, func() { _ = k.Close() }
}

// keepBoard makes the board of the live directory whose real path is given, and its
// socket in the current directory. The caller serves it, and closes the socket to end
// that.
func keepBoard(real string, served func()) (*boardKeeper, error) {
	b, err := board.Open(filepath.Join(real, "sv"))
	if err != nil {
		return nil, err
	}
	l, err := Listen(board.SocketName)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return &boardKeeper{Listener: l, board: b, served: served}, nil
}

// serve shows the board until the socket is closed, or the board cannot be kept: then
// nobody is to wait for it.
func (k *boardKeeper) serve() error {
	defer k.drop()
	defer k.Close()
	for {
		c, err := k.accept()
		if err == unix.ECONNABORTED {
			continue
		}
		if err != nil {
			return err
		}
		err = k.show(c)
		c.f.Close()
		if err != nil {
			return err
		}
		k.refresh() // now nobody waits for it
		k.served()
	}
}

// drop closes the board.
func (k *boardKeeper) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.board.Close()
}

// refresh reads what is not on the board.
func (k *boardKeeper) refresh() {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.board.Refresh()
	if err != nil && !errors.Is(err, unix.EBADF) && !k.full { // EBADF: it is closed
		k.full = true
		logf("not all that the supervisors say is on the board: %v", err)
	}
}

// accept lets one client in.
func (k *boardKeeper) accept() (socket, error) {
	var fd int
	err := k.await(k.raw.Read, new(sync.Mutex), func() (err error) {
		fd, _, err = unix.Accept4(k.fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		return err
	})
	if err != nil {
		return socket{}, err
	}
	return newSocket(fd)
}

// show writes the board for a client that may read it. That this cannot be done is the
// client's matter.
func (k *boardKeeper) show(s socket) error {
	if allowed(s.fd) != nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	text, err := k.board.Text()
	if err != nil {
		return fmt.Errorf("cannot keep the board: %w", err)
	}
	_ = s.f.SetWriteDeadline(time.Now().Add(boardLimit))
	c := conn{socket: s, out: text}
	_ = c.flush(new(sync.Mutex))
	return nil
}
