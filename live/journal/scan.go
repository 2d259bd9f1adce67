package journal

import (
	"bytes"
	"math"
	"time"

	"strata/compile/db"
)

// scanner reads JSON of one exact shape: what this package writes, without a blank,
// with the fields in their order. It gives up, with bad set, on everything else,
// also on much that is fine, such as an escape in a string: who uses it reads the
// same bytes with encoding/json then. What it takes it understands as that does.
type scanner struct {
	b     []byte
	bad   bool
	clock *calendar
	many  int // how long lists are expected to be
}

// done reports whether everything was read.
func (s *scanner) done() bool { return !s.bad && len(s.b) == 0 }

// lit takes exactly this text.
func (s *scanner) lit(text string) {
	if !s.opt(text) {
		s.bad = true
	}
}

// until takes everything up to this text, which begins with a comma, a quote and a
// letter, as nothing in a string does, and the text.
func (s *scanner) until(text string) []byte {
	n := bytes.Index(s.b, []byte(text))
	if n < 0 {
		s.bad = true
		return nil
	}
	before := s.b[:n]
	s.b = s.b[n+len(text):]
	return before
}

// opt takes this text if it comes next.
func (s *scanner) opt(text string) bool {
	if len(s.b) < len(text) || string(s.b[:len(text)]) != text {
		return false
	}
	s.b = s.b[len(text):]
	return true
}

// bytes takes the rest of a string, of which the opening quote was taken, and its
// closing quote. The bytes belong to the input.
func (s *scanner) bytes() []byte {
	for i, c := range s.b {
		if c == '"' {
			text := s.b[:i]
			s.b = s.b[i+1:]
			return text
		}
		if c < ' ' || c == '\\' || c > '~' {
			break
		}
	}
	s.bad = true
	return nil
}

// digits is bytes for many hexadecimal digits: who takes them checks them.
func (s *scanner) digits() []byte {
	n := bytes.IndexByte(s.b, '"')
	if n < 0 {
		s.bad = true
		return nil
	}
	text := s.b[:n]
	s.b = s.b[n+1:]
	return text
}

func (s *scanner) text() string { return string(s.bytes()) }

// same is text for one that is often the same as before.
func (s *scanner) same(before string) string {
	if b := s.bytes(); string(b) != before {
		return string(b)
	}
	return before
}

// uint takes a number up to limit.
func (s *scanner) uint(limit uint64) uint64 {
	const safe = 19 // digits of a number that cannot be too large
	n, i := uint64(0), 0
	for i < len(s.b) && '0' <= s.b[i] && s.b[i] <= '9' {
		d := uint64(s.b[i] - '0')
		if i >= safe && n > (math.MaxUint64-d)/10 {
			s.bad = true
			return 0
		}
		n = n*10 + d
		i++
	}
	if i == 0 || s.b[0] == '0' && i > 1 || n > limit {
		s.bad = true
		return 0
	}
	s.b = s.b[i:]
	return n
}

func (s *scanner) int() int64 {
	if s.opt("-") {
		n := -int64(s.uint(math.MaxInt64))
		s.bad = s.bad || n == 0 // "-0" is nothing that is written
		return n
	}
	return int64(s.uint(math.MaxInt64))
}

func (s *scanner) slot() Slot { return Slot(s.uint(math.MaxUint32)) }

// bool takes true or false.
func (s *scanner) bool() bool {
	if s.opt("true") {
		return true
	}
	s.lit("false")
	return false
}

// time takes a string that is a time.
func (s *scanner) time() time.Time {
	text := s.b
	s.lit(`"`)
	s.bytes()
	if s.bad {
		return time.Time{}
	}
	t, err := s.clock.parse(text[:len(text)-len(s.b)])
	s.bad = err != nil
	return t
}

// digest takes the rest of a digest in quotes.
func (s *scanner) digest() (d db.Digest) {
	const digits = 2 * len(d)
	if len(s.b) <= digits || s.b[digits] != '"' || !unhex(d[:], s.b) {
		s.bad = true
		return d
	}
	s.b = s.b[digits+1:]
	return d
}

// unhex reads the 2*len(to) hexadecimal digits that digits begins with.
func unhex(to, digits []byte) bool {
	ok := byte(0)
	for i := range to {
		high, low := hexValue[digits[2*i]], hexValue[digits[2*i+1]]
		ok |= high | low
		to[i] = high<<4 | low&0xf
	}
	return ok&0xf0 == 0
}

// hexValue holds the values of hexadecimal digits, and 0xff for everything else.
var hexValue = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range 10 {
		t['0'+i] = byte(i)
	}
	for i := range 6 {
		t['a'+i], t['A'+i] = byte(10+i), byte(10+i)
	}
	return t
}()

// list takes the elements of a list up to its closing bracket, of which the opening
// one was taken.
func list[E any](s *scanner, element func() E) []E {
	out := make([]E, 0, min(s.many, len(s.b)/2)) // an element has a digit and a comma
	if s.opt("]") {
		return out
	}
	for {
		out = append(out, element())
		switch {
		case s.bad:
			return nil
		case s.opt("]"):
			return out
		}
		s.lit(",")
	}
}

// slots takes the rest of a list of slots.
func (s *scanner) slots() []Slot { return list(s, s.slot) }
