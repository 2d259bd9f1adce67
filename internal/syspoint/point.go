package syspoint

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Point is a system call that is about to be made.
type Point struct {
	// Call is its name, or "system call" and its number.
	Call string
	// Paths are the files that it names, absolute, or relative to the program's
	// directory; of one on a descriptor what that is of.
	Paths []string
	// Kind says what the call does.
	Kind Kind
}

// Kind is a kind of system calls.
type Kind int

// The kinds of system calls.
const (
	Other Kind = iota // a message, a signal, or what is not known
	Make              // makes a file, a link or a directory, or a name
	Drop              // takes a name away
	Mode              // changes size, owner, mode or times
	Write             // writes to a file
	Tell              // writes to a FIFO or a socket
	Open              // opens for writing what is there
	Reach             // opens a FIFO, or what else is no file
	Sync              // has what was written kept
)

// Changes says whether anything is different after the call.
func (p Point) Changes() bool { return p.Kind != Open && p.Kind != Reach && p.Kind != Sync }

// Errors are those with which the call can fail if a disk is full, broken, or can only
// be read.
func (p Point) Errors() []unix.Errno {
	switch p.Kind {
	case Make:
		return []unix.Errno{unix.ENOSPC, unix.EIO, unix.EROFS}
	case Write, Sync:
		return []unix.Errno{unix.ENOSPC, unix.EIO}
	case Drop, Mode, Open:
		return []unix.Errno{unix.EIO, unix.EROFS}
	}
	return nil
}

// String is the call with its files.
func (p Point) String() string { return strings.TrimSpace(p.Call + " " + strings.Join(p.Paths, " ")) }

// call says how the arguments of a system call are read: by the places of a
// descriptor of a directory and the name that follows it, or of a descriptor.
type call struct {
	name  string
	kind  Kind
	names []int // places of directory descriptors
	text  int   // place of another string, -1 if there is none
	fd    int   // place of a descriptor, -1 if there is none
}

var calls = map[uint32]call{
	unix.SYS_OPENAT:          {"open", Open, []int{0}, -1, -1},
	unix.SYS_MKDIRAT:         {"mkdir", Make, []int{0}, -1, -1},
	unix.SYS_MKNODAT:         {"mknod", Make, []int{0}, -1, -1},
	unix.SYS_SYMLINKAT:       {"symlink", Make, []int{1}, 0, -1},
	unix.SYS_LINKAT:          {"link", Make, []int{0, 2}, -1, -1},
	sysRenameat:              {"rename", Make, []int{0, 2}, -1, -1},
	unix.SYS_RENAMEAT2:       {"rename", Make, []int{0, 2}, -1, -1},
	unix.SYS_UNLINKAT:        {"unlink", Drop, []int{0}, -1, -1},
	unix.SYS_FCHMODAT:        {"chmod", Mode, []int{0}, -1, -1},
	unix.SYS_FCHOWNAT:        {"chown", Mode, []int{0}, -1, -1},
	unix.SYS_UTIMENSAT:       {"utimens", Mode, []int{0}, -1, -1},
	unix.SYS_FCHMOD:          {"chmod", Mode, nil, -1, 0},
	unix.SYS_FCHOWN:          {"chown", Mode, nil, -1, 0},
	unix.SYS_WRITE:           {"write", Write, nil, -1, 0},
	unix.SYS_PWRITE64:        {"write", Write, nil, -1, 0},
	unix.SYS_WRITEV:          {"write", Write, nil, -1, 0},
	unix.SYS_FTRUNCATE:       {"truncate", Mode, nil, -1, 0},
	unix.SYS_FALLOCATE:       {"allocate", Write, nil, -1, 0},
	unix.SYS_FSYNC:           {"sync", Sync, nil, -1, 0},
	unix.SYS_FDATASYNC:       {"sync", Sync, nil, -1, 0},
	unix.SYS_SENDMSG:         {"send", Tell, nil, -1, 0},
	unix.SYS_SENDTO:          {"send", Tell, nil, -1, 0},
	unix.SYS_EXECVE:          {"execute", Other, nil, 0, -1},
	unix.SYS_COPY_FILE_RANGE: {"copy", Write, nil, -1, 2},
	unix.SYS_SENDFILE:        {"copy", Write, nil, -1, 0},

	unix.SYS_PIDFD_SEND_SIGNAL: {"signal", Other, nil, -1, -1},
	unix.SYS_KILL:              {"signal", Other, nil, -1, -1},
}

// decode reads a system call of a thread.
func decode(thread int, number uint32, args [6]uint64) Point {
	c, known := calls[number]
	if !known {
		return Point{Call: fmt.Sprintf("system call %d", number)}
	}
	p := Point{Call: c.name, Kind: c.kind}
	if c.text >= 0 {
		p.Paths = append(p.Paths, text(thread, args[c.text]))
	}
	for _, at := range c.names {
		name := text(thread, args[at+1])
		if dir := int32(args[at]); dir != unix.AT_FDCWD && !filepath.IsAbs(name) {
			name = filepath.Join(descriptor(thread, int(dir)), name)
		}
		p.Paths = append(p.Paths, name)
	}
	if c.fd >= 0 {
		p.Paths = append(p.Paths, descriptor(thread, int(args[c.fd])))
	}
	switch {
	case number == unix.SYS_OPENAT && args[2]&(unix.O_CREAT|unix.O_TRUNC) != 0:
		p.Kind = Make
	case p.Kind == Open && !regular(p.Paths[0]):
		p.Kind = Reach
	case p.Kind == Write && !regular(p.Paths[0]):
		p.Kind = Tell
	}
	return p
}

// regular says whether a descriptor that is of path is of a file that holds something.
func regular(path string) bool {
	info, err := os.Stat(path)
	return filepath.IsAbs(path) && (err != nil || info.Mode().IsRegular())
}

// descriptor is what a descriptor is of.
func descriptor(thread, fd int) string {
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", thread, fd))
	if err != nil {
		return fmt.Sprintf("descriptor %d", fd)
	}
	return name
}

// text reads a string of a thread.
func text(thread int, address uint64) string {
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", thread))
	if err != nil {
		return "?"
	}
	defer mem.Close()
	buf := make([]byte, unix.PathMax)
	n, _ := mem.ReadAt(buf, int64(address)) // up to the end of its memory
	name, _, found := bytes.Cut(buf[:n], []byte{0})
	if !found {
		return "?"
	}
	return string(name)
}

// own says whether a call only reaches the program itself, or whoever reads what it
// has to say.
func own(thread int, number uint32, args [6]uint64) bool {
	if number != unix.SYS_WRITE {
		return false
	}
	const lastStandard = 2
	return args[0] <= lastStandard || strings.HasPrefix(descriptor(thread, int(args[0])), "anon_inode:[eventfd")
}
