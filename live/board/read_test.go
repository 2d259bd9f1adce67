package board

import (
	"bytes"
	"errors"
	"maps"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"strata/live/journal"
	"strata/live/s6"
)

// reading gives a reader of what is written to the file.
func reading(tb testing.TB) (*Reader, *os.File) {
	tb.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(tb, err)
	f := os.NewFile(uintptr(fds[1]), "board")
	tb.Cleanup(func() { f.Close() })
	return &Reader{fd: fds[0]}, f
}

// row is a row of a board.
func row(slot journal.Slot, pid int) []byte { return said(slot, pid).append(nil) }

func said(slot journal.Slot, pid int) Row {
	return Row{slot, s6.Status{PID: pid, WantUp: true}, pid%2 == 0}
}

// What comes is taken in whatever pieces it comes, and what is no board is nothing.
func TestRead(t *testing.T) {
	many := []byte(Format)
	all := rows{}
	for slot := range journal.Slot(3000) {
		many = append(many, row(slot, int(slot)+1)...)
		all[slot] = said(slot, int(slot)+1)
	}
	first := rows{0: all[0]}
	badFlags := append([]byte(Format), row(7, 7)...)
	badFlags[len(badFlags)-2] = 0xff
	badMark := append([]byte(Format), row(7, 7)...)
	badMark[len(badMark)-1] = 2
	for _, c := range []struct {
		what string
		said []byte
		want rows
	}{
		{"nothing", nil, rows{}},
		{"another format", append([]byte("strata-board/2\n"), row(1, 1)...), rows{}},
		{"half a format", []byte(Format[:5]), rows{}},
		{"no rows", []byte(Format), rows{}},
		{"many", many, all},
		{"one and a half", many[:len(Format)+rowSize*3/2], first},
		{"no status", append(badFlags, many[len(Format):][:rowSize]...), first},
		{"no mark", append(badMark, many[len(Format):][:rowSize]...), first},
	} {
		r, f := reading(t)
		go func() {
			// In pieces that are no rows.
			for rest := c.said; len(rest) > 0; {
				n, err := f.Write(rest[:min(len(rest), 1000)])
				if err != nil {
					break
				}
				rest = rest[n:]
			}
			f.Close()
		}()
		got := rows{}
		r.Read(func(r Row) { got[r.Slot] = r })
		if !maps.Equal(got, c.want) {
			t.Errorf("%s: %v instead of %v", c.what, got, c.want)
		}
		r.Stop() // does nothing to whoever has the descriptor now
	}
}

// Who is stopped does not wait for a board that says nothing.
func TestStop(t *testing.T) {
	r, _ := reading(t)
	done := make(chan struct{})
	go func() {
		r.Read(func(Row) {})
		close(done)
	}()
	r.Stop()
	<-done
	r, _ = reading(t)
	r.Stop()
	r.Read(func(Row) { t.Error("there was something") })
}

// A board that is not there, or that nobody shows, is not waited for.
func TestDial(t *testing.T) {
	sv := t.TempDir()
	must(t, os.Mkdir(filepath.Join(sv, "1"), 0o700))
	dir, err := s6.OpenDirectory(sv)
	must(t, err)
	defer dir.Close()
	if _, err := Dial(dir, "1"); !errors.Is(err, unix.ENOENT) {
		t.Errorf("no socket: %v", err)
	}
	// A path that is too long for a socket's name.
	addr := &net.UnixAddr{Name: dir.ShortPath("1/" + SocketName), Net: "unix"}
	l, err := net.ListenUnix("unix", addr)
	must(t, err)
	l.SetUnlinkOnClose(false)
	r, err := Dial(dir, "1")
	must(t, err)
	r.Close()
	full := func() error {
		for range 100_000 {
			r, err := Dial(dir, "1")
			if err != nil {
				return err
			}
			defer r.Close()
		}
		return nil
	}
	raw, err := l.SyscallConn()
	must(t, err)
	must(t, raw.Control(func(fd uintptr) { err = unix.Listen(int(fd), 0) }))
	must(t, err)
	if err := full(); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("nobody accepts: %v", err)
	}
	must(t, l.Close())
	if _, err := Dial(dir, "1"); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(Format), 3)
	f.Add(append([]byte(Format), row(3, 4)...), 20)
	f.Fuzz(func(t *testing.T, text []byte, cut int) {
		collect := func(pieces ...[]byte) (all []byte) {
			begun := false
			var have []byte
			for _, piece := range pieces {
				have = append(have, piece...)
				begun, have = parse(have, begun, func(r Row) { all = r.append(all) })
			}
			return all
		}
		whole := collect(text)
		if cut = max(min(cut, len(text)), 0); !bytes.Equal(whole, collect(text[:cut], text[cut:])) {
			t.Errorf("cut at %d: %q", cut, text)
		}
		if len(whole) > len(text) {
			t.Errorf("%q became %q", text, whole)
		}
	})
}
