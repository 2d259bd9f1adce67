package board

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"strata/live/journal"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// tree is a directory of service directories without supervisors.
type tree string

func (t tree) dir(slot journal.Slot) string {
	return filepath.Join(string(t), strconv.FormatUint(uint64(slot), 10))
}

func (t tree) status(slot journal.Slot) string { return filepath.Join(t.dir(slot), "supervise/status") }

// make makes a service directory that has said nothing yet.
func (t tree) make(slot journal.Slot) error {
	return os.MkdirAll(filepath.Join(t.dir(slot), "supervise"), 0o700)
}

// say replaces a status as s6-supervise does.
func (t tree) say(slot journal.Slot, pid int) error {
	path := t.status(slot)
	if err := os.WriteFile(path+".new", packed(pid), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// packed is a status that has the pid.
func packed(pid int) []byte { return s6.Status{PID: pid, WantUp: true}.AppendPacked(nil) }

// rows is what is said of services.
type rows map[journal.Slot]Row

// files is what the files say.
func (t tree) files(tb rapid.TB) rows {
	all := rows{}
	paths, err := filepath.Glob(filepath.Join(string(t), "*/supervise/status"))
	must(tb, err)
	for _, path := range paths {
		dir := filepath.Dir(filepath.Dir(path))
		slot, ok := parseSlot(filepath.Base(dir))
		st, err := s6.ReadStatus(dir)
		if marked, markErr := s6.MarkedDown(dir); ok && err == nil && markErr == nil {
			all[slot] = Row{slot, st, marked}
		}
	}
	return all
}

// read reads what a board says.
func read(tb rapid.TB, text []byte) rows {
	all := rows{}
	begun, rest := parse(text, false, func(r Row) { all[r.Slot] = r })
	if !begun || len(rest) > 0 {
		tb.Fatalf("the board said %q", text)
	}
	return all
}

func says(tb rapid.TB, b *Board) rows {
	text, err := b.Text()
	must(tb, err)
	return read(tb, text)
}

func must(tb rapid.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func open(tb rapid.TB, t tree) *Board {
	tb.Helper()
	b, err := Open(string(t))
	must(tb, err)
	return b
}

// Whatever happens to service directories, what the board says is what the files say,
// and when it has read again it says all of it.
func TestFollowsFiles(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		path, err := os.MkdirTemp("", "board")
		must(rt, err)
		defer os.RemoveAll(path)
		tr := tree(path)
		b := open(rt, tr)
		defer b.Close()
		pid := 0
		slots := rapid.Uint32Range(1, 4)
		slot := func(rt *rapid.T) journal.Slot { return journal.Slot(slots.Draw(rt, "slot")) }
		ignore := func(error) {} // of what is not there
		rt.Repeat(map[string]func(*rapid.T){
			"make":   func(rt *rapid.T) { must(rt, tr.make(slot(rt))) },
			"say":    func(rt *rapid.T) { pid++; ignore(tr.say(slot(rt), pid)) },
			"modify": func(rt *rapid.T) { pid++; ignore(os.WriteFile(tr.status(slot(rt)), packed(pid), 0o644)) },
			"empty":  func(rt *rapid.T) { ignore(os.Truncate(tr.status(slot(rt)), 0)) },
			"mark":   func(rt *rapid.T) { ignore(s6.MarkDown(tr.dir(slot(rt)))) },
			"unmark": func(rt *rapid.T) { ignore(s6.UnmarkDown(tr.dir(slot(rt)))) },
			"unsay":  func(rt *rapid.T) { ignore(os.Remove(tr.status(slot(rt)))) },
			"remove": func(rt *rapid.T) { ignore(os.RemoveAll(tr.dir(slot(rt)))) },
			"rename": func(rt *rapid.T) { ignore(os.Rename(tr.dir(slot(rt)), tr.dir(slot(rt)))) },
			"anew": func(rt *rapid.T) {
				s := slot(rt)
				ignore(os.RemoveAll(filepath.Join(tr.dir(s), "supervise")))
				ignore(os.Mkdir(filepath.Join(tr.dir(s), "supervise"), 0o700))
				pid++
				ignore(tr.say(s, pid))
			},
			"ask":     func(rt *rapid.T) { says(rt, b) },
			"refresh": func(rt *rapid.T) { must(rt, b.Refresh()) },
			"": func(rt *rapid.T) {
				files := tr.files(rt)
				for slot, r := range says(rt, b) {
					if r != files[slot] {
						rt.Fatalf("the board says %+v, the files %+v", r, files[slot])
					}
				}
			},
		})
		says(rt, b)
		must(rt, b.Refresh())
		if files, board := tr.files(rt), says(rt, b); !maps.Equal(files, board) {
			rt.Errorf("the board says %+v, the files %+v", board, files)
		}
	})
}

// Supervisors speak while the board reads what they say: who asks after that does not
// hear what they said before.
func TestNeverBehind(t *testing.T) {
	const services, rounds = 200, 10
	tr := tree(s6test.TempDir(t))
	all := func(pid int) error {
		for slot := range journal.Slot(services) {
			err := tr.say(slot, pid)
			if err == nil && pid%2 == 0 {
				err = s6.MarkDown(tr.dir(slot))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	for slot := range journal.Slot(services) {
		must(t, tr.make(slot))
	}
	b := open(t, tr)
	defer b.Close()
	for pid := 1; pid < 2*rounds; pid += 2 {
		must(t, all(pid)) // so that there is something to read
		says(t, b)
		done := make(chan error, 1)
		go func() { done <- all(pid + 1) }()
		for over := false; !over; {
			must(t, b.Refresh())
			select {
			case err := <-done:
				must(t, err)
				over = true
			default:
				says(t, b)
			}
		}
		for slot, r := range says(t, b) {
			if r.Status.PID != pid+1 || !r.Marked {
				t.Fatalf("of %d the board says %+v, and %d spoke last", slot, r, pid+1)
			}
			must(t, s6.UnmarkDown(tr.dir(slot)))
		}
	}
}

// knowing is a board that knows what its only service says.
func knowing(t *testing.T) (tree, *Board) {
	t.Helper()
	tr := tree(s6test.TempDir(t))
	must(t, tr.make(1))
	must(t, tr.say(1, 1))
	b := open(t, tr)
	must(t, b.Refresh())
	return tr, b
}

// A service that changes all the time is told of once until the board is asked.
func TestOneNotice(t *testing.T) {
	tr, b := knowing(t)
	defer b.Close()
	var sizes []int
	for pid := range 100 {
		must(t, tr.say(1, pid))
		sizes = append(sizes, waiting(t, b))
	}
	if sizes[0] == 0 || sizes[0] != sizes[len(sizes)-1] {
		t.Errorf("bytes that wait to be read: %v", sizes)
	}
}

// When the kernel has lost notices, nothing of before is believed.
func TestNoticesLost(t *testing.T) {
	tr, b := knowing(t)
	defer b.Close()
	limit, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	must(t, err)
	var most int
	if _, err := fmt.Sscan(string(limit), &most); err != nil || most > 1<<17 {
		t.Skipf("the kernel queues %d, %v", most, err)
	}
	// Each is an event; one after the other, so that none is as the one before.
	for i := range most/2 + 1 {
		path := filepath.Join(string(tr), "x"+strconv.Itoa(i%2))
		must(t, os.Mkdir(path, 0o700))
		must(t, os.Remove(path))
	}
	must(t, tr.say(1, 2))
	if got := says(t, b); len(got) > 0 {
		t.Errorf("it says %+v", got)
	}
	must(t, b.Refresh())
	if got := says(t, b); got[1].Status.PID != 2 {
		t.Errorf("then it says %+v", got)
	}
}

// waiting is how many bytes of notices wait to be read.
func waiting(t *testing.T, b *Board) int {
	t.Helper()
	n, err := unix.IoctlGetInt(b.notices, unix.TIOCINQ)
	must(t, err)
	return n
}
