package s6

import "testing"

// The letter of a failure that comes late is not taken for that of the next life.
func TestFailed(t *testing.T) {
	tests := []struct {
		lives  bool
		events []string
		want   bool
	}{
		{true, []string{"OD"}, true},
		{false, []string{"OD"}, false},
		{false, []string{"D", "OD", "u", "d"}, false},
		{false, []string{"OD", "u", "d", "OD"}, true},
		{false, []string{"u", "dOD"}, true},
		{true, []string{"dD", "u"}, false},
	}
	for _, test := range tests {
		lives, got := test.lives, false
		for _, letters := range test.events {
			got = got || failed(appendEvents(nil, []byte(letters)), &lives)
		}
		if got != test.want {
			t.Errorf("%t %q: %t", test.lives, test.events, got)
		}
	}
}
