package tree_test

import (
	"testing"

	"strata/live"
	"strata/live/change"
	"strata/live/s6"
)

// A oneshot without a program comes up and down without the runner.
func TestNothingToRun(t *testing.T) {
	tr := newTree(t, oneshot("empty", ""), longrun("daemon", "empty"))
	tr.must(change.Start, "daemon")
	if got := tr.ups(); got != "daemon empty" {
		t.Errorf("up: %s", got)
	}
	tr.must(change.Stop, "empty")
	if got := tr.ups(); got != "" {
		t.Errorf("up: %s", got)
	}
	st, err := s6.ReadStatus(tr.dir.Servicedir(live.RunnerSlot))
	if err != nil {
		t.Fatal(err)
	}
	if !st.NotStarted() {
		t.Errorf("the runner was started: %+v", st)
	}
}
