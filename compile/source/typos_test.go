package source

import (
	"strings"
	"testing"
)

// A mistyped file name is a warning, but not where s6-rc's names are in charge.
func TestTypos(t *testing.T) {
	for _, c := range []struct{ file, meant string }{
		{"dependecies.d/y", "dependencies.d"},
		{"notification_fd", "notification-fd"},
		{"Finish", "finish"},
		{"timeout-upp", "timeout-up"},
		{"README", ""},
		{"run~", ""},
		{"run.sh", ""},
		{"down", ""},
		{"nosetsid", ""},
		{"log", ""},
		{".runs", ""},
		{"data/notification_fd", ""},
	} {
		tr := tree{"x/type": "longrun\n", "x/run": "", "x/" + c.file: ""}
		_, diags := tr.read(t, Options{})
		switch {
		case c.meant == "" && len(diags) != 0:
			t.Errorf("%s: got %v", c.file, diags)
		case c.meant != "" && (codes(diags) != "~unknown-file" || !strings.Contains(diags[0].Hint, c.meant+"?")):
			t.Errorf("%s: got %v, want %s", c.file, diags, c.meant)
		}
		if _, diags := tr.read(t, Options{S6RC: true}); len(diags) != 0 {
			t.Errorf("%s: s6-rc's names: %v", c.file, diags)
		}
	}
}
