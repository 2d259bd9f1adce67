package runner

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

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
		fds, err := unix.Socketpair(unix.AF_UNIX, socketType, 0)
		if err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		err = s.enter(fds[0])
		s.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		client := os.NewFile(uintptr(fds[1]), "client")
		defer client.Close()
		go func() {
			client.Write(b)
			unix.Shutdown(fds[1], unix.SHUT_WR)
		}()
		replies, _ := io.ReadAll(client)
		s.clients.Wait()
		for len(replies) > 0 {
			body, err := split(replies)
			if err != nil || body == nil {
				t.Fatalf("%q: %v", replies, err)
			}
			replies = replies[headSize+len(body):]
		}
	})
}

// Whatever a state says: it is taken or refused, and what is taken is written as it
// was read.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"format":"strata-runner-state/1","listener":3}`))
	f.Add([]byte(`{"format":"strata-runner-state/2","listener":3}`))
	f.Add([]byte(`{"format":"strata-runner-state/1","listener":3,"jobs":[{"id":"1.up","service":"a","phase":"up","pid":7,"limit":5}],
		"sessions":[{"socket":4,"in":"AAAA","files":[5],"out":"AAAA","waits":"1.up"}]}`))
	f.Add([]byte(`{"format":"strata-runner-state/1","listener":3,"more":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := readState(bytes.NewReader(b))
		if err != nil {
			return
		}
		w, err := writeState(st)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		again, err := readState(w)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := marshal(again)
		if want, _ := marshal(st); !bytes.Equal(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
