package ui

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// redraw is how often a status area is drawn, and so how long it takes to appear:
// what is over before that needs none.
const redraw = 250 * time.Millisecond

// Status is an area below the lines that a tool prints on a terminal, which shows what
// is going on now and is drawn over and over again.
//
// The cursor rests on an empty line above it. Others may write to the same terminal, a
// oneshot's program for one: what they write begins on that line, and the area is drawn
// anew below it. All that can be lost is the sight of the area until then.
type Status struct {
	w       io.Writer
	size    func() (columns, rows int)
	content func() []string

	mu      sync.Mutex
	drawn   string // the area on the screen, empty if there is none
	paused  int
	stopped chan struct{}
	ticking sync.WaitGroup
}

// NewStatus shows on the terminal w, which has this size, the lines that content gives,
// several times a second. The caller closes it.
func NewStatus(w io.Writer, size func() (columns, rows int), content func() []string) *Status {
	s := &Status{w: w, size: size, content: content, stopped: make(chan struct{})}
	s.ticking.Go(s.tick)
	return s
}

// StatusTerminal returns the terminal for a status area, or nil if there should be none:
// if standard error is no terminal or a dumb one, or nobody wants control sequences
// (NO_COLOR).
func StatusTerminal() *os.File {
	if !term.IsTerminal(int(os.Stderr.Fd())) || os.Getenv("NO_COLOR") != "" {
		return nil
	}
	if t := os.Getenv("TERM"); t == "" || t == "dumb" {
		return nil
	}
	return os.Stderr
}

// TerminalSize is how many columns and rows a terminal has, 80 and 24 if it does not
// say.
func TerminalSize(f *os.File) (columns, rows int) {
	columns, rows, err := term.GetSize(int(f.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		return 80, 24
	}
	return columns, rows
}

func (s *Status) tick() {
	t := time.NewTicker(redraw)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.mu.Lock()
			s.put("", s.area())
			s.mu.Unlock()
		case <-s.stopped:
			return
		}
	}
}

// Write prints whole lines above the area, which stays as it is until its time comes.
func (s *Status) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn == "" {
		return s.w.Write(lines)
	}
	s.put(string(lines), s.drawn)
	return len(lines), nil
}

// Pause takes the area away until [Status.Resume] was called as often: somebody is
// asked something on this terminal.
func (s *Status) Pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused++
	s.put("", "")
}

// Resume ends a pause.
func (s *Status) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused--
}

// Close takes the area away for good.
func (s *Status) Close() {
	close(s.stopped)
	s.ticking.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put("", "")
}

// put replaces the area, from the cursor on, by lines that stay and an area below
// them. A terminal that is gone is no reason to stop anything.
func (s *Status) put(lines, area string) {
	erase := ""
	if s.drawn != "" {
		erase = "\x1b[J"
	}
	s.drawn = area
	if text := erase + lines + area; text != "" {
		_, _ = io.WriteString(s.w, text)
	}
}

// area draws the area below the line of the cursor, which stays where it is: there may
// be the beginning of somebody's line. Room is made first, by moves that keep the
// column, since what scrolls the screen would move the place away to which the cursor
// has to go back.
func (s *Status) area() string {
	lines := s.content()
	columns, rows := s.size()
	lines = lines[:min(len(lines), max(0, rows-2))]
	if s.paused > 0 || len(lines) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(strings.Repeat("\x1bD", len(lines)))
	fmt.Fprintf(&b, "\x1b[%dA\x1b7", len(lines))
	for _, line := range lines {
		b.WriteString("\r\n" + cut(line, columns-1))
	}
	b.WriteString("\x1b8")
	return b.String()
}

// cut shortens a line to so many columns. A character that may be wide counts as two.
func cut(line string, columns int) string {
	const wide = 0x1100 // from here on some are
	used := 0
	for i, r := range line {
		used++
		if r >= wide {
			used++
		}
		if used > columns {
			return line[:i]
		}
	}
	return line
}
