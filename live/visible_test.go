package live

import (
	"testing"

	"strata/live/journal"
)

// TestVisibleEpoch is about those who may not ask s6-svscan's lock.
func TestVisibleEpoch(t *testing.T) {
	if _, err := readProcess(1); err != nil {
		t.Skip("the processes of others are hidden here")
	}
	boot, err := bootID()
	if err != nil {
		t.Fatal(err)
	}
	pid, start := Process()
	here := journal.Epoch{Boot: boot, PID: pid, Start: start}
	for _, c := range []struct {
		what string
		e    journal.Epoch
		want bool
	}{
		{"the same", here, true},
		{"another boot", journal.Epoch{Boot: "x", PID: pid, Start: start}, false},
		{"another process with its pid", journal.Epoch{Boot: boot, PID: pid, Start: start + 1}, false},
		{"a process that is gone", journal.Epoch{Boot: boot, PID: 1 << 30, Start: start}, false},
		{"of another PID namespace", journal.Epoch{Boot: boot}, true},
	} {
		now, err := visibleEpoch(c.e)
		if err != nil || now == c.e != c.want {
			t.Errorf("%s: %+v, %v", c.what, now, err)
		}
	}
}
