package s6_test

import (
	"context"
	"os"
	"testing"

	"strata/live/s6"
	"strata/live/s6/s6test"
)

// testContext bounds a test's waits, far above what they take.
func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), s6test.Limit)
	t.Cleanup(cancel)
	return ctx
}

// mustWait waits for a goal that is reached in the end.
func mustWait(t testing.TB, dir string, goal s6.Goal, cmds ...s6.Command) s6.Status {
	t.Helper()
	st, err := s6.WaitFor(testContext(t), dir, goal, cmds...)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// mustStatus reads the status of dir.
func mustStatus(t testing.TB, dir string) s6.Status {
	t.Helper()
	st, err := s6.ReadStatus(dir)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// openFDs counts the descriptors of this process.
func openFDs(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// sameFDs fails if the test ends with more descriptors than it has now, or if a
// FIFO is left in one of the event directories.
func sameFDs(t testing.TB, dirs ...string) func() {
	t.Helper()
	before := openFDs(t)
	return func() {
		t.Helper()
		if after := openFDs(t); after > before {
			t.Errorf("%d descriptors before, %d after", before, after)
		}
		for _, dir := range dirs {
			entries, err := os.ReadDir(dir + "/event")
			if err != nil {
				t.Error(err)
			}
			for _, e := range entries {
				t.Errorf("%s is left in %s/event", e.Name(), dir)
			}
		}
	}
}
