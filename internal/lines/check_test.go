package lines

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	text := func(numbers ...uint64) string {
		var b strings.Builder
		for _, n := range numbers {
			b.WriteString(line("a", n))
		}
		return b.String()
	}
	for _, tt := range []struct {
		name    string
		arrived string
		written uint64
		kills   int
		good    bool
	}{
		{"all", text(0, 1, 2), 3, 0, true},
		{"none", "", 0, 0, false},
		{"the last is missing", text(0, 1), 3, 0, false},
		{"one is missing", text(0, 2), 3, 0, false},
		{"one came twice", text(0, 1, 1, 2), 3, 0, false},
		{"one came twice, for a kill", text(0, 1, 1, 2), 3, 1, true},
		{"one was not counted, for a kill", text(0, 1, 2), 2, 1, true},
		{"two were not counted", text(0, 1, 2, 3), 2, 1, false},
		{"out of order", text(0, 2, 1), 3, 1, false},
		{"torn", text(0) + "a 1", 2, 0, false},
	} {
		if err := Check(tt.arrived, map[string]uint64{"a": tt.written}, map[string]int{"a": tt.kills}); (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
