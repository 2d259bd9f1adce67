package runner

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// pair gives two connected sockets.
func pair(t testing.TB) (*net.UnixConn, *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		c, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = c.(*net.UnixConn)
	}
	return ends[0], ends[1]
}

// Whatever bytes come: the server answers or hangs up, and runs only what the
// lookup knows.
func FuzzServer(f *testing.F) {
	frame := func(body string) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
	}
	f.Add(frame(`{"op":"list"}`))
	f.Add(frame(`{"op":"run","id":"1.up","service":"a","slot":1,"phase":"up"}`))
	f.Add(frame(`{"op":"wait","id":"1.up"}`))
	f.Add(append(frame(`{"op":"prepare","id":"1.up"}`), frame(`{"op":"kill","id":"1.up"}`)...))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, '{'})
	f.Add(frame(`{"op":"run","id":"1","stdio":true}`))
	f.Add(frame(`{"op":"list"} {}`))
	f.Add([]byte{0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := NewServer(Config{Environ: []string{}, Lookup: func(r Request) (Program, error) {
			if r.Service != "a" {
				return Program{}, errors.New("no")
			}
			return Program{}, nil
		}})
		server, client := pair(t)
		done := make(chan struct{})
		go func() {
			s.client(server)
			close(done)
		}()
		go func() {
			client.Write(b)
			client.CloseWrite()
		}()
		replies, _ := io.ReadAll(client)
		client.Close()
		<-done
		for r := bytes.NewReader(replies); r.Len() > 0; {
			var head [4]byte
			if _, err := io.ReadFull(r, head[:]); err != nil {
				t.Fatal(err)
			}
			if _, err := readBody(r, head); err != nil {
				t.Fatal(err)
			}
		}
	})
}
