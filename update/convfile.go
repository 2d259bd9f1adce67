package update

import (
	"bytes"
	"errors"
	"fmt"
)

// The ways in which a conversion file, or the two databases together with it, can
// be at fault. The tools turn them into exit codes 3, 4, 5, 6 and 100.
var (
	ErrUnknown    = errors.New("unknown service")
	ErrNoTarget   = errors.New("new name is not defined")
	ErrNotAtomic  = errors.New("not an atomic service")
	ErrDuplicate  = errors.New("appears twice")
	ErrConversion = errors.New("wrong conversion file")
)

// Conversions are the lines of a conversion file: orders for services of the old
// database. The zero value has none.
type Conversions struct {
	File  string
	Lines []ConversionLine
}

// ConversionLine is one line, lexed but not yet understood: whether it is right
// depends on the old database, and the first wrong line counts.
type ConversionLine struct {
	Number int
	Words  []string
	Err    error // of the lexer
}

// ParseConversions splits a conversion file into lines and each into words. The
// format is s6-rc's: "old -> new", "old restart", "old -> new restart", lexed as
// execline does, each line for itself; lex is that lexer.
func ParseConversions(file string, text []byte, lex func([]byte) ([]string, error)) Conversions {
	c := Conversions{File: file}
	for n := 1; len(text) > 0; n++ {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		text = rest
		words, err := lex(line)
		if err != nil || len(words) > 0 {
			c.Lines = append(c.Lines, ConversionLine{n, words, err})
		}
	}
	return c
}

// order is what a line says of one old service.
type order struct {
	line    int
	to      string // the new name, if renamed
	renamed bool
	restart bool
}

// orders reads the lines against the old database, in their order, as s6-rc does:
// a name must stand for exactly one atomic service, and a service may appear once.
func (c Conversions) orders(v *vertices) (map[id]order, error) {
	out := map[id]order{}
	for _, l := range c.Lines {
		if l.Err != nil {
			return nil, c.errorf(l, ErrConversion, "%v", l.Err)
		}
		name := l.Words[0]
		ids, ok := v.resolve(name)
		switch {
		case !ok:
			return nil, c.errorf(l, ErrUnknown, "%s is not in the old database", name)
		case len(ids) != 1:
			return nil, c.errorf(l, ErrNotAtomic, "%s is not an atomic service of the old database", name)
		}
		if _, twice := out[ids[0]]; twice {
			return nil, c.errorf(l, ErrDuplicate, "service %s appears more than once", v.name(ids[0]))
		}
		o := order{line: l.Number}
		words := l.Words[1:]
		if len(words) >= 2 && words[0] == "->" {
			o.to, o.renamed = words[1], true
			words = words[2:]
		}
		for _, w := range words {
			if w != "restart" {
				return nil, c.errorf(l, ErrConversion, "unknown word %q", w)
			}
			o.restart = true
		}
		out[ids[0]] = o
	}
	return out, nil
}

func (c Conversions) errorf(l ConversionLine, kind error, format string, args ...any) error {
	return &ConversionError{File: c.File, Line: l.Number, Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// ConversionError is a mistake in a conversion file, or a pair of databases
// between which services cannot be told apart. Kind is one of the Err variables.
type ConversionError struct {
	File    string
	Line    int // 0: not of one line
	Kind    error
	Message string
}

// Error says where and what.
func (e *ConversionError) Error() string {
	switch {
	case e.Line > 0:
		return fmt.Sprintf("cannot use conversion file %s: line %d: %s", e.File, e.Line, e.Message)
	default:
		return "cannot match old and new services: " + e.Message
	}
}

// Unwrap returns the kind.
func (e *ConversionError) Unwrap() error { return e.Kind }
