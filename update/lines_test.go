package update

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"strata/internal/lines"
	"strata/live/change"
)

// TestPipeUnderLoad updates a pipeline while lines go through it as fast as they can:
// definitions are switched under its processes, both ends are renamed, the consumer is
// restarted, the producer is, and another program comes between them and goes again.
// No line is lost, none comes twice, and none is out of order.
func TestPipeUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	log, count := filepath.Join(b.Root, "log"), filepath.Join(b.Root, "count")
	ready := func(run, feeds string) spec {
		return longrun().with(func(s *spec) { s.Run, s.Ready, s.Feeds = run, true, feeds })
	}
	producer := func(feeds string) spec { return ready(lines.Producer("p", count), feeds) }
	consumer := ready(lines.Sink(log), "")
	finish := func(s *spec) { s.Finish = "# other" }
	slower := func(s *spec) { s.Run += "# other\n" }
	m := b.init(specs{"p": producer("c"), "c": consumer}, "p", "c")
	defer m.end()
	for _, step := range []struct {
		what string
		new  specs
		conv []string
		same map[string]string // processes that stay, by their new and old names
	}{
		{"a definition is switched", specs{"p": producer("c").with(finish), "c": consumer.with(finish)}, nil, map[string]string{"p": "p", "c": "c"}},
		{"the producer is renamed", specs{"q": producer("c"), "c": consumer}, []string{"p -> q"}, map[string]string{"q": "p", "c": "c"}},
		{"the consumer is renamed", specs{"q": producer("d"), "d": consumer}, []string{"c -> d"}, map[string]string{"q": "q", "d": "c"}},
		{"they swap their names", specs{"d": producer("q"), "q": consumer}, []string{"q -> d", "d -> q"}, map[string]string{"d": "q", "q": "d"}},
		{"the consumer is restarted", specs{"d": producer("q"), "q": consumer.with(slower)}, nil, nil},
		{"the producer is restarted", specs{"d": producer("q").with(slower), "q": consumer.with(slower)}, nil, map[string]string{"q": "q"}},
		{"another comes between", specs{"d": producer("m"), "m": ready(lines.Pass(), "q"), "q": consumer}, nil, nil},
		{"it goes again", specs{"d": producer("q"), "q": consumer}, nil, nil},
	} {
		m.flow(count)
		before, sent := m.pids(), m.sent(count)
		m.updated(step.new, Options{}, step.conv...)
		m.samePIDs(before, step.same)
		t.Logf("%s: %d lines meanwhile", step.what, m.sent(count)-sent)
	}
	m.flow(count)
	m.change(change.Stop, "d")
	m.change(change.Stop, "q")
	arrived, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := lines.Check(string(arrived), map[string]uint64{"p": m.sent(count)}, nil); err != nil {
		t.Error(err)
	}
}

// sent is how many lines a producer has written.
func (m *machineTest) sent(count string) uint64 {
	m.t.Helper()
	b, err := os.ReadFile(count)
	if err == nil && len(b) == 0 {
		return 0 // it has only just begun
	}
	n := uint64(0)
	if err == nil {
		n, err = lines.Written(b)
	}
	if err != nil {
		m.t.Fatal(fmt.Errorf("cannot see how many lines were written: %w", err))
	}
	return n
}

// flow waits until a hundred more lines have been written.
func (m *machineTest) flow(count string) {
	m.t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		m.t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.InotifyAddWatch(fd, count, unix.IN_MODIFY); err != nil {
		m.t.Fatal(err)
	}
	events := make([]byte, 4096)
	for until := m.sent(count) + 100; m.sent(count) < until; {
		if _, err := unix.Read(fd, events); err != nil && err != unix.EINTR {
			m.t.Fatal(err)
		}
	}
}
