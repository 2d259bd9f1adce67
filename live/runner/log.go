package runner

import (
	"fmt"
	"os"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
)

// logf writes a line to the log of the tree. It never waits: what the log does not
// take at once is dropped, since programs must be started and ended also when a
// disk is full and the logger waits for room.
func logf(format string, args ...any) {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, fmt.Sprintf(format, args...))
	line := "oneshot-runner: " + text + "\n"
	const atOnce = 4096 // PIPE_BUF: a pipe that is ready takes it whole
	fds := []unix.PollFd{{Fd: int32(unix.Stderr), Events: unix.POLLOUT}}
	if n, err := unix.Poll(fds, 0); n == 1 && err == nil && len(line) <= atOnce {
		_, _ = os.Stderr.WriteString(line)
	}
}
