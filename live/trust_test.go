package live_test

import (
	"os"
	"path/filepath"
	"testing"

	"strata/live"
)

func TestTrust(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: other users have nobody to refuse")
	}
	dir := t.TempDir()
	for _, c := range []struct {
		name  string
		mode  os.FileMode
		owner int
		dir   bool
		ok    bool
	}{
		{"ours", 0o644, 0, false, true},
		{"everyone's", 0o666, 0, false, false},
		{"another's", 0o600, 12345, false, false},
		{"a directory of ours", 0o755, 0, true, true},
		{"everyone's directory", 0o777, 0, true, false},
		{"a sticky directory", 0o777 | os.ModeSticky, 0, true, true},
		{"another's sticky directory", 0o777 | os.ModeSticky, 12345, true, false},
	} {
		path := filepath.Join(dir, c.name)
		make := func() error { return os.WriteFile(path, nil, 0o600) }
		if c.dir {
			make = func() error { return os.Mkdir(path, 0o700) }
		}
		if err := make(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, c.owner, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		if err := live.Trust(path); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
