package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/journal"
	"strata/live/s6"
)

var errEnough = errors.New("enough")

// following is a follower that goes on beside the test.
type following struct {
	t     *testing.T
	lines chan string
	done  chan error
}

func (m *machine) follow(ctx context.Context, slots map[live.Slot]bool, h History) *following {
	f := &following{m.t, make(chan string, 100), make(chan error, 1)}
	ready := make(chan struct{}, 1)
	emit := func(e Event) error {
		if e.Process != nil {
			f.lines <- e.Process.Text()
		} else {
			f.lines <- fmt.Sprintf("%d %s", e.Entry.Seq, e.Entry.Text())
		}
		return nil
	}
	flush := func() error {
		select {
		case ready <- struct{}{}:
		default:
		}
		return nil
	}
	go func() { f.done <- Follow(ctx, m.dir, slots, h, emit, flush, nil) }()
	<-ready // it listens, and the past is told
	return f
}

// says expects lines, in this order, with others between them.
func (f *following) says(want ...string) {
	f.t.Helper()
	var got []string
	for line := range f.lines {
		got = append(got, line)
		if strings.Contains(line, want[0]) {
			if want = want[1:]; len(want) == 0 {
				return
			}
		}
		if len(got) == cap(f.lines) {
			f.t.Fatalf("%q does not come:\n%s", want, strings.Join(got, "\n"))
		}
	}
}

func TestFollow(t *testing.T) {
	m := newMachine(t)
	m.append("first", journal.Want{Slots: []live.Slot{m.slots["a"]}, Up: true})
	ctx, cancel := context.WithCancelCause(limited(t))
	f := m.follow(ctx, nil, History{Last: 1})
	f.says("2 a: wanted up (first)")
	m.append("", journal.Up{Slot: m.slots["d"]})
	f.says("3 d: is up")
	// What no command asked for.
	m.control("b", s6.GoalUpReady(), s6.CmdUp)
	f.says("b: was started by its supervisor", "b: is ready")
	st, err := s6.ReadStatus(m.dir.Servicedir(m.slots["b"]))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(st.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	f.says("b: died: signal SIGKILL", "b: was started by its supervisor")
	// What one did is told by the journal alone.
	m.append("stop", journal.Run{Op: "stop", Slots: []live.Slot{m.slots["b"]}})
	m.control("b", s6.GoalDownReady(), s6.CmdDown)
	m.append("stop", journal.Down{Slot: m.slots["b"]}, journal.RunEnd{Outcome: "done"})
	var lines []string
	for line := range f.lines {
		if lines = append(lines, line); strings.Contains(line, "ended: done") {
			break
		}
	}
	if slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "died") }) {
		t.Errorf("%q", lines)
	}
	cancel(errEnough)
	if err := <-f.done; !errors.Is(err, errEnough) {
		t.Errorf("it ended with %v", err)
	}
}

// Records come once each, whatever becomes of the file.
func TestFollowCompaction(t *testing.T) {
	m := newMachine(t)
	ctx, cancel := context.WithCancelCause(limited(t))
	since := uint64(1)
	f := m.follow(ctx, map[live.Slot]bool{m.slots["d"]: true}, History{Since: &since})
	long := strings.Repeat("x", 5000)
	const n = 400 // more than a journal grows to
	for i := range n {
		m.append(long, journal.Up{Slot: m.slots["d"]}, journal.Up{Slot: m.slots["a"]})
		line := <-f.lines
		if want := fmt.Sprintf("%d d: is up", 2+2*i); !strings.HasPrefix(line, want) {
			t.Errorf("%.40q, want %q", line, want)
		}
	}
	cancel(errEnough)
	<-f.done
}
