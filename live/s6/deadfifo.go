package s6

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// hiddenLife is how long a FIFO may be there before it has its reader, and its
// name without the dot: far longer than that takes anybody.
const hiddenLife = time.Minute

// sweepFIFOs removes from an event directory the FIFOs of listeners that were
// killed. The notifier does that only when it has something to say, and never for
// those with a dot. What cannot be removed stays.
func sweepFIFOs(eventDir string, now time.Time) {
	entries, err := os.ReadDir(eventDir)
	if err != nil {
		return
	}
	for _, e := range entries {
		name, hidden := strings.CutPrefix(e.Name(), ".")
		made, ok := subscriptionStamp(name)
		if !ok || e.Type() != os.ModeNamedPipe || hidden && made.sec+uint64(hiddenLife/time.Second) > StampOf(now).sec {
			continue
		}
		path := filepath.Join(eventDir, e.Name())
		fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err == unix.ENXIO {
			unix.Unlink(path) // nobody reads it
		}
		if err == nil {
			unix.Close(fd)
		}
	}
}

// subscriptionStamp reads when a listener's FIFO was made from its name: ours and
// those of s6 are "ftrig1:", a stamp, ":" and random characters.
func subscriptionStamp(name string) (Stamp, bool) {
	rest, ok := strings.CutPrefix(name, "ftrig1:@")
	if !ok {
		return Stamp{}, false
	}
	digits, _, ok := strings.Cut(rest, ":")
	b, err := hex.DecodeString(digits)
	if !ok || err != nil || len(b) != stampSize {
		return Stamp{}, false
	}
	return unpackStamp(b), true
}
