package s6

import (
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// hiddenLife is how long a FIFO may be there before it has its reader, and its
// name without the dot, if it is not known who made it: far longer than that takes
// anybody.
const hiddenLife = time.Minute

// hiddenName is the name of a listener's FIFO before it has its reader. It says who
// makes it. Somebody in another PID namespace may take that one for dead: so the
// FIFO may vanish, and is made again then.
func hiddenName(name string) string { return "." + name + "." + strconv.Itoa(os.Getpid()) }

// abandoned says of a hidden FIFO that whoever made it is not going to open it.
func abandoned(name string, made Stamp, now time.Time) bool {
	pid, err := strconv.Atoi(name[strings.LastIndexByte(name, '.')+1:])
	if err == nil && pid > 0 {
		return unix.Kill(pid, 0) == unix.ESRCH
	}
	return made.sec+uint64(hiddenLife/time.Second) <= StampOf(now).sec
}

// SweepListeners removes from an event directory what killed listeners have left.
// Whoever listens there does that too, so it is for those where nobody is going to.
func SweepListeners(eventDir string) {
	dir, err := openEventDir(eventDir)
	if err != nil {
		return
	}
	sweepFIFOs(dir, time.Now())
	unix.Close(dir)
}

// sweepFIFOs removes from an open event directory the FIFOs of listeners that were
// killed. The notifier does that only when it has something to say, and never for
// those with a dot. What cannot be removed stays.
func sweepFIFOs(dir int, now time.Time) {
	eachName(dir, func(name string) { sweepFIFO(dir, name, now) })
}

// sweepFIFO removes one entry, if it is what a killed listener has left.
func sweepFIFO(dir int, entry string, now time.Time) {
	name, hidden := strings.CutPrefix(entry, ".")
	made, ok := subscriptionStamp(name)
	if !ok || hidden && !abandoned(name, made, now) {
		return
	}
	var st unix.Stat_t
	if unix.Fstatat(dir, entry, &st, unix.AT_SYMLINK_NOFOLLOW) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return
	}
	fd, err := openatRetry(dir, entry, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW)
	if err == unix.ENXIO {
		_ = unix.Unlinkat(dir, entry, 0) // nobody reads it
	}
	if err == nil {
		unix.Close(fd)
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
