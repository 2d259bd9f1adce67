package runner

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/compile/db"
)

// mostMemory is what a runner at rest may take, in KiB.
const mostMemory = 8 << 10

// A runner that has run 1,000 programs takes little memory once it is at rest. The
// log says how much.
func TestMemory(t *testing.T) {
	m := newMachine(t, map[string]string{"quick": ""}, func(s *db.Service) {
		s.Up = db.Program{Form: db.Argv, Argv: []string{"true"}}
	})
	resting := m.closed()
	t.Logf("at first: %s", m.memory())
	const jobs, clients = 1000, 10
	done := make(chan error)
	for k := range clients {
		go func() {
			c, err := Dial(t.Context(), m.dir.RunnerSocket())
			for i := 0; i < jobs/clients && err == nil; i++ {
				req := m.request("quick")
				req.ID, req.Token = strconv.Itoa(k), strconv.Itoa(i)
				_, err = c.Run(t.Context(), req, []*os.File{os.Stdin, os.Stderr, os.Stderr})
			}
			if c != nil {
				c.Close()
			}
			done <- err
		}()
	}
	for range clients {
		must(t, <-done)
	}
	t.Logf("after %d programs: %s", jobs, m.memory())
	resting(t)
	rest := m.memory()
	t.Logf("at rest: %s", rest)
	if rest["VmRSS"] > mostMemory && !raceEnabled {
		t.Errorf("%d KiB are more than %d", rest["VmRSS"], mostMemory)
	}
}

// closed returns a function that waits until the runner has closed its database,
// which is the last thing that it does when it rests.
func (m *machine) closed() func(testing.TB) {
	m.t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	must(m.t, err)
	f := os.NewFile(uintptr(fd), "inotify")
	m.t.Cleanup(func() { f.Close() })
	_, err = unix.InotifyAddWatch(fd, m.dir.DatabasePath(m.content), unix.IN_CLOSE_NOWRITE)
	must(m.t, err)
	return func(t testing.TB) {
		t.Helper()
		must(t, f.SetReadDeadline(time.Now().Add(limit)))
		_, err := f.Read(make([]byte, 4096))
		must(t, err)
	}
}

// memory is what the kernel says of the runner's resident memory, in KiB.
type memory map[string]int

func (m *machine) memory() memory {
	m.t.Helper()
	all := memory{}
	for l := range strings.Lines(read(m.t, fmt.Sprintf("/proc/%d/status", m.pid()))) {
		name, value, _ := strings.Cut(l, ":")
		if slices.Contains([]string{"VmRSS", "RssAnon", "RssFile"}, name) {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			must(m.t, err)
			all[name] = n
		}
	}
	return all
}

func (m memory) String() string {
	return fmt.Sprintf("%d KiB, %d of them its own, %d of its program file", m["VmRSS"], m["RssAnon"], m["RssFile"])
}

// What was written to, or is not the file's, is never dropped.
func TestFilePages(t *testing.T) {
	const smaps = `00400000-00724000 r-xp 00000000 fe:00 10004037                           /bin/strata
Size:               3216 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me
00724000-00a54000 r--p 00324000 fe:00 10004037                           /bin/strata
Anonymous:             4 kB
Swap:                  0 kB
00a54000-00b54000 r--p 00324000 fe:00 10004037                           /bin/strata
Anonymous:             0 kB
Swap:                  8 kB
00b54000-00c54000 rw-p 00654000 fe:00 10004037                           /bin/strata
Anonymous:             0 kB
Swap:                  0 kB
7fc6f1024000-7fc6f1158000 r-xp 00000000 fe:00 1                          /lib/libc.so.6
Anonymous:             0 kB
Swap:                  0 kB
7fc6f1158000-7fc6f1160000 r--p 00000000 00:00 0
Anonymous:             0 kB
Swap:                  0 kB
`
	want := []mapping{{0x400000, 0x324000}}
	if got := filePages(strings.NewReader(smaps), "/bin/strata"); !slices.Equal(got, want) {
		t.Errorf("%#x, want %#x", got, want)
	}
}
