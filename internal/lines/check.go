package lines

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Written is how many lines a producer has written, by its count.
func Written(count []byte) (uint64, error) {
	if len(count) != 8 {
		return 0, fmt.Errorf("a count of %d bytes", len(count))
	}
	return binary.BigEndian.Uint64(count), nil
}

// Check checks what has arrived when everything has been stopped: all lines that the
// producers have written, by id, whole and in order. A producer that was killed may
// have written one line without counting it, and writes it again.
func Check(arrived string, written map[string]uint64, kills map[string]int) error {
	next := map[string]uint64{}
	twice := map[string]int{}
	for l := range strings.Lines(arrived) {
		id, rest, _ := strings.Cut(l, " ")
		number, _, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil || l != line(id, n) {
			return fmt.Errorf("torn line %q", l)
		}
		switch {
		case n == next[id]:
			next[id]++
		case n+1 == next[id]:
			twice[id]++
		default:
			return fmt.Errorf("%s: line %d where %d was due", id, n, next[id])
		}
	}
	for id, count := range written {
		// Its last line may be one that it was killed over.
		if count == 0 || next[id] != count && (next[id] != count+1 || kills[id] == 0) {
			return fmt.Errorf("%s has written %d lines, and %d have arrived", id, count, next[id])
		}
		if twice[id] > kills[id] {
			return fmt.Errorf("%s: %d lines came twice, and it was killed %d times", id, twice[id], kills[id])
		}
	}
	return nil
}
