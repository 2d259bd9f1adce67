package fdholder_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"strata/live/s6"
	"strata/live/s6/fdholder"
	"strata/live/s6/s6test"
)

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), s6test.Limit)
	t.Cleanup(cancel)
	return ctx
}

// startHolder runs s6's fd-holder daemon as a service and gives its socket. Names
// that begin with "pipe:" are allowed for this user, with room for 600.
func startHolder(t *testing.T) string {
	sc := s6test.New(t)
	rules := "data/rules/uid/" + strconv.Itoa(os.Geteuid())
	dir := sc.Add("fdholder", s6test.Service{
		Run:            "#!/bin/sh\nexec s6-fdholder-daemon -1 -n 600 -i data/rules -- s\n",
		NotificationFD: 1,
		Files: map[string]string{
			rules + "/allow":                          "",
			rules + "/env/S6_FDHOLDER_LIST":           "\n",
			rules + "/env/S6_FDHOLDER_GETDUMP":        "\n",
			rules + "/env/S6_FDHOLDER_SETDUMP":        "\n",
			rules + "/env/S6_FDHOLDER_STORE_REGEX":    "^pipe:\n",
			rules + "/env/S6_FDHOLDER_RETRIEVE_REGEX": "^pipe:\n",
		},
	})
	if _, err := s6.WaitFor(testContext(t), dir, s6.GoalUpReady()); err != nil {
		t.Fatalf("%v\n%s", err, sc.Log())
	}
	return filepath.Join(dir, "s")
}

