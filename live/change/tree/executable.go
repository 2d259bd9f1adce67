package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// executable says why a program cannot be executed, as far as that can be known
// beforehand: s6-supervise sends no event when it cannot.
func executable(path string) error {
	if err := unix.Access(path, unix.X_OK); err != nil {
		return fmt.Errorf("cannot execute %s: %w", path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil // it may be executed without being read
	}
	defer f.Close()
	head := make([]byte, 256) // what the kernel looks at
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
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
