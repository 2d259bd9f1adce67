package benchtree

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Run runs a program. The error says what that said first. Nothing but the program is
// at work meanwhile: what it says goes to memory, not to a reader in this process.
func Run(ctx context.Context, program string, args ...string) error {
	fd, err := unix.MemfdCreate("stderr", unix.MFD_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("memfd_create", err)
	}
	said := os.NewFile(uintptr(fd), "stderr")
	defer said.Close()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = said
	if err := cmd.Run(); err != nil {
		const most = 1000
		text, _ := io.ReadAll(io.NewSectionReader(said, 0, most))
		first, _, _ := strings.Cut(string(text), "\n")
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(program), args[0], err, first)
	}
	return nil
}
