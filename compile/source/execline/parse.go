package execline

import "bytes"

// state is where in a word, or between words, the lexer is.
type state uint8

const (
	between       state = iota // before a word
	comment                    // behind a #
	opening                    // behind a { that began a word
	closing                    // behind a } that began a word
	word                       // in a word
	betweenEscape              // behind a backslash before a word
	wordEscape                 // behind a backslash in a word
	quoted                     // in double quotes
	quotedEscape               // behind a backslash in quotes
	zero                       // behind \0 in quotes
	hexStart                   // behind \0x in quotes
	number                     // in the digits of an escape
)

// lexer holds what is known of the script so far.
type lexer struct {
	argv []string
	// cur is the word being read. It may hold something between words too: a
	// brace before an escaped newline stays, and begins the next word.
	cur   []byte
	level int

	// Digits of an escape: their start in cur, their base, how many there are
	// and how many there may be.
	mark, base, digits, most int

	// Places for messages: of the last quote and escape, and of open braces.
	quoteAt, escapeAt, braceAt int
	open                       []int
}

// Parse splits a script into its words. It returns an empty slice, not nil, for
// a script without words. A NUL byte ends the script. Every error is a
// [*SyntaxError].
func Parse(script []byte) ([]string, error) {
	l := lexer{argv: []string{}}
	if i := bytes.IndexByte(script, 0); i >= 0 {
		script = script[:i]
	}
	s := between
	for i, c := range script {
		var err *SyntaxError
		if s, err = l.step(s, c, i); err != nil {
			return nil, err.at(script)
		}
	}
	if err := l.end(s, len(script)); err != nil {
		return nil, err.at(script)
	}
	return l.argv, nil
}

// step reads the byte c, at the offset i.
func (l *lexer) step(s state, c byte, i int) (state, *SyntaxError) {
	switch s {
	case between:
		return l.stepBetween(c, i), nil
	case comment:
		if c == '\n' {
			return between, nil
		}
		return comment, nil
	case opening:
		switch {
		case blank(c):
			l.level++
			l.cur = l.cur[:len(l.cur)-l.level]
			l.open = append(l.open, l.braceAt)
			return between, nil
		case c == '\\':
			return betweenEscape, nil
		}
		return l.stepWord(c, i), nil
	case closing:
		switch {
		case blank(c):
			return between, l.closeBlock()
		case c == '\\':
			return betweenEscape, nil
		}
		return l.stepWord(c, i), nil
	case word:
		return l.stepWord(c, i), nil
	case betweenEscape:
		if c == '\n' {
			return between, nil
		}
		l.indent()
		l.cur = append(l.cur, c)
		return word, nil
	case wordEscape:
		l.cur = append(l.cur, c)
		return word, nil
	case quoted:
		return l.stepQuoted(c, i), nil
	case quotedEscape:
		return l.stepQuotedEscape(c), nil
	case zero, hexStart:
		return l.stepZero(s, c)
	default:
		return l.stepNumber(c, i)
	}
}

func (l *lexer) stepBetween(c byte, i int) state {
	switch {
	case blank(c):
		return between
	case c == '#':
		return comment
	case c == '\\':
		return betweenEscape
	}
	l.indent()
	if c == '"' {
		l.quoteAt = i
		return quoted
	}
	l.cur = append(l.cur, c)
	l.braceAt = i
	switch c {
	case '{':
		return opening
	case '}':
		return closing
	}
	return word
}

func (l *lexer) stepWord(c byte, i int) state {
	switch {
	case blank(c):
		l.endWord()
		return between
	case c == '"':
		l.quoteAt = i
		return quoted
	case c == '\\':
		return wordEscape
	}
	l.cur = append(l.cur, c)
	return word
}

func (l *lexer) stepQuoted(c byte, i int) state {
	switch c {
	case '"':
		return word
	case '\\':
		l.escapeAt = i
		return quotedEscape
	}
	l.cur = append(l.cur, c)
	return quoted
}

func (l *lexer) stepQuotedEscape(c byte) state {
	switch c {
	case '\n':
		return quoted
	case '0':
		return zero
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return l.startNumber(c, 10, 3)
	}
	if k := bytes.IndexByte([]byte("abtnvfr"), c); k >= 0 {
		c = byte('\a' + k)
	}
	l.cur = append(l.cur, c)
	return quoted
}

