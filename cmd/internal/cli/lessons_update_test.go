package cli

import (
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/internal/syspoint"
	"strata/live/s6"
)

// lesson is a small update with all that these lessons need: a definition is switched,
// a service restarted, one renamed, one is new, and one goes.
var lesson = scene{
	name: "lesson", start: []string{"define", "again", "under", "was", "gone"},
	old: map[string]string{
		"define": daemon("define", "timeout-kill = 1000"), "again": daemon("1"), "under": daemon("under", needs("again")),
		"was": daemon("name"), "gone": daemon("gone"), "idle": daemon("idle"),
	},
	new: map[string]string{
		"define": daemon("define", "timeout-kill = 2000"), "again": daemon("2"), "under": daemon("under", needs("again")),
		"was-not": daemon("name"), "more": daemon("more"), "idle": daemon("idle"),
	},
	conv: "was -> was-not\n", back: "was-not -> was\n",
	stay: map[string]string{"define": "define", "was-not": "was"},
}

// TestL2RunIsThere: at no moment of an update is there nothing that a supervisor could
// start again, if a daemon died just then.
func TestL2RunIsThere(t *testing.T) {
	t.Parallel()
	c := newCrash(t, lesson)
	c.fresh()
	var dirs []string
	for _, s := range c.state().Services {
		if s.Type == db.Longrun && s.Name != "gone" {
			dirs = append(dirs, c.dir.Servicedir(s.Slot))
		}
	}
	points := 0
	code, out := c.watched(func(p syspoint.Point) syspoint.Verdict {
		points++
		for _, dir := range dirs {
			if st, err := os.Stat(filepath.Join(dir, "run")); err != nil || st.Mode()&0o111 == 0 {
				t.Errorf("before %s: %v", c.pointName(p), err)
			}
		}
		return syspoint.Pass()
	}, c.update()...)
	if code != exitOK || points < 20 {
		t.Errorf("exit code %d after %d points\n%s", code, points, out)
	}
	c.expect("updated", c.after)
}

// TestL3RenamesFail: two services swap their names. Whichever of the renames that takes
// fails, with whatever error, the update can be gone on with, and nothing is stopped.
func TestL3RenamesFail(t *testing.T) {
	t.Parallel()
	c := newCrash(t, renames[0])
	errnos := []unix.Errno{unix.EXDEV, unix.EIO, unix.ENOSPC}
	failed := 0
	for n := 1; !t.Failed(); n++ {
		c.restore()
		errno, point, left := errnos[n%len(errnos)], "", n
		code, out := c.watched(func(p syspoint.Point) syspoint.Verdict {
			if !strings.HasPrefix(p.Call, "rename") {
				return syspoint.Pass()
			}
			if left--; left != 0 {
				return syspoint.Pass()
			}
			point = c.pointName(p)
			return syspoint.Fail(errno)
		}, c.update()...)
		if point == "" {
			break
		}
		failed++
		switch st := c.state(); {
		case code == exitSystem && !strings.Contains(out, errno.Error()):
			t.Errorf("%s: %v: exit code %d\n%s", point, errno, code, out)
		case st.Patch != nil:
			c.must("rc-update", "-l", c.live(), "--foreground", "--resume")
		case st.Content != c.newContent: // it was taken back
			c.must("rc-update", c.update()...)
		default: // it was something that can wait
			c.must("rc-update", "-l", c.live(), "--foreground", "new.db")
		}
		c.expect(point+": "+errno.Error(), c.after)
		c.stays(point, c.stay)
	}
	if failed < 3 {
		t.Errorf("only %d renames", failed)
	}
}

