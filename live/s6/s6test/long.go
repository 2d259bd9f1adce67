package s6test

import (
	"os"
	"testing"
)

// LongEnv is the variable that has the tests of the long suites run when it is "1".
const LongEnv = "STRATA_LONG"

// Long skips the test unless long suites were asked for. Their names begin with
// TestLong.
func Long(t testing.TB) {
	t.Helper()
	if os.Getenv(LongEnv) != "1" {
		t.Skip("needs " + LongEnv + "=1: make test-long")
	}
}
