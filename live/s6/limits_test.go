package s6_test

import (
	"errors"
	"syscall"
	"testing"

	"strata/live/s6"
)

// There is room for a few more descriptors, not for more than the limit; what was
// opened to see that is closed again.
func TestCheckRoom(t *testing.T) {
	before := openFDs(t)
	if err := s6.CheckRoom(20); err != nil {
		t.Error(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	few := limit
	few.Cur = uint64(before) + 30
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	err := s6.CheckRoom(before + 40)
	if again := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); again != nil {
		t.Fatal(again)
	}
	if !errors.Is(err, syscall.EMFILE) {
		t.Errorf("with too low a limit: %v", err)
	}
	if after := openFDs(t); after > before {
		t.Errorf("%d descriptors, before %d", after, before)
	}
}
