// Package s6test gives tests a real, private s6-svscan in a short temporary
// directory, and takes everything down again at the end of the test.
//
// A test that uses it is skipped where s6 is missing, unless the environment has
// STRATA_REQUIRE_S6=1: then it fails.
//
//	sc := s6test.New(t)
//	dir := sc.Make("web", s6test.Service{Run: "#!/bin/sh\nexec sleep 1000\n"})
//	// link dir into sc.Dir with s6.Link, and look on
package s6test
