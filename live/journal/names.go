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
	list, rest, ok := bytes.Cut(text, []byte(`"]`))
	if !ok || len(list) == 0 || list[0] != '"' {
		return nil, nil, false
	}
	names = strings.Split(string(list[1:]), `","`)
	for _, name := range names {
		if !Text(name).Plain() {
			return nil, nil, false
		}
	}
	return names, rest, true
}
