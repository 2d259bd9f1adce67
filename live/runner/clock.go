package runner

import (
	"time"

	"golang.org/x/sys/unix"
)

// clock is the time that limits are measured by.
type clock interface {
	// Now is the time since a moment that is the same for all processes of the
	// machine.
	Now() time.Duration
	// After calls f after d, in a goroutine of its own, unless stop is called
	// before.
	After(d time.Duration, f func()) (stop func() bool)
}

// realClock is the machine's monotonic clock.
type realClock struct{}

func (realClock) Now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0 // there is no machine without it
	}
	return time.Duration(ts.Nano())
}

func (realClock) After(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
