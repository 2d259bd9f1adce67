// Testcount runs go test and counts.
//
// It passes its arguments to go test -json, prints a line for each package and
// everything a failed test wrote, and ends with the skipped cases by their reason
// and one line of totals:
//
//	12 cases skipped because they need root
//	3045 passed, 0 failed, 12 skipped
//
// A case is a test or subtest without subtests of its own. A package that does
// not build, or that ends without the verdict of a test, is a failed case. The
// exit code is 0 only if nothing failed.
package main
