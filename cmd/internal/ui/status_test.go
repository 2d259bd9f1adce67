package ui_test

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"strata/cmd/internal/ui"
)

// screen is a terminal that understands what the status area uses. A newline also
// returns the carriage, as terminals are set.
type screen struct {
	mu         sync.Mutex
	rows       []string // with what has scrolled away
	height     int
	row, col   int
	savedRow   int // from the top of what is seen
	savedCol   int
	unknown    []string
	everything bytes.Buffer
}

func newScreen(height int) *screen { return &screen{height: height, rows: make([]string, height)} }

func (s *screen) top() int { return len(s.rows) - s.height }

// down goes down one row, and scrolls at the bottom.
func (s *screen) down() {
	if s.row++; s.row == len(s.rows) {
		s.rows = append(s.rows, "")
	}
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.everything.Write(b)
	for text := []rune(string(b)); len(text) > 0; {
		n := 1
		switch text[0] {
		case '\r':
			s.col = 0
		case '\n':
			s.col = 0
			s.down()
		case 0x1b:
			n = s.escape(string(text))
		default:
			line := []rune(fmt.Sprintf("%-*s", s.col+1, s.rows[s.row]))
			line[s.col] = text[0]
			s.rows[s.row] = string(line)
			s.col++
		}
		text = text[n:]
	}
	return len(b), nil
}

// escape does a control sequence and returns its length.
func (s *screen) escape(text string) int {
	switch {
	case strings.HasPrefix(text, "\x1bD"):
		s.down()
		return 2
	case strings.HasPrefix(text, "\x1b7"):
		s.savedRow, s.savedCol = s.row-s.top(), s.col
		return 2
	case strings.HasPrefix(text, "\x1b8"):
		s.row, s.col = s.top()+s.savedRow, s.savedCol
		return 2
	case strings.HasPrefix(text, "\x1b[J"):
		s.rows[s.row] = string([]rune(fmt.Sprintf("%-*s", s.col, s.rows[s.row]))[:s.col])
		for i := s.row + 1; i < len(s.rows); i++ {
			s.rows[i] = ""
		}
		return 3
	}
	if up, _, ok := strings.Cut(strings.TrimPrefix(text, "\x1b["), "A"); ok {
		if n, err := strconv.Atoi(up); err == nil {
			s.row = max(s.top(), s.row-n)
			return len("\x1b[A") + len(up)
		}
	}
	s.unknown = append(s.unknown, text)
	return len([]rune(text))
}

// shows expects what can be seen, and what has scrolled away above it.
func (s *screen) shows(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var got []string
	for _, row := range s.rows {
		got = append(got, strings.TrimRight(row, " "))
	}
	text := strings.TrimRight(strings.Join(got, "\n"), "\n")
	if wanted := strings.Join(want, "\n"); text != wanted || len(s.unknown) > 0 {
		t.Errorf("the screen shows\n%s\nwant\n%s\n(unknown %q)", text, wanted, s.unknown)
	}
}

// content is what an area is to show.
type content struct {
	mu    sync.Mutex
	lines []string
	asked int
}

func (c *content) set(lines ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = lines
}

func (c *content) get() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	return c.lines
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scr := newScreen(6)
		var area content
		area.set("1/2", "  web 3s")
		s := ui.NewStatus(scr, func() (int, int) { return 20, 6 }, area.get)
		wait := func() {
			<-time.After(time.Second)
			synctest.Wait()
		}
		// What is over soon needs no area.
		_, _ = s.Write([]byte("first\n"))
		scr.shows(t, "first")
		wait()
		scr.shows(t, "first", "", "1/2", "  web 3s")
		// Lines scroll above it; what it shows changes with its next turn.
		area.set("2/2")
		_, _ = s.Write([]byte("second\nthird\n"))
		scr.shows(t, "first", "second", "third", "", "1/2", "  web 3s")
		wait()
		scr.shows(t, "first", "second", "third", "", "2/2")
		// Somebody else writes: whole lines, and the beginning of one.
		_, _ = io.WriteString(scr, "from a oneshot\n")
		_, _ = io.WriteString(scr, "checking")
		wait()
		scr.shows(t, "first", "second", "third", "from a oneshot", "checking", "2/2")
		_, _ = io.WriteString(scr, "... ok\n")
		wait()
		// The screen has scrolled, and nothing was lost.
		scr.shows(t, "first", "second", "third", "from a oneshot", "checking... ok", "", "2/2")
		area.set("a line that is longer than the terminal", "網絡網絡網絡網絡網絡網絡")
		wait()
		scr.shows(t, "first", "second", "third", "from a oneshot", "checking... ok", "", "a line that is long", "網絡網絡網絡網絡網")
		area.set("1", "2", "3", "4", "5", "6", "7")
		wait()
		scr.shows(t, "first", "second", "third", "from a oneshot", "checking... ok", "", "1", "2", "3", "4")
		area.set("4/4")
		wait()
		s.Pause()
		_, _ = io.WriteString(scr, "passphrase: ")
		wait()
		_, _ = s.Write([]byte("***\n"))
		wait()
		s.Resume()
		wait()
		scr.shows(t, "first", "second", "third", "from a oneshot", "checking... ok", "passphrase: ***", "", "4/4")
		s.Close()
		scr.shows(t, "first", "second", "third", "from a oneshot", "checking... ok", "passphrase: ***")
	})
}

// An area with nothing to show draws nothing, and one is drawn no oftener than need be.
func TestStatusRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scr := newScreen(6)
		var area content
		s := ui.NewStatus(scr, func() (int, int) { return 20, 6 }, area.get)
		<-time.After(10*time.Second + time.Millisecond)
		s.Close()
		if area.asked > 50 || scr.everything.Len() > 0 {
			t.Errorf("asked %d times in 10 s, %q", area.asked, scr.everything.String())
		}
	})
}

func TestStatusTerminal(t *testing.T) {
	// Whatever standard error is here, these say that there is to be no area.
	for name, value := range map[string]string{"NO_COLOR": "1", "TERM": "dumb"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if ui.StatusTerminal() != nil {
				t.Error("an area")
			}
		})
	}
}
