package source

import (
	"context"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"strata/compile/db"
)

// Links that lead through a file, or to the null device: what s6-rc takes as a
// file that is not there, or as an empty one.
func TestOddLinks(t *testing.T) {
	for _, c := range []struct{ file, target, want string }{
		{"run", "/dev/null", "run-not-regular"},
		{"finish", "/dev/null", ""},
		{"down-signal", "/dev/null", ""},
		{"finish", "type/x", "~finish-ignored"},
		{"down-signal", "type/x", "~signal-ignored"},
		{"reload-signal", "type/x", "~signal-ignored"},
		{"run", "type/x", "source-unreadable"},
		{"notification-fd", "type/x", "bad-uint"},
	} {
		tr := tree{"x/type": "longrun\n", "x/run": ""}
		tr["x/"+c.file] = "-> " + c.target
		set, diags := tr.read(t, Options{S6RC: true})
		if got := codes(diags); got != c.want {
			t.Errorf("%s -> %s: got %q, want %q", c.file, c.target, got, c.want)
		}
		if c.want == "~finish-ignored" && set.Definitions[0].Body.Finish.Form != db.NoProgram {
			t.Errorf("finish is there")
		}
	}
}

// The first file of each source that others can write to is noted, the source
// directory before all.
func TestWritable(t *testing.T) {
	base := tree{"a.toml": `type = "bundle"`, "b/type": "longrun", "b/run": "", "b/data/d/f": "", "c/type": "oneshot", "c/up": ""}
	for _, c := range []struct {
		paths       []string
		want        string
		definitions int
	}{
		{nil, "", 0},
		{[]string{"b/run"}, "b/run", 1},
		{[]string{"b/data/d/f", "c"}, "b/data/d/f", 2},
		{[]string{"c/up", "a.toml"}, "a.toml", 2},
		{[]string{"b", "."}, ".", 1},
	} {
		dir := base.write(t)
		if err := unix.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, p := range c.paths {
			if err := unix.Chmod(filepath.Join(dir, p), 0o777); err != nil {
				t.Fatal(err)
			}
		}
		other := tree{"z/type": "oneshot", "z/up": ""}.write(t)
		if err := unix.Chmod(other, 0o755); err != nil {
			t.Fatal(err)
		}
		set, _ := Read(context.Background(), []Dir{{Path: other}, {Path: dir}}, Options{})
		if c.want == "" {
			if len(set.Writable) != 0 {
				t.Errorf("%q: got %+v", c.paths, set.Writable)
			}
			continue
		}
		want := Writable{Path: filepath.Join(dir, c.want), By: "everyone", Source: 1, Definitions: c.definitions}
		if len(set.Writable) != 1 || set.Writable[0] != want {
			t.Errorf("%q: got %+v, want %+v", c.paths, set.Writable, want)
		}
	}
}
