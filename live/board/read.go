package board

import (
	"sync"

	"golang.org/x/sys/unix"

	"strata/live/s6"
)

// SocketName is the socket's name in the service directory of who keeps the board.
const SocketName = "b"

// Reader reads a board.
type Reader struct {
	mu sync.Mutex
	fd int // -1 once it is closed
}

// Dial asks for the board that is kept in a service directory of dir. It does not wait;
// an error says that there is no board to be had now, and the files say all. The caller
// reads it or closes it.
func Dial(dir *s6.Directory, service string) (*Reader, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	err = unix.Connect(fd, &unix.SockaddrUnix{Name: dir.ShortPath(service + "/" + SocketName)})
	if err == nil {
		err = unix.SetNonblock(fd, false)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &Reader{fd: fd}, nil
}

// Read calls each for each service that is known, until all were read, the keeper of
// the board is gone, or [Reader.Stop] is called. Then it closes the reader.
func (r *Reader) Read(each func(Row)) {
	defer r.Close()
	var buf [16 << 10]byte
	have, begun := 0, false
	for {
		n, err := unix.Read(r.fd, buf[have:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return
		}
		var rest []byte
		begun, rest = parse(buf[:have+n], begun, each)
		have = copy(buf[:], rest)
		if !begun && have >= len(Format) {
			return // it says something else
		}
	}
}

// Stop makes Read return, in whatever goroutine that is.
func (r *Reader) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fd >= 0 {
		_ = unix.Shutdown(r.fd, unix.SHUT_RDWR)
	}
}

// Close closes the reader, if it is not closed.
func (r *Reader) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fd >= 0 {
		unix.Close(r.fd)
		r.fd = -1
	}
}
