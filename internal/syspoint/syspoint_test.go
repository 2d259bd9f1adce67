package syspoint

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// tester is the first argument with which the test binary is the watched program.
const tester = "tester"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == Command {
		fmt.Fprintln(os.Stderr, Main(os.Args[2:]))
		os.Exit(1)
	}
	if len(os.Args) > 2 && os.Args[1] == tester {
		if err := change(os.Args[2]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// change changes something in a directory, in several ways.
func change(dir string) error {
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, do := range []func() error{
		func() error { return os.Mkdir(a, 0o755) },
		func() error { return os.Rename(a, b) },
		func() error { return os.WriteFile(filepath.Join(b, "file"), []byte("text"), 0o600) },
		func() error { return os.Symlink("b", a) },
		func() error { return os.Chmod(b, 0o700) },
		func() error { return os.Remove(a) },
		func() error { return unix.Mkfifo(a, 0o600) },
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// watched runs the program, and gives what it says, and its points, without the
// directory's name.
func watched(t *testing.T, decide func(n int, p Point) Verdict) (dir, said string, points []string, code int) {
	t.Helper()
	if err := Unsupported(); err != nil {
		t.Skipf("needs seccomp: %v", err)
	}
	dir = t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, tester, dir)
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	c.Stdout, c.Stderr = out, out
	err = Run(c, func(p Point) Verdict {
		for i, path := range p.Paths {
			if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsAbs(path) {
				p.Paths[i] = rel
			}
		}
		points = append(points, p.String())
		return decide(len(points), p)
	})
	text, readErr := os.ReadFile(out.Name())
	if readErr != nil {
		t.Fatal(readErr)
	}
	if c.ProcessState == nil {
		t.Fatalf("%v: %s", err, text)
	}
	return dir, string(text), points, c.ProcessState.ExitCode()
}

var wantPoints = []string{"mkdir a", "rename a b", "open b/file", "write b/file", "symlink b a", "chmod b", "unlink a", "mknod a"}

func TestPoints(t *testing.T) {
	_, said, points, code := watched(t, func(int, Point) Verdict { return Pass() })
	if code != 0 || !slices.Equal(points, wantPoints) {
		t.Errorf("exit code %d, %s\npoints %q\nwant   %q", code, said, points, wantPoints)
	}
}

func TestKilled(t *testing.T) {
	for n := range len(wantPoints) {
		dir, said, points, code := watched(t, func(k int, _ Point) Verdict {
			if k == n+1 {
				return Kill()
			}
			return Pass()
		})
		if code != -1 || len(points) != n+1 {
			t.Errorf("killed at %d: exit code %d, %s, points %q", n, code, said, points)
		}
		_, err := os.Lstat(filepath.Join(dir, "b"))
		if made := err == nil; made != (n > 1) {
			t.Errorf("killed at %s: b is there: %t", wantPoints[n], made)
		}
	}
}

func TestFails(t *testing.T) {
	for n, point := range wantPoints {
		_, said, _, code := watched(t, func(k int, _ Point) Verdict {
			if k == n+1 {
				return Fail(unix.ENOSPC)
			}
			return Pass()
		})
		if code != 1 || !strings.HasSuffix(said, "no space left on device\n") {
			t.Errorf("%s fails: exit code %d, %q", point, code, said)
		}
	}
}