// TestL9RefusedIsNothing: an update that is refused leaves the live directory as it was,
// and so does another command while one is under way, which is told so.
func TestL9RefusedIsNothing(t *testing.T) {
	t.Parallel()
	c := newCrash(t, lesson)
	c.fresh()
	damaged, err := os.ReadFile(filepath.Join(c.Root, "new.db"))
	if err != nil {
		t.Fatal(err)
	}
	damaged[len(damaged)/2] ^= 1
	c.file("damaged.db", string(damaged))
	c.file("unknown", "nobody -> somebody\n")
	c.file("essential/define.toml", daemon("define", `flags = ["essential"]`))
	c.must("rc-update", "-l", c.live(), "--plan", "patch", "-f", "conv", "new.db")
	c.must("rc-ctl", "-l", c.live(), "start", "idle")
	before := c.takePicture()
	for _, tt := range []struct {
		code int
		args []string
	}{
		{exitInvalid, []string{"damaged.db"}},
		{exitSystem, []string{"nowhere.db"}},
		{exitUnknown, []string{"-f", "unknown", "new.db"}},
		{exitInvalid, []string{"--apply", "patch"}}, // of another state
		{exitUsage, []string{"--policy", "none", "new.db"}},
		{exitUsage, []string{"--resume"}},
	} {
		code, out := c.call(nil, "rc-update", append([]string{"-l", c.live()}, tt.args...)...)
		if code != tt.code || strings.Count(out, "\n") != 1 {
			t.Errorf("%q: exit code %d, want %d\n%s", tt.args, code, tt.code, out)
		}
		c.same(strings.Join(tt.args, " "), before, c.takePicture())
	}
	n, tried := 0, 0
	code, out := c.watched(func(p syspoint.Point) syspoint.Verdict {
		const each = 10
		if n++; n%each == 0 && c.state().Patch != nil {
			tried++
			for _, args := range [][]string{{"rc-ctl", "-l", c.live(), "stop", "idle"}, {"rc-update", "-l", c.live(), "old.db"}} {
				if code, out := c.call(nil, args[0], args[1:]...); code != exitSystem || !strings.Contains(out, "cannot lock") {
					t.Errorf("%q at %s: exit code %d\n%s", args, c.pointName(p), code, out)
				}
			}
		}
		return syspoint.Pass()
	}, c.update()...)
	if code != exitOK || tried == 0 {
		t.Errorf("exit code %d, disturbed %d times\n%s", code, tried, out)
	}
	if got := c.state(); got.Patch != nil || got.Content != c.newContent {
		t.Errorf("patch %v, content %s", got.Patch, got.Content.Short())
	}
}

// TestL11Formats: a database or a live directory of another release is refused with what
// to do, nothing is done to it, and all that it supervises can still be stopped.
func TestL11Formats(t *testing.T) {
	t.Parallel()
	c := newCrash(t, lesson)
	c.fresh()
	b, err := os.ReadFile(filepath.Join(c.Root, "new.db"))
	if err != nil {
		t.Fatal(err)
	}
	c.file("other.db", string(otherRelease(t, b)))
	before := c.takePicture()
	code, out := c.call(nil, "rc-update", "-l", c.live(), "other.db")
	if code != exitInvalid || !strings.Contains(out, "compile it again") {
		t.Errorf("a database of another release: exit code %d\n%s", code, out)
	}
	c.same("a database of another release", before, c.takePicture())

	pids := c.processes()
	c.file(c.live()+"/format", "strata-live/0\n")
	for _, args := range [][]string{{"rc-update", "-l", c.live(), "new.db"}, {"rc-ctl", "-l", c.live(), "start", "idle"}, {"rc-ctl", "-l", c.live(), "list"}} {
		if code, out := c.call(nil, args[0], args[1:]...); code != exitInvalid || !strings.Contains(out, "strata-live/0") || !strings.Contains(out, "rc-init") {
			t.Errorf("%q of another release: exit code %d\n%s", args, code, out)
		}
	}
	if code, out := c.call(nil, "rc-ctl", "-l", c.live(), "change", "-D", "-a"); code != exitInvalid || !strings.Contains(out, "stopping everything") {
		t.Errorf("full stop: exit code %d\n%s", code, out)
	}
	for name, pid := range pids {
		if unix.Kill(pid, 0) == nil {
			t.Errorf("%s runs on", name)
		}
	}
	c.file(c.live()+"/format", "strata-live/1\n")
	for _, s := range c.state().Services {
		if st, err := s6.ReadStatus(c.dir.Servicedir(s.Slot)); s.Type == db.Longrun && (err != nil || st.Up()) {
			t.Errorf("%s is up, %v", s.Name, err)
		}
	}
}

// otherRelease makes a database one of the format after ours.
func otherRelease(t *testing.T, b []byte) []byte {
	t.Helper()
	const version = 16 // bytes before the digest at the end, with a zero and the length behind it
	end := len(b) - sha256.Size
	binary.LittleEndian.PutUint32(b[end-version:], binary.LittleEndian.Uint32(b[end-version:])+1)
	sum := sha256.Sum256(b[:end])
	return append(b[:end], sum[:]...)
}
