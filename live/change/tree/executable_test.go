package tree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"strata/live/s6/s6test"
)

// foreignELF is the beginning of a program for a machine of class and number.
func foreignELF(machine byte) string {
	h := make([]byte, 64)
	copy(h, "\x7fELF\x02\x01\x01")
	h[16], h[18], h[20] = 2, machine, 1
	h[52], h[54], h[58] = 64, 56, 64
	return string(h)
}

func TestExecutable(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("second", "#! /nowhere/sh -e\n", 0o755)
	write("loop", "#!"+dir+"/loop\n", 0o755)
	write("local", "#!/bin/sh\n", 0o755)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const other = 0xf3 - 1 // no machine that tests run on
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		want       string // "" for an executable one
	}{
		{"script", "#!/bin/sh\n", 0o755, ""},
		{"blanks", "#! \t/bin/sh -e\n", 0o755, ""},
		{"relative", "#!local\n", 0o755, ""},
		{"unreadable", "#!/bin/sh\n", 0o111, ""},
		{"no line", "#!/bin/sh", 0o755, ""},
		{"missing interpreter", "#!/nowhere/sh\n", 0o755, `its interpreter "/nowhere/sh": no such file`},
		{"windows", "#!/bin/sh\r\n", 0o755, `its interpreter "/bin/sh\r": no such file`},
		{"interpreter of the interpreter", "#!" + dir + "/second\n", 0o755, `second": its interpreter "/nowhere/sh": no such file`},
		{"interpreter is a directory", "#!" + dir + "\n", 0o755, "is a directory"},
		{"loop", "#!" + dir + "/loop\n", 0o755, "too many"},
		{"no program", "echo hello\n", 0o755, "neither a script"},
		{"empty", "", 0o755, "neither a script"},
		{"mode", "#!/bin/sh\n", 0o644, "permission denied"},
		{"another machine", foreignELF(other), 0o755, "for another machine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "run")
			if err := errors.Join(os.WriteFile(path, []byte(c.text), 0o755), os.Chmod(path, c.mode)); err != nil {
				t.Fatal(err)
			}
			if otherFormats() && (strings.Contains(c.want, "neither") || strings.Contains(c.want, "machine")) {
				t.Skip("the kernel may execute this with binfmt_misc")
			}
			var p programs
			for range 2 { // the second time from memory
				err := p.check(dir, path)
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%v, want %q", err, c.want)
				}
			}
		})
	}
	var p programs
	for path, want := range map[string]error{self: nil, "/bin/sh": nil, filepath.Join(dir, "missing"): fs.ErrNotExist} {
		if err := p.check(dir, path); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := p.check(dir, dir); err == nil {
		t.Error("a directory can be executed")
	}
}

// An interpreter that was missing may come.
func TestExecutableLater(t *testing.T) {
	dir := t.TempDir()
	run, sh := filepath.Join(dir, "run"), filepath.Join(dir, "sh")
	if err := os.WriteFile(run, []byte("#!"+sh+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var p programs
	if err := p.check(dir, run); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := os.Symlink("/bin/sh", sh); err != nil {
		t.Fatal(err)
	}
	if err := p.check(dir, run); err != nil {
		t.Error(err)
	}
}

func TestExecutableNoexec(t *testing.T) {
	if !s6test.Mounts(t) {
		return
	}
	dir := s6test.NewDisk(t, 1<<20, 100).Dir
	if err := os.WriteFile(filepath.Join(dir, "run"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_NOEXEC|unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		t.Fatal(err)
	}
	if err := new(programs).check(dir, filepath.Join(dir, "run")); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "noexec") {
		t.Errorf("%v", err)
	}
}
