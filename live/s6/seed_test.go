package s6_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"strata/live/s6"
	"strata/live/s6/s6test"
)

// modes gives the modes and the group of the three parts.
func modes(t *testing.T, dir string) (m [3]uint32, gid int) {
	t.Helper()
	for i, name := range []string{"event", "supervise", "supervise/control"} {
		var st syscall.Stat_t
		if err := syscall.Lstat(filepath.Join(dir, name), &st); err != nil {
			t.Fatal(err)
		}
		m[i], gid = st.Mode&0o7777, int(st.Gid)
	}
	return m, gid
}

// What Seed makes is what the supervisor keeps, and what it would make itself.
func TestSeedIsKept(t *testing.T) {
	sc := s6test.New(t)
	group := s6.Perms{GID: os.Getegid(), Event: 0o1733, Supervise: 0o711, Control: 0o620}
	dir := sc.Make("a", s6test.Service{})
	for range 2 {
		if err := s6.Seed(dir, group); err != nil {
			t.Fatal(err)
		}
	}
	if err := s6.Link(testContext(t), sc.Dir, []s6.Entry{{Name: "a", Dir: dir}}, s6test.Limit); err != nil {
		t.Fatal(err)
	}
	mustWait(t, dir, s6.GoalUp())
	if m, _ := modes(t, dir); m != [3]uint32{0o1733, 0o711, 0o620} {
		t.Errorf("modes %o", m)
	}
	own := sc.Make("b", s6test.Service{})
	for _, part := range []string{"event", "supervise"} {
		if err := os.RemoveAll(filepath.Join(own, part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(own+"/event", 0o700); err != nil { // Link listens there
		t.Fatal(err)
	}
	if err := s6.Link(testContext(t), sc.Dir, []s6.Entry{{Name: "b", Dir: own}}, s6test.Limit); err != nil {
		t.Fatal(err)
	}
	p := s6.OwnerOnly()
	if m, _ := modes(t, own); m[1] != p.Supervise || m[2] != p.Control {
		t.Errorf("the supervisor's own modes are %o", m)
	}
}

func TestSeedGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: gives files to another group")
	}
	dir := t.TempDir()
	p := s6.OwnerOnly()
	p.GID, p.Supervise = 12345, 0o710
	if err := s6.Seed(dir, p); err != nil {
		t.Fatal(err)
	}
	if m, gid := modes(t, dir); m != [3]uint32{0o3730, 0o710, 0o600} || gid != 12345 {
		t.Errorf("modes %o, group %d", m, gid)
	}
}

func TestSeedRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*s6.Perms){
		"event":     func(p *s6.Perms) { p.Event = 0o777 },
		"supervise": func(p *s6.Perms) { p.Supervise = 0o755 },
		"control":   func(p *s6.Perms) { p.Control = 0o666 },
	} {
		p := s6.OwnerOnly()
		spoil(&p)
		if err := s6.Seed(t.TempDir(), p); err == nil {
			t.Errorf("a bad mode for %s was taken", name)
		}
	}
	// A link that stands there is not followed.
	dir, elsewhere := t.TempDir(), t.TempDir()
	if err := os.Symlink(elsewhere, filepath.Join(dir, "event")); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	if err := s6.Seed(dir, s6.OwnerOnly()); err == nil {
		t.Error("a link was taken for a directory")
	}
	if after, err := os.Stat(elsewhere); err != nil || after.Mode() != before.Mode() {
		t.Errorf("mode %v became %v, %v", before.Mode(), after.Mode(), err)
	}
	if err := s6.Seed(filepath.Join(dir, "none"), s6.OwnerOnly()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
}