// stepZero reads what follows \0, or \0x.
func (l *lexer) stepZero(s state, c byte) (state, *SyntaxError) {
	switch {
	case s == zero && c == 'x':
		return hexStart, nil
	case s == zero && digit(c, 8):
		return l.startNumber(c, 8, 3), nil
	case s == hexStart && digit(c, 16):
		return l.startNumber(c, 16, 2), nil
	}
	return s, l.badEscape("an escape that begins with \\0 needs octal digits, one with \\0x hexadecimal digits")
}

func (l *lexer) startNumber(c byte, base, most int) state {
	l.mark, l.base, l.digits, l.most = len(l.cur), base, 1, most
	l.cur = append(l.cur, c)
	return number
}

func (l *lexer) stepNumber(c byte, i int) (state, *SyntaxError) {
	if l.digits < l.most && digit(c, l.base) {
		l.cur = append(l.cur, c)
		l.digits++
		return number, nil
	}
	if err := l.endNumber(); err != nil {
		return number, err
	}
	return l.stepQuoted(c, i), nil
}

// endNumber replaces the digits at the end of the word by the byte they mean.
func (l *lexer) endNumber() *SyntaxError {
	v := 0
	for _, c := range l.cur[l.mark:] {
		v = v*l.base + value(c)
	}
	if v == 0 || v > 255 {
		return l.badEscape("the value of an escape must be from 1 to 255")
	}
	l.cur = append(l.cur[:l.mark], byte(v))
	return nil
}

// end reads the end of the script.
func (l *lexer) end(s state, i int) *SyntaxError {
	switch s {
	case opening:
		return &SyntaxError{
			Column: l.braceAt, Kind: Syntax, Detail: "the script ends behind a {",
			Hint: "close the block with a } that stands alone, or quote the brace",
		}
	case wordEscape:
		return &SyntaxError{Column: i - 1, Kind: Syntax, Detail: "the script ends behind a backslash"}
	case quoted, quotedEscape:
		return &SyntaxError{
			Column: l.quoteAt, Kind: Syntax, Detail: "the quote is never closed",
			Hint: "a single quote is a plain character here; only a double quote closes a double quote",
		}
	case zero, hexStart:
		return l.badEscape("the script ends within an escape")
	case number:
		if err := l.endNumber(); err != nil {
			return err
		}
		l.endWord()
	case word:
		l.endWord()
	case closing:
		if err := l.closeBlock(); err != nil {
			return err
		}
	}
	if l.level > 0 {
		return &SyntaxError{
			Column: l.open[len(l.open)-1], Kind: UnmatchedOpen,
			Hint: "close the block with a } that stands alone, with blanks around it",
		}
	}
	return nil
}

// indent begins a word: one space for each level.
func (l *lexer) indent() {
	for range l.level {
		l.cur = append(l.cur, ' ')
	}
}

func (l *lexer) endWord() {
	l.argv = append(l.argv, string(l.cur))
	l.cur = l.cur[:0]
}

// closeBlock ends a block, whose end is a word one space shorter than the
// indentation within it.
func (l *lexer) closeBlock() *SyntaxError {
	if l.level == 0 {
		return &SyntaxError{
			Column: l.braceAt, Kind: UnmatchedClose,
			Hint: "remove it, or quote it (\"}\") if it is meant as a word",
		}
	}
	l.level--
	l.open = l.open[:l.level]
	l.cur = l.cur[:len(l.cur)-2]
	l.endWord()
	return nil
}

func (l *lexer) badEscape(detail string) *SyntaxError {
	return &SyntaxError{Column: l.escapeAt, Kind: Syntax, Detail: detail}
}

// at turns the offset that Column holds so far into a line and a column.
func (e *SyntaxError) at(script []byte) *SyntaxError {
	before := script[:e.Column]
	e.Line = 1 + bytes.Count(before, []byte{'\n'})
	e.Column -= bytes.LastIndexByte(before, '\n')
	return e
}

func blank(c byte) bool { return c <= ' ' }

func digit(c byte, base int) bool {
	v := value(c)
	return v >= 0 && v < base
}

// value returns the value of a hexadecimal digit, -1 for any other byte.
func value(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
