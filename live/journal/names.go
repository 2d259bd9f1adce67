package journal

import (
	"bytes"
	"slices"
	"strings"
)

// AppendNames appends a list of names, as encoding/json would, up to its closing bracket:
// the opening one is there. It reports false if there are none, or if one is not
// [Text.Plain] or begins with a bracket, behind whose quote the list would seem to end.
func AppendNames(to []byte, names []string) ([]byte, bool) {
	size := 0
	for _, name := range names {
		size += len(name) + len(`"",`)
	}
	to = slices.Grow(to, size)
	for _, name := range names {
		if !Text(name).Plain() || strings.HasPrefix(name, "]") {
			return nil, false
		}
		to = append(append(append(to, '"'), name...), '"', ',')
	}
	if len(names) > 0 {
		to[len(to)-1] = ']'
	}
	return to, len(names) > 0
}

// CutNames reads what [AppendNames] has appended, and gives the rest. The names share
// their memory. It reports false for everything else, also if that is a list of names.
func CutNames(text []byte) (names []string, rest []byte, ok bool) {
	end := listEnd(text)
	if end < 1 || text[0] != '"' {
		return nil, nil, false
	}
	const between = `","`
	list := string(text[1:end])
	names = make([]string, 0, strings.Count(list, ",")+1)
	begin := 0
	for i := 0; i < len(list); i++ {
		switch {
		case plainByte[list[i]]:
		case strings.HasPrefix(list[i:], between):
			names = append(names, list[begin:i])
			i += len(between) - 1
			begin = i + 1
		default:
			return nil, nil, false
		}
	}
	names = append(names, list[begin:])
	return names, text[end+len(`"]`):], !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, bytesMark) })
}

// listEnd is where the quote stands that ends a list, or negative.
func listEnd(text []byte) int {
	for i := 0; i < len(text); i++ {
		n := bytes.IndexByte(text[i:], ']')
		if n < 0 {
			break
		}
		if i += n; i > 0 && text[i-1] == '"' {
			return i - 1
		}
	}
	return -1
}
