package live_test

import (
	"net"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"strata/live"
	"strata/live/board"
	"strata/live/s6"
)

// showBoard answers who asks for the board of a live directory with what it says.
// Asked is told of each, once it was answered; the caller reads it.
func showBoard(t *testing.T, d *live.Dir, answer func() []byte) (asked <-chan struct{}) {
	t.Helper()
	sv, err := s6.OpenDirectory(filepath.Join(d.Real(), "sv"))
	if err != nil {
		t.Fatal(err)
	}
	defer sv.Close()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: sv.ShortPath("1/" + board.SocketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	told, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		for ; err == nil; c, err = l.Accept() {
			_, _ = c.Write(answer())
			c.Close()
			told <- struct{}{}
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return told
}

// TestBoard holds what is heard with the board to what the files say, while daemons
// start, die and stop. The board reads again after each time it was asked.
func TestBoard(t *testing.T) {
	_, d, w, write := rolled(t)
	defer w.Close()
	for _, i := range []int{3, 20, 39} {
		start(t, w, slotOf(i), [32]byte{1})
	}
	write(nil)
	b, err := board.Open(filepath.Join(d.Real(), "sv"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var mu sync.Mutex
	asked := showBoard(t, d, func() []byte {
		mu.Lock()
		defer mu.Unlock()
		text, err := b.Text()
		if err != nil {
			t.Error(err)
		}
		return slices.Clone(text)
	})
	check := func(when string) {
		t.Helper()
		heard := d.Heard()
		<-asked
		if len(heard) != 40 {
			t.Errorf("%s: heard of %d", when, len(heard))
		}
		for slot, st := range heard {
			if file, err := s6.ReadStatus(d.Servicedir(slot)); st != file || err != nil {
				t.Errorf("%s: of %d was heard %+v; the file says %+v, %v", when, slot, st, file, err)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if err := b.Refresh(); err != nil {
			t.Error(err)
		}
	}
	down := func(i int) {
		t.Helper()
		if _, err := s6.WaitFor(t.Context(), d.Servicedir(slotOf(i)), s6.GoalDownReady(), s6.CmdDown); err != nil {
			t.Fatal(err)
		}
	}
	check("it knows nothing")
	check("it knows all")
	down(3)
	check("one has stopped")
	start(t, w, slotOf(3), [32]byte{1})
	start(t, w, slotOf(5), [32]byte{1})
	down(20)
	check("some have changed")
	killSupervisor(t, d.Servicedir(slotOf(5)))
	next := d.Heard()
	<-asked
	if _, ok := next[slotOf(5)]; ok {
		t.Errorf("a dead supervisor says %+v", next[slotOf(5)])
	}
}

// TestBoardBelieved: what the board says counts without the file.
func TestBoardBelieved(t *testing.T) {
	_, d, w, write := rolled(t)
	defer w.Close()
	write(nil)
	said := s6.Status{WantUp: true}
	asked := showBoard(t, d, func() []byte {
		row := append(said.AppendPacked([]byte{0, 0, 0, byte(slotOf(5))}), 0)
		return append([]byte(board.Format), row...)
	})
	for slot, st := range d.Heard() {
		if (st == said) != (slot == slotOf(5)) {
			t.Errorf("of %d was heard %+v", slot, st)
		}
	}
	<-asked
}

// TestBoardSilent: a board that says nothing is waited for no longer than there is
// something else to do.
func TestBoardSilent(t *testing.T) {
	_, d, w, write := rolled(t)
	defer w.Close()
	write(nil)
	want := state(t, d)
	silent, end := make(chan struct{}), make(chan struct{})
	showBoard(t, d, func() []byte {
		close(silent)
		<-end
		return nil
	})
	defer close(end)
	got := state(t, d)
	for i, s := range got.Services {
		if s != want.Services[i] {
			t.Errorf("%+v, and before %+v", s, want.Services[i])
		}
	}
	<-silent
}

// TestBoardMarks: where the board says that there is no file down, nobody looks for it.
func TestBoardMarks(t *testing.T) {
	_, d, w, write := rolled(t)
	defer w.Close()
	start(t, w, slotOf(5), [32]byte{1})
	write(nil)
	dir := d.Servicedir(slotOf(5))
	st, err := s6.ReadStatus(dir)
	if err != nil {
		t.Fatal(err)
	}
	var mark atomic.Uint32
	asked := showBoard(t, d, func() []byte {
		row := append(st.AppendPacked([]byte{0, 0, 0, byte(slotOf(5))}), byte(mark.Load()))
		return append([]byte(board.Format), row...)
	})
	for _, c := range []struct {
		says uint32
		left bool
	}{{0, true}, {1, false}} {
		if err := s6.MarkDown(dir); err != nil {
			t.Fatal(err)
		}
		mark.Store(c.says)
		s := state(t, d)
		<-asked
		w.Remark(&s.Services[5])
		if marked, err := s6.MarkedDown(dir); marked != c.left || err != nil {
			t.Errorf("the board says %d, and then the file is there: %t, %v", c.says, marked, err)
		}
	}
}
