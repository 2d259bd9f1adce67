package tree

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// programs says why programs cannot be executed, as far as that can be known
// beforehand: s6-supervise sends no event when it cannot. Interpreters that are fine
// are looked at once; others may come with what is being started.
type programs struct {
	fine sync.Map // by path
}

// check looks at a program that will be executed in the directory dir.
func (p *programs) check(dir, path string) error {
	if err := p.look(dir, path, maxInterpreters); err != nil {
		return fmt.Errorf("cannot execute %s: %w", path, err)
	}
	return nil
}

// maxInterpreters is how many the kernel takes one after the other.
const maxInterpreters = 5

func (p *programs) look(dir, path string, depth int) error {
	what, next, err := examine(path)
	if err != nil || next == "" {
		return err
	}
	if _, fine := p.fine.Load(next); fine {
		return nil
	}
	if depth == 0 {
		return errors.New("too many interpreters of interpreters")
	}
	abs := next
	if !filepath.IsAbs(next) {
		abs = filepath.Join(dir, next)
	}
	if err := p.look(dir, abs, depth-1); err != nil {
		return fmt.Errorf("its %s %q: %w", what, next, err)
	}
	if abs == next {
		p.fine.Store(next, true)
	}
	return nil
}

// errNoProgram is why what is neither is not executed.
var errNoProgram = errors.New("it is neither a script, with a first line that begins with #!, nor a program")

// examine looks at one file, and says which other one the kernel needs to execute
// it.
func examine(path string) (what, next string, err error) {
	if err := unix.Access(path, unix.X_OK); err != nil {
		var fs unix.Statfs_t
		if err == unix.EACCES && unix.Statfs(path, &fs) == nil && fs.Flags&unix.ST_NOEXEC != 0 {
			return "", "", fmt.Errorf("it is on a file system that is mounted noexec: %w", err)
		}
		return "", "", err
	}
	var head [256]byte // what the kernel looks at
	n, err := readHead(path, head[:])
	if err != nil || n < 0 {
		return "", "", err
	}
	switch start := head[:n]; {
	case bytes.HasPrefix(start, []byte("#!")):
		return "interpreter", shebang(start), nil
	case bytes.HasPrefix(start, []byte(elf.ELFMAG)):
		next, err := loader(path)
		return "loader", next, err
	case !otherFormats():
		return "", "", errNoProgram
	}
	return "", "", nil
}

// readHead reads the first bytes of a file. The number is -1 if it may not be read:
// it may be executed all the same. It is done for each start, so in few system
// calls.
func readHead(path string, head []byte) (int, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, nil
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Read(fd, head)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// shebang returns the interpreter that the first line names, as the kernel finds
// it; empty if there is none.
func shebang(head []byte) string {
	line, _, _ := bytes.Cut(head[len("#!"):], []byte("\n"))
	line = bytes.TrimLeft(line, " \t")
	if end := bytes.IndexAny(line, " \t\x00"); end >= 0 {
		line = line[:end]
	}
	return string(line)
}

// loader returns the dynamic loader that a program names; empty if it needs none. It
// is an error if the program is one for other machines.
func loader(path string) (string, error) {
	f, err := elf.Open(path)
	if err != nil {
		return "", nil // the kernel knows better
	}
	defer f.Close()
	if !native(f.Machine) && !otherFormats() {
		return "", fmt.Errorf("it is a program for another machine (%v)", f.Machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP && p.Filesz < unix.PathMax {
			name, err := io.ReadAll(p.Open())
			if err != nil {
				return "", nil
			}
			return string(bytes.TrimRight(name, "\x00")), nil
		}
	}
	return "", nil
}

// native reports whether this machine may run programs for m, in its own mode or in
// that of its predecessor. For machines that are not listed it is true.
func native(m elf.Machine) bool {
	switch runtime.GOARCH {
	case "amd64":
		return m == elf.EM_X86_64 || m == elf.EM_386
	case "386":
		return m == elf.EM_386
	case "arm64":
		return m == elf.EM_AARCH64 || m == elf.EM_ARM
	case "arm":
		return m == elf.EM_ARM
	case "riscv64":
		return m == elf.EM_RISCV
	}
	return true
}

// otherFormats reports whether the kernel was told how to execute further formats.
func otherFormats() bool {
	entries, err := os.ReadDir("/proc/sys/fs/binfmt_misc")
	return err == nil && len(entries) > len([]string{"register", "status"})
}
