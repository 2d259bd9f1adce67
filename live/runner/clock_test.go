package runner

import (
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// scriptedClock is a time that only the test lets pass.
type scriptedClock struct {
	mu     sync.Mutex
	now    time.Duration
	timers []*scriptedTimer
}

type scriptedTimer struct {
	at      time.Duration
	f       func()
	stopped bool
}

func (c *scriptedClock) Now() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *scriptedClock) After(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := &scriptedTimer{at: c.now + d, f: f}
	c.timers = append(c.timers, timer)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		first := !timer.stopped
		timer.stopped = true
		return first
	}
}

// pass lets time pass.
func (c *scriptedClock) pass(d time.Duration) {
	c.mu.Lock()
	c.now += d
	var due []func()
	c.timers = slices.DeleteFunc(c.timers, func(t *scriptedTimer) bool {
		if t.at <= c.now && !t.stopped {
			due = append(due, t.f)
		}
		return t.stopped || t.at <= c.now
	})
	c.mu.Unlock()
	for _, f := range due {
		f()
	}
}

func (c *scriptedClock) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}

// A program may take as long as it likes, unless it has a limit: there is no other
// time limit on the way, as there is one of 30 s in s6-rc's runner.
func TestL25LongOneshot(t *testing.T) {
	clock := &scriptedClock{}
	socket, _ := serveWith(t, Config{clock: clock, Grace: limit}, map[string]string{"long": "echo begun; read x; exit 4"})
	theirs, in, out := streams(t)
	c := connect(t, socket)
	got := make(chan answer, 1)
	run := func(req Request) {
		go func() {
			r, err := c.Run(t.Context(), req, theirs)
			got <- answer{r, err}
		}()
		line(t, out)
	}
	run(up("long"))
	clock.pass(31 * time.Second)
	clock.pass(time.Hour)
	if n := clock.waiting(); n > 0 {
		t.Errorf("it is about to end for one of %d reasons", n)
	}
	in.WriteString("\n")
	if a := <-got; a.err != nil || a.Exit != 4 || a.TimedOut {
		t.Errorf("%+v", a)
	}

	req := up("long")
	req.LimitMS = 40_000
	run(req)
	jobs, err := connect(t, socket).Jobs(t.Context()) // waits until the limit counts
	must(t, err)
	if len(jobs) != 1 {
		t.Errorf("%+v", jobs)
	}
	clock.pass(31 * time.Second)
	if unix.Kill(jobs[0].PID, 0) != nil || len(got) > 0 {
		t.Error("it was ended before its limit")
	}
	clock.pass(9 * time.Second)
	if a := <-got; a.err != nil || !a.TimedOut || a.Signal != int(unix.SIGTERM) {
		t.Errorf("%+v", a)
	}
}
