package source

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// errNotRegular is what reading something that is neither a file nor the null
// device gives: a FIFO, a socket, a disk.
var errNotRegular = errors.New("not a regular file")

// dirent is an entry of a directory: its name, and its type (unix.DT_*) as far as
// the file system tells.
type dirent struct {
	name string
	typ  uint8
}

// openDir opens a directory below at, following links.
func openDir(at int, name string) (int, error) {
	return openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY)
}

// openat opens a file without waiting for anything: of a FIFO it would else wait
// for a writer.
func openat(at int, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(at, name, flags|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// list returns the entries of an open directory in the order of their names,
// those with a leading dot only if dots is set. buf is scratch space.
func list(fd int, buf []byte, dots bool) ([]dirent, error) {
	var entries []dirent
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n <= 0 {
			break
		}
		entries = appendDirents(entries, buf[:n], dots)
	}
	slices.SortFunc(entries, func(a, b dirent) int { return strings.Compare(a.name, b.name) })
	return entries, nil
}

// appendDirents reads records of getdents64: inode and offset (8 bytes each), length
// (2), type (1), and the name, which ends with a NUL.
func appendDirents(entries []dirent, b []byte, dots bool) []dirent {
	const header = 19
	for len(b) > header {
		size := int(binary.NativeEndian.Uint16(b[16:]))
		if size <= header || size > len(b) {
			break
		}
		name := b[header:size]
		if i := slices.Index(name, 0); i >= 0 {
			name = name[:i]
		}
		hidden := len(name) > 0 && name[0] == '.'
		self := string(name) == "." || string(name) == ".."
		if !self && (dots || !hidden) {
			entries = append(entries, dirent{string(name), b[18]})
		}
		b = b[size:]
	}
	return entries
}

// readFD reads up to limit bytes of an open file into buf and returns them; the
// slice is valid until buf is used again. A limit below 0 is none. buf grows as
// needed.
func readFD(fd int, size int64, limit int, buf *[]byte) ([]byte, error) {
	want := int(min(size, 1<<30)) + 1
	if limit >= 0 {
		want = limit
	}
	if cap(*buf) < want {
		*buf = make([]byte, max(want, 4096))
	}
	b := (*buf)[:0]
	for limit < 0 || len(b) < limit {
		if len(b) == cap(b) {
			b = slices.Grow(b, len(b)+4096)
			*buf = b[:0]
		}
		end := cap(b)
		if limit >= 0 {
			end = min(end, limit)
		}
		n, err := unix.Read(fd, b[len(b):end])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n <= 0 {
			break
		}
		short := n < end-len(b)
		b = b[:len(b)+n]
		if short {
			break // a regular file gives less than asked for only at its end
		}
	}
	return b, nil
}

// nullDevice reports whether st is /dev/null, to which people link a file that is
// to count as empty.
func nullDevice(st *unix.Stat_t) bool {
	return st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == unix.Mkdev(1, 3)
}

// exists reports whether the name stands for something, links followed. A link to
// nothing is absent; a loop is an error.
func exists(at int, e dirent) (bool, error) {
	if e.typ != unix.DT_LNK && e.typ != unix.DT_UNKNOWN {
		return true, nil
	}
	var st unix.Stat_t
	err := unix.Fstatat(at, e.name, &st, 0)
	if absent(err) {
		return false, nil
	}
	return err == nil, err
}

// absent reports whether err says that there is no such file.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// system reports whether err is the system's fault rather than that of what lies
// in the source: a missing right or a broken disk, but not a directory in the
// place of a file or a link that leads in a circle.
func system(err error) bool {
	switch {
	case err == nil, absent(err), errors.Is(err, errNotRegular):
		return false
	}
	for _, e := range []error{unix.EISDIR, unix.ENOTDIR, unix.ELOOP, unix.ENAMETOOLONG, unix.ENXIO} {
		if errors.Is(err, e) {
			return false
		}
	}
	return true
}

// cause says in words what err is. It leaves out the path, which the message has.
func cause(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if errors.Is(err, unix.ELOOP) {
		return "the link leads in a circle"
	}
	return err.Error()
}
