package tree

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"
)

// executable says why a program cannot be executed, as far as that can be known
// beforehand: s6-supervise sends no event when it cannot.
func executable(path string) error {
	if err := unix.Access(path, unix.X_OK); err != nil {
		return fmt.Errorf("cannot execute %s: %w", path, err)
	}
	var head [256]byte // what the kernel looks at
	n, err := readHead(path, head[:])
	if err != nil {
		return fmt.Errorf("cannot execute %s: %w", path, err)
	}
	interpreter, ok := shebang(head[:n])
	if !ok {
		return nil
	}
	if err := unix.Access(interpreter, unix.X_OK); err != nil {
		return fmt.Errorf("cannot execute %s: its interpreter %s: %w", path, interpreter, err)
	}
	return nil
}

// readHead reads the first bytes of a file: none if it may not be read, since it
// may be executed all the same. It is done for each start, so in few system calls.
func readHead(path string, head []byte) (int, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, nil
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Read(fd, head)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// shebang returns the interpreter that the first line names.
func shebang(head []byte) (string, bool) {
	rest, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		return "", false
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	words := bytes.Fields(line)
	if len(words) == 0 || words[0][0] != '/' {
		return "", false // relative to a directory that the kernel knows better
	}
	return string(words[0]), true
}
