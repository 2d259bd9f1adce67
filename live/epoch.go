package live

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"strata/live/journal"
	"strata/live/s6"
)

// CurrentEpoch gives the epoch of the s6-svscan that is running on the scandir.
// The error wraps [s6.ErrNotRunning] if there is none.
func CurrentEpoch(scandir string) (journal.Epoch, error) {
	pid, err := s6.Svscan{Dir: scandir}.PID()
	if err != nil {
		return journal.Epoch{}, err
	}
	boot, err := bootID()
	if err != nil {
		return journal.Epoch{}, err
	}
	e := journal.Epoch{Boot: boot, PID: pid}
	if pid == 0 {
		return e, nil // in another PID namespace: only the boot counts
	}
	e.Start, err = startTicks(pid)
	if errors.Is(err, fs.ErrNotExist) {
		return journal.Epoch{}, fmt.Errorf("cannot find s6-svscan on %s: %w", scandir, s6.ErrNotRunning)
	}
	return e, err
}

func bootID() (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("cannot find out the boot id: %w", err)
	}
	return strings.TrimSpace(string(boot)), nil
}

// Process is the pid of this process, and when it was started, in clock ticks after
// boot: 0 if that cannot be known. Together they mean no other process.
func Process() (pid int, start uint64) {
	pid = os.Getpid()
	start, _ = startTicks(pid)
	return pid, start
}

// process is a process that cannot be taken for another one.
type process struct {
	pid   int
	start uint64 // in clock ticks after boot
	state byte   // one letter of proc(5)
}

// States of a process. One that is dead has not been waited for yet.
const (
	asleep  = 'S'
	dead    = 'Z'
	deadToo = 'X'
)

// readProcess looks at a process.
func readProcess(pid int) (process, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, fmt.Errorf("cannot look at process %d: %w", pid, err)
	}
	// The name of the program, in parentheses, may hold anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const first, starttime = 3, 22 // numbers in proc(5)
	if len(fields) <= starttime-first {
		return process{}, fmt.Errorf("cannot look at process %d: its stat is %q", pid, stat)
	}
	start, err := strconv.ParseUint(string(fields[starttime-first]), 10, 64)
	if err != nil {
		return process{}, fmt.Errorf("cannot look at process %d: %w", pid, err)
	}
	return process{pid, start, fields[0][0]}, nil
}

// startTicks is when a process was started, in clock ticks after boot.
func startTicks(pid int) (uint64, error) {
	p, err := readProcess(pid)
	return p.start, err
}

// Running reports whether a command that the journal names is still at work: the
// process that began it is there and alive.
func Running(r journal.Run) bool {
	p, err := readProcess(r.PID)
	return err == nil && (r.Start == 0 || p.start == r.Start) && p.state != dead && p.state != deadToo
}

// nowTicks is the time since boot in clock ticks, as it stands in the start of a
// process that starts now.
func nowTicks() uint64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0
	}
	return uint64(time.Duration(ts.Nano()) / (time.Second / ticksPerSecond))
}

// ticksPerSecond is the same on every Linux that Go runs on.
const ticksPerSecond = 100

// startedAfter reports whether a process was started after a time since boot. The
// start is known to a tick; within that the answer is no.
func startedAfter(pid int, boot time.Duration) bool {
	ticks, err := startTicks(pid)
	return err == nil && time.Duration(ticks)*(time.Second/ticksPerSecond) > boot
}

// RanAt reports whether the process that a longrun has now was there at a time since
// boot. What cannot be found out is no.
func (d *Dir) RanAt(slot Slot, boot time.Duration) bool {
	st, err := s6.ReadStatus(d.Servicedir(slot))
	if err != nil || !st.Up() {
		return false
	}
	ticks, err := startTicks(st.PID)
	const tick = time.Second / ticksPerSecond
	return err == nil && time.Duration(ticks+1)*tick <= boot
}

// CheckEpoch reports an error that wraps [ErrStale] if the directory was made for
// another life of the supervision tree than the present one, and [s6.ErrNotRunning]
// if there is none at present.
func (d *Dir) CheckEpoch(e journal.Epoch) error {
	now, err := CurrentEpoch(d.scandir)
	if errors.Is(err, fs.ErrPermission) {
		now, err = visibleEpoch(e)
	}
	if err != nil {
		return err
	}
	if now.PID == 0 {
		e.PID, e.Start = 0, 0
	}
	if now != e {
		return fmt.Errorf("cannot use live directory %s: %w", d.path, ErrStale)
	}
	return nil
}

// visibleEpoch is for those who may not ask for s6-svscan: it is e, if everybody can
// see that its s6-svscan is there.
func visibleEpoch(e journal.Epoch) (journal.Epoch, error) {
	boot, err := bootID()
	if err != nil {
		return journal.Epoch{}, err
	}
	now := journal.Epoch{Boot: boot}
	if _, err := readProcess(1); err != nil || e.PID == 0 {
		return now, nil // the processes of others are hidden from us
	}
	p, err := readProcess(e.PID)
	if err == nil {
		now.PID, now.Start = e.PID, p.start
	} else {
		now.PID = -1
	}
	return now, nil
}
