package s6_test

import (
	"testing"

	"strata/live/s6"
)

func TestMarkDown(t *testing.T) {
	dir := t.TempDir()
	is := func(want bool) {
		t.Helper()
		if got, err := s6.MarkedDown(dir); err != nil || got != want {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
	is(false)
	for _, step := range []struct {
		do   func(string) error
		want bool
	}{{s6.MarkDown, true}, {s6.MarkDown, true}, {s6.UnmarkDown, false}, {s6.UnmarkDown, false}} {
		if err := step.do(dir); err != nil {
			t.Error(err)
		}
		is(step.want)
	}
}
