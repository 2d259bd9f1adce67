package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// On a full disk the old database stays as it is and nothing else is left. The
// disk is a small tmpfs in a mount namespace of its own.
func TestCompileFullDisk(t *testing.T) {
	onSmallDisk(t, map[string]string{
		"small/a.toml":          "type = \"oneshot\"\nup = [\"true\"]\n",
		"large/a/service.toml":  "type = \"longrun\"\nrun = [\"true\"]\n",
		"large/a/data/file":     strings.Repeat("0123456789abcdef", 20_000),
		"s6rc/a/type":           "longrun\n",
		"s6rc/a/run":            "#!/bin/sh\n",
		"s6rc/a/data/large.txt": strings.Repeat("0123456789abcdef", 20_000),
	}, `set -eu
		mount -t tmpfs -o size=128k tmpfs "$DISK"
		rc-compile -o "$DISK/db" small >/dev/null
		cp "$DISK/db" before
		code=0; rc-compile -o "$DISK/db" large 2>message || code=$?
		test $code = 111
		grep -qx "rc-compile: cannot write $DISK/db: no space left on device" message
		cmp "$DISK/db" before
		test "$(ls -A "$DISK")" = db
		code=0; s6-rc-compile "$DISK/new" s6rc 2>message || code=$?
		test $code = 111
		grep -qx "s6-rc-compile: cannot write $DISK/new: no space left on device" message
		test "$(ls -A "$DISK")" = db
		rc-compile -o "$DISK/db" small >/dev/null`)
}

// onSmallDisk runs a shell script among these files, in a mount namespace in which it
// can mount a disk on $DISK.
func onSmallDisk(t *testing.T, files map[string]string, script string) {
	t.Helper()
	unshare := []string{"-m"}
	if os.Geteuid() != 0 {
		unshare = []string{"-Urm"}
	}
	disk := t.TempDir()
	probe := exec.Command("unshare", append(unshare, "mount", "-t", "tmpfs", "tmpfs", disk)...)
	if out, err := probe.CombinedOutput(); err != nil {
		t.Skipf("needs a mount namespace: %v: %s", err, out)
	}
	src := t.TempDir()
	for path, content := range files {
		file := filepath.Join(src, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command("unshare", append(unshare, "sh", "-xc", script)...)
	c.Dir = src
	c.Env = append(os.Environ(), "DISK="+disk)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
