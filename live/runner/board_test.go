package runner

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/board"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// onBoard asks the runner for its board.
func (m *machine) onBoard() (slots []live.Slot) {
	m.t.Helper()
	sv, err := s6.OpenDirectory(filepath.Join(m.dir.Real(), "sv"))
	must(m.t, err)
	defer sv.Close()
	r, err := board.Dial(sv, filepath.Base(m.dir.Servicedir(live.RunnerSlot)))
	must(m.t, err)
	r.Read(func(r board.Row) { slots = append(slots, r.Slot) })
	slices.Sort(slots)
	return slots
}

// say has a service say something, as its supervisor would.
func (m *machine) say(slot live.Slot) {
	m.t.Helper()
	dir := filepath.Join(m.dir.Servicedir(slot), "supervise")
	must(m.t, os.MkdirAll(dir, 0o700))
	must(m.t, os.WriteFile(filepath.Join(dir, "status"), s6.Status{Ready: true}.AppendPacked(nil), 0o644))
}

// The runner knows what supervisors have said from the second time on that it is
// asked, also when another program has taken over.
func TestBoard(t *testing.T) {
	m := newMachine(t, map[string]string{"quick": "true"})
	m.say(16)
	m.say(17)
	check := func(when string, want ...live.Slot) {
		t.Helper()
		if got := m.onBoard(); !slices.Equal(got, want) {
			t.Errorf("%s: it tells of %v instead of %v", when, got, want)
		}
	}
	check("at first")
	check("then", 16, 17)
	m.say(17)
	check("one has spoken again", 16)
	check("it has been asked since", 16, 17)
	m.replace()
	must(t, m.connect().Renew(t.Context()))
	m.renewed()
	check("renewed")
	check("asked again", 16, 17)
	must(t, os.RemoveAll(m.dir.Servicedir(16)))
	check("one is gone", 17)
	m.await(m.run(m.request("quick")))
}

// After programs have run the board is read when the runner rests, before anybody asks.
func TestBoardReadAtRest(t *testing.T) {
	m := newMachine(t, map[string]string{"quick": "true"})
	m.say(16)
	rests := m.closed()
	c, err := Dial(t.Context(), m.dir.RunnerSocket())
	must(t, err)
	r, err := c.Run(t.Context(), m.request("quick"), nil)
	if err != nil || r.Exit != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	c.Close()
	rests(t)
	if got := m.onBoard(); !slices.Equal(got, []live.Slot{16}) {
		t.Errorf("it tells of %v", got)
	}
}

// keep keeps a board in this process. ended gets how that ends.
func keep(t *testing.T, served func(*boardKeeper)) (sv *s6.Directory, ended chan error) {
	t.Helper()
	real := s6test.TempDir(t)
	own := filepath.Join(real, "sv/1")
	must(t, os.MkdirAll(own, 0o700))
	t.Chdir(own)
	k, err := keepBoard(real, nil)
	must(t, err)
	k.served = func() { served(k) }
	ended = make(chan error, 1)
	go func() { ended <- k.serve() }()
	t.Cleanup(func() { k.Close() })
	sv, err = s6.OpenDirectory("..")
	must(t, err)
	t.Cleanup(func() { sv.Close() })
	return sv, ended
}

// A runner that was asked for its board rests again after a while.
func TestBoardRests(t *testing.T) {
	rests := make(chan struct{}, 1)
	s := NewServer(Config{rest: func() { rests <- struct{}{} }})
	sv, _ := keep(t, func(*boardKeeper) { s.used() })
	r, err := board.Dial(sv, "1")
	must(t, err)
	r.Read(func(r board.Row) { t.Errorf("it tells of %+v", r) })
	select {
	case <-rests:
	case <-time.After(limit):
		t.Error("it does not rest")
	}
}

// A board that cannot be kept any more is not there any more, so that nobody waits for
// it.
func TestBoardEnds(t *testing.T) {
	sv, ended := keep(t, (*boardKeeper).drop)
	for range 2 {
		r, err := board.Dial(sv, "1")
		must(t, err)
		r.Read(func(r board.Row) { t.Errorf("it tells of %+v", r) })
	}
	if err := <-ended; !errors.Is(err, unix.EBADF) {
		t.Errorf("it ended with %v", err)
	}
	if _, err := board.Dial(sv, "1"); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("it is still there: %v", err)
	}
}
