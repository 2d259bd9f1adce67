package runner

import (
	"bufio"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// beSmall makes the process use little memory: it is idle nearly always, and the
// machine has one for each tree.
func beSmall() {
	const (
		threads = 2  // while one starts a program, another serves
		percent = 20 // the heap is small: to collect it costs nothing
		limit   = 8 << 20
	)
	runtime.GOMAXPROCS(threads)
	debug.SetGCPercent(percent)
	debug.SetMemoryLimit(limit)
	giveBack()
}

// giveBack gives memory back to the system that is not needed at rest: what is
// free, and the pages of the program file, most of which only the start needed.
// Those that are needed again are mapped again.
func giveBack() {
	debug.FreeOSMemory()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	for _, m := range filePages(f, program) {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.start, m.size, unix.MADV_DONTNEED)
	}
}

// mapping is a range of addresses.
type mapping struct{ start, size uintptr }

// filePages reads the list of mappings and gives those of a file in which nothing
// can be written and nothing ever was: what they show is in the file.
func filePages(smaps io.Reader, file string) []mapping {
	var list []mapping
	var m mapping
	var candidate, clean bool
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) < 2:
		case fields[0] == "Anonymous:":
			clean = fields[1] == "0"
		case fields[0] == "Swap:":
			if candidate && clean && fields[1] == "0" {
				list = append(list, m)
			}
		case !strings.HasSuffix(fields[0], ":"):
			candidate, clean = false, false
			if len(fields) == 6 && fields[5] == file && (fields[1] == "r-xp" || fields[1] == "r--p") {
				m, candidate = parseMapping(fields[0])
			}
		}
	}
	return list
}

// parseMapping parses a range such as 400000-724000.
func parseMapping(s string) (mapping, bool) {
	from, to, _ := strings.Cut(s, "-")
	start, err := strconv.ParseUint(from, 16, 64)
	if err != nil {
		return mapping{}, false
	}
	end, err := strconv.ParseUint(to, 16, 64)
	return mapping{uintptr(start), uintptr(end - start)}, err == nil && end > start
}
