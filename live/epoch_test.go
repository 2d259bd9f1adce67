package live_test

import (
	"os"
	"testing"

	"strata/live"
	"strata/live/journal"
)

func TestRunning(t *testing.T) {
	for _, c := range []struct {
		what string
		run  journal.Run
		want bool
	}{
		{"this process", journal.Run{PID: os.Getpid()}, true},
		{"another with its pid", journal.Run{PID: os.Getpid(), Start: 1}, false},
		{"none", journal.Run{PID: 1 << 30}, false},
	} {
		if got := live.Running(c.run); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}
