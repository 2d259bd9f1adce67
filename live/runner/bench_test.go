package runner

import (
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"strata/compile/db"
)

// BenchmarkJob runs a program by a runner in a process of its own, as an engine
// does: BenchmarkFork is what the program alone takes.
func BenchmarkJob(b *testing.B) {
	m := newMachine(b, map[string]string{"quick": ""}, func(s *db.Service) {
		s.Up = db.Program{Form: db.Argv, Argv: []string{"true"}}
	})
	c := m.connect()
	i := 0
	for b.Loop() {
		req := m.request("quick")
		req.Token = strconv.Itoa(i)
		i++
		if r, err := c.Run(b.Context(), req, nil); err != nil || !r.OK() {
			b.Fatalf("%+v, %v", r, err)
		}
	}
	b.ReportMetric(float64(m.cpu(b).Microseconds())/float64(i), "runner-µs/op")
}

// cpu is the time that the runner itself has used.
func (m *machine) cpu(t testing.TB) time.Duration {
	t.Helper()
	_, rest, _ := strings.Cut(read(t, "/proc/"+strconv.Itoa(m.pid())+"/stat"), ") ")
	fields := strings.Fields(rest) // from the third on
	var ticks int
	for _, f := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(f)
		must(t, err)
		ticks += n
	}
	const perSecond = 100 // for all of Linux
	return time.Duration(ticks) * time.Second / perSecond
}

// BenchmarkFork runs the same program without anything.
func BenchmarkFork(b *testing.B) {
	for b.Loop() {
		pid, err := syscall.ForkExec("/usr/bin/true", []string{"true"}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}})
		must(b, err)
		awaitExit(pid)
		reap(pid)
	}
}
