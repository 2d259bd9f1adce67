package source

import (
	"bytes"
	"sort"
	"strconv"
	"strings"
)

// extent is a piece of a text: its offset and its length in bytes.
type extent struct{ at, size int }

// place is where a key stands in a TOML file, where its value, and, of an array,
// where the elements.
type place struct {
	key, value extent
	items      []extent
}

// tomlIndex knows where in a TOML file each key stands, which the TOML library
// does not tell. It checks nothing, the library does that; of a text that is no
// TOML it finds too little, and no harm is done.
type tomlIndex struct {
	text   []byte
	pos    int
	places map[string]*place // by the parts of the key, joined by keySep
	lines  []int             // offsets of the lines
	// deep is the offset of the first value or key that is nested too deep for
	// the library, which takes very long for such a text; -1 if there is none.
	deep int
}

const (
	keySep = "\x00"
	// maxNesting is how deep arrays and inline tables may lie within each other,
	// and how many parts a key may have.
	maxNesting = 16
)

// indexTOML finds the places of all keys.
func indexTOML(text []byte) *tomlIndex {
	x := &tomlIndex{text: text, places: make(map[string]*place, 16), lines: indexLines(text), deep: -1}
	table := ""
	for {
		x.skipSpace()
		if x.pos >= len(text) {
			return x
		}
		start := x.pos
		if text[x.pos] == '[' {
			table = x.header()
		} else {
			x.keyValue(table, 0)
		}
		if x.pos == start {
			return x
		}
	}
}

// indexLines returns the offsets of the lines.
func indexLines(text []byte) []int {
	lines := []int{0}
	for i, c := range text {
		if c == '\n' {
			lines = append(lines, i+1)
		}
	}
	return lines
}

// stop ends the reading at something nested too deep.
func (x *tomlIndex) stop() {
	if x.deep < 0 {
		x.deep = x.pos
	}
	x.pos = len(x.text)
}

// position returns line and column, counted from 1, of an offset.
func (x *tomlIndex) position(offset int) (line, column int) {
	offset = max(0, min(offset, len(x.text)))
	line = sort.Search(len(x.lines), func(i int) bool { return x.lines[i] > offset })
	return line, offset - x.lines[line-1] + 1
}

// header reads [table] or [[table]] and returns its key.
func (x *tomlIndex) header() string {
	for x.peek() == '[' {
		x.pos++
	}
	at := x.pos
	key := x.key("")
	if _, ok := x.places[key]; !ok {
		x.places[key] = &place{key: extent{at, x.pos - at}, value: extent{at, x.pos - at}}
	}
	for x.peek() == ']' || x.peek() == ' ' || x.peek() == '\t' {
		x.pos++
	}
	return key
}

// keyValue reads key = value.
func (x *tomlIndex) keyValue(table string, depth int) {
	at := x.pos
	key := x.key(table)
	end := len(bytes.TrimRight(x.text[at:x.pos], " \t"))
	if x.peek() != '=' {
		return
	}
	x.pos++
	x.skipBlanks()
	p := &place{key: extent{at, end}}
	x.places[key] = p
	valueAt := x.pos
	x.value(key, p, depth)
	p.value = extent{valueAt, len(bytes.TrimRight(x.text[valueAt:x.pos], " \t\r\n"))}
}

// key reads a key, dotted or not, below the table, up to the = or ].
func (x *tomlIndex) key(table string) string {
	parts := table
	for n := strings.Count(table, keySep); ; n++ {
		if n > maxNesting {
			x.stop()
			return parts
		}
		x.skipBlanks()
		part := x.simpleKey()
		if parts != "" {
			parts += keySep
		}
		parts += part
		x.skipBlanks()
		if x.peek() != '.' {
			return parts
		}
		x.pos++
	}
}

func (x *tomlIndex) simpleKey() string {
	start := x.pos
	switch x.peek() {
	case '"', '\'':
		x.quoted()
		s := string(x.text[start:x.pos])
		if u, err := strconv.Unquote(s); err == nil && s[0] == '"' {
			return u
		}
		return strings.Trim(s, s[:1])
	}
	for x.pos < len(x.text) && !bytes.ContainsRune([]byte(" \t\r\n.=[]{},#\"'"), rune(x.text[x.pos])) {
		x.pos++
	}
	return string(x.text[start:x.pos])
}

// value reads a value; of an array it notes in p where the elements stand.
func (x *tomlIndex) value(key string, p *place, depth int) {
	if depth > maxNesting {
		x.stop()
		return
	}
	switch x.peek() {
	case '"', '\'':
		x.quoted()
	case '[':
		x.array(key, p, depth)
	case '{':
		x.inlineTable(key, depth)
	default:
		for x.pos < len(x.text) && !bytes.ContainsRune([]byte(",]}#\n"), rune(x.text[x.pos])) {
			x.pos++
		}
	}
}

func (x *tomlIndex) array(key string, p *place, depth int) {
	x.pos++
	for {
		x.skipSpace()
		switch x.peek() {
		case ',':
			x.pos++
			continue
		case ']':
			x.pos++
			return
		}
		at := x.pos
		x.value(key, &place{}, depth+1)
		if x.pos == at {
			return
		}
		p.items = append(p.items, extent{at, len(bytes.TrimRight(x.text[at:x.pos], " \t\r"))})
	}
}

func (x *tomlIndex) inlineTable(key string, depth int) {
	x.pos++
	for {
		x.skipSpace()
		switch x.peek() {
		case ',':
			x.pos++
			continue
		case '}':
			x.pos++
			return
		}
		at := x.pos
		x.keyValue(key, depth+1)
		if x.pos == at {
			return
		}
	}
}

// quoted reads a string of any of the four kinds.
func (x *tomlIndex) quoted() {
	quote := x.text[x.pos : x.pos+1]
	if triple := bytes.Repeat(quote, 3); bytes.HasPrefix(x.text[x.pos:], triple) {
		x.pos += 3
		x.until(triple)
		for n := 0; n < 2 && x.peek() == quote[0]; n++ {
			x.pos++ // quotes that belong to the string's end
		}
		return
	}
	x.pos++
	x.until(quote)
}

// until reads up to the end mark and past it. In double quotes a backslash hides
// the next byte.
func (x *tomlIndex) until(end []byte) {
	for x.pos < len(x.text) {
		if bytes.HasPrefix(x.text[x.pos:], end) {
			x.pos += len(end)
			return
		}
		if x.text[x.pos] == '\\' && end[0] == '"' {
			x.pos++
		}
		x.pos++
	}
	x.pos = len(x.text)
}

func (x *tomlIndex) peek() byte {
	if x.pos < len(x.text) {
		return x.text[x.pos]
	}
	return 0
}

func (x *tomlIndex) skipBlanks() {
	for x.peek() == ' ' || x.peek() == '\t' {
		x.pos++
	}
}

// skipSpace skips blanks, ends of lines and comments.
func (x *tomlIndex) skipSpace() {
	for x.pos < len(x.text) {
		switch x.text[x.pos] {
		case ' ', '\t', '\r', '\n':
			x.pos++
		case '#':
			if i := bytes.IndexByte(x.text[x.pos:], '\n'); i >= 0 {
				x.pos += i
			} else {
				x.pos = len(x.text)
			}
		default:
			return
		}
	}
}