func dial(t *testing.T, socket string) *fdholder.Client {
	c, err := fdholder.Dial(testContext(t), socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func pipe(t *testing.T) (r, w *os.File) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func TestStoreAndRetrieve(t *testing.T) {
	c := dial(t, startHolder(t))
	ctx := testContext(t)
	r, w := pipe(t)
	for id, f := range map[string]*os.File{"pipe:r": r, "pipe:w": w} {
		if err := c.Store(ctx, fdholder.Held{ID: id, File: f}); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if ids, err := c.List(ctx); err != nil || !slices.Equal(ids, []string{"pipe:r", "pipe:w"}) {
		t.Errorf("list %q, %v", ids, err)
	}
	wGot, err := c.Retrieve(ctx, "pipe:w", true)
	if err != nil {
		t.Fatal(err)
	}
	rGot, err := c.Retrieve(ctx, "pipe:r", false)
	if err != nil {
		t.Fatal(err)
	}
	defer rGot.Close()
	// The write end is given away: closing it is the end of file.
	io.WriteString(wGot, "hello")
	wGot.Close()
	if text, err := io.ReadAll(rGot); err != nil || string(text) != "hello" {
		t.Errorf("read %q, %v", text, err)
	}
	if flags, err := fcntlFlags(rGot); err != nil || flags&syscall.FD_CLOEXEC == 0 {
		t.Errorf("descriptor flags %#x, %v: not close-on-exec", flags, err)
	}
	if err := c.Delete(ctx, "pipe:r"); err != nil {
		t.Error(err)
	}
	if ids, err := c.List(ctx); err != nil || len(ids) != 0 {
		t.Errorf("list %q, %v", ids, err)
	}
}

func fcntlFlags(f *os.File) (flags int, err error) {
	rc, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	err = rc.Control(func(fd uintptr) {
		r, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFD, 0)
		flags = int(r)
		if errno != 0 {
			flags = 0
		}
	})
	return flags, err
}

func TestRefused(t *testing.T) {
	c := dial(t, startHolder(t))
	ctx := testContext(t)
	r, _ := pipe(t)
	if err := c.Store(ctx, fdholder.Held{ID: "pipe:a", File: r}); err != nil {
		t.Fatal(err)
	}
	_, missing := c.Retrieve(ctx, "pipe:none", false)
	_, forbidden := c.Retrieve(ctx, "other", false)
	for _, test := range []struct {
		name string
		got  error
		want syscall.Errno
	}{
		{"store again", c.Store(ctx, fdholder.Held{ID: "pipe:a", File: r}), syscall.EBUSY},
		{"store forbidden", c.Store(ctx, fdholder.Held{ID: "other", File: r}), syscall.EPERM},
		{"retrieve missing", missing, syscall.ENOENT},
		{"retrieve forbidden", forbidden, syscall.EPERM},
		{"delete missing", c.Delete(ctx, "pipe:none"), syscall.ENOENT},
		{"too many", c.SetDump(ctx, make([]fdholder.Held, 600)), syscall.ENFILE},
	} {
		var refused *fdholder.Error
		if !errors.Is(test.got, test.want) || !errors.As(test.got, &refused) {
			t.Errorf("%s: %v, want %v", test.name, test.got, test.want)
		}
	}
	// None of these has broken the connection.
	if ids, err := c.List(ctx); err != nil || !slices.Equal(ids, []string{"pipe:a"}) {
		t.Errorf("list %q, %v", ids, err)
	}
	if err := c.Store(ctx, fdholder.Held{ID: "", File: r}); err == nil {
		t.Error("empty name was taken")
	}
	if err := c.Store(ctx, fdholder.Held{ID: "pipe:x", File: func() *os.File { f, _ := os.Open("/dev/null"); f.Close(); return f }()}); err == nil {
		t.Error("closed file was taken")
	}
}

// A dump larger than one message is stored, and a second one replaces it. One of a
// single message comes back: the daemon of s6 2.11 fails at larger ones.
func TestDump(t *testing.T) {
	socket := startHolder(t)
	ctx := testContext(t)
	r, _ := pipe(t)
	const stored, fetched = 280, 253
	var all []fdholder.Held
	for i := range stored {
		all = append(all, fdholder.Held{ID: fmt.Sprintf("pipe:%03d", i), File: r})
	}
	for range 2 {
		c := dial(t, socket)
		if err := c.SetDump(ctx, all); err != nil {
			t.Fatal(err)
		}
		if ids, err := c.List(ctx); err != nil || len(ids) != stored {
			t.Errorf("%d names, %v", len(ids), err)
		}
	}
	c := dial(t, socket)
	for _, h := range all[fetched:] {
		if err := c.Delete(ctx, h.ID); err != nil {
			t.Fatal(err)
		}
	}
	before := countFDs(t)
	held, err := c.GetDump(ctx)
	if err != nil {
		t.Fatal(err)
	}
	checkDump(t, held, fetched)
	if after := countFDs(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	if err := c.SetDump(ctx, nil); err != nil {
		t.Errorf("empty dump: %v", err)
	}
}

// checkDump checks that n different descriptors came, and closes them.
func checkDump(t *testing.T, held []fdholder.Held, n int) {
	t.Helper()
	ids := map[string]bool{}
	for _, h := range held {
		ids[h.ID] = true
		if !fdholder.IsNever(h.Expiry) {
			t.Errorf("%s expires at %v", h.ID, h.Expiry)
		}
		if err := h.File.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(ids) != n {
		t.Errorf("%d names instead of %d", len(ids), n)
	}
}

// A dump may come in several messages.
func TestDumpInParts(t *testing.T) {
	socket := filepath.Join(s6test.TempDir(t), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, _ := pipe(t)
	go func() {
		conn, err := l.AcceptUnix()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Read(make([]byte, 100))
		io.WriteString(conn, "\x00\x00\x00\x09\x00\x00"+"\x00\x00\x00\x00\x02\x00\x00\x00\x03")
		rights := func(n int) (oob []byte) {
			if rc, err := r.SyscallConn(); err == nil {
				rc.Control(func(fd uintptr) { oob = syscall.UnixRights([]int{int(fd), int(fd)}[:n]...) })
			}
			return oob
		}
		never := string(fdholder.Never(1).AppendPacked(nil))
		conn.WriteMsgUnix([]byte("\x00\x00\x00\x1e\x00\x02"+never+"\x01a\x00"+never+"\x01b\x00"), rights(2), nil)
		conn.WriteMsgUnix([]byte("\x00\x00\x00\x0f\x00\x01"+never+"\x01c\x00"), rights(1), nil)
		conn.Read(make([]byte, 100))
	}()
	held, err := dial(t, socket).GetDump(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	checkDump(t, held, 3)
}

func countFDs(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// A daemon that does not answer ends the wait with the context, and the
// connection with it; one that answers nonsense is an error.
func TestBadDaemon(t *testing.T) {
	socket := filepath.Join(s6test.TempDir(t), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Run("silent", func(t *testing.T) {
		c := dial(t, socket)
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 1))
			cancel(why)
		}()
		if _, err := c.List(ctx); !errors.Is(err, why) {
			t.Errorf("error %v", err)
		}
		if _, err := c.List(t.Context()); err == nil {
			t.Error("the connection is still in use")
		}
	})
	for name, answer := range map[string]string{
		"too long":    "\xff\xff\xff\xff\x00\x00",
		"lost fds":    "\x00\x00\x00\x01\x00\x01\x00",
		"empty":       "\x00\x00\x00\x00\x00\x00",
		"short list":  "\x00\x00\x00\x02\x00\x00\x00\x00",
		"false count": "\x00\x00\x00\x05\x00\x00\x00\xff\xff\xff\xff",
		"cut":         "\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, socket)
			go func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				io.WriteString(conn, answer)
				conn.Read(make([]byte, 100))
			}()
			if ids, err := c.List(testContext(t)); err == nil {
				t.Errorf("list %q", ids)
			}
		})
	}
	if _, err := fdholder.Dial(testContext(t), socket+"x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("dial: %v", err)
	}
}

func Example() {
	ctx := context.Background()
	c, err := fdholder.Dial(ctx, "/run/service/fdholder/s")
	if err != nil {
		return
	}
	defer c.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	defer r.Close()
	defer w.Close()
	// Both ends are kept for the two processes that will fetch them.
	c.Store(ctx, fdholder.Held{ID: "pipe:r", File: r})
	c.Store(ctx, fdholder.Held{ID: "pipe:w", File: w})
}
