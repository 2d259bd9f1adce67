package source

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/internal/diag"
)

func TestSources(t *testing.T) {
	good := tree{"a/type": "oneshot", "a/up": ""}.write(t)
	odd := tree{"file": "", "loop": "-> loop", "link": "-> " + good, "empty/": "", "dangling": "-> nowhere"}.write(t)
	for _, c := range []struct {
		path, want string
		system     bool
	}{
		{good, "", false},
		{good + "/", "", false},
		{odd + "/link", "", false},
		{odd + "/empty", "~source-empty", false},
		{odd + "/file", "source-unreadable", true},
		{odd + "/loop", "source-unreadable", true},
		{odd + "/missing", "source-unreadable", true},
		{odd + "/dangling", "source-unreadable", true},
		{"", "source-unreadable", true},
		{"a\x00b", "source-unreadable", true},
		{odd, "source-unreadable type-missing type-missing source-unreadable", false},
	} {
		_, diags := Read(context.Background(), []Dir{{Path: c.path}}, Options{})
		if got := codes(diags); got != c.want || diags.SystemOnly() != c.system {
			t.Errorf("%s: got %q, %v; want %q", c.path, got, diags, c.want)
		}
	}
}

func TestTopLevel(t *testing.T) {
	tr := tree{
		"b/type": "oneshot", "b/up": "", "a/type": "bundle", "a/contents": "b", "a-b/service.toml": "type = \"longrun\"\nrun = [\"x\"]\n",
		"a.toml": "type = \"oneshot\"\nup = [\"x\"]\n", "README": "", ".hidden/type": "no", ".x.toml": "no", "c.toml~": "",
		"link": "-> b", "s6rc-x/type": "oneshot", "s6-rc-y": "", "s6rc-z.toml": "", "new\nline": "", "s6rc": "",
	}
	set, diags := tr.read(t, Options{})
	if got := codes(diags); got != "newline-in-name reserved-prefix reserved-prefix reserved-prefix" {
		t.Errorf("got %q", got)
	}
	var got []string
	for _, d := range set.Definitions {
		got = append(got, fmt.Sprintf("%s %v %v", d.Name, d.Kind, d.TOML))
	}
	want := []string{"a bundle false", "a oneshot true", "a-b longrun true", "b oneshot false", "link oneshot false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	set, diags = tr.read(t, Options{S6RC: true})
	if len(set.Definitions) != 3 || strings.Join(set.Broken, " ") != "a-b" || !strings.Contains(codes(diags), "type-unreadable") {
		t.Errorf("as s6-rc: %d definitions, broken %q, %v", len(set.Definitions), set.Broken, diags)
	}
	_, diags = tree{"x/type": "oneshot", "x/up": "", "x/service.toml": ""}.read(t, Options{})
	if codes(diags) != "two-definitions" {
		t.Errorf("two formats: %v", diags)
	}
	_, diags = tree{"x/type": "oneshot", "x/up": "", "x/service.toml": ""}.read(t, Options{S6RC: true})
	if codes(diags) != "" {
		t.Errorf("service.toml as s6-rc: %v", diags)
	}
}

// TestOrder checks that the result depends neither on the number of jobs nor on
// the order in which files were made.
func TestOrder(t *testing.T) {
	one, two := tree{}, tree{}
	for i := range 60 {
		name := fmt.Sprintf("s%d", i%41)
		switch i % 3 {
		case 0:
			one[name+"/type"], one[name+"/run"], one[name+"/data/x"] = "longrun", fmt.Sprint(i%7), fmt.Sprint(i%5)
		case 1:
			one[name+".toml"] = "type = \"oneshot\"\nup = [\"x\"]\nbad = 1\n"
		default:
			two[name+"/type"], two[name+"/up"] = "oneshot", "{"
		}
	}
	dirs := []Dir{{Path: one.write(t), Label: "x"}, {Path: two.write(t)}}
	set1, diags1 := Read(context.Background(), dirs, Options{Jobs: 1})
	set8, diags8 := Read(context.Background(), dirs, Options{Jobs: 8})
	if diff := cmp.Diff(set1, set8); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(diags1, diags8); diff != "" {
		t.Error(diff)
	}
	for i, d := range set1.Definitions[1:] {
		before := set1.Definitions[i]
		if d.Source < before.Source || d.Source == before.Source && d.Name < before.Name {
			t.Errorf("%d %s stands behind %d %s", d.Source, d.Name, before.Source, before.Name)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, diags := Read(ctx, []Dir{{Path: tree{"x/type": "bundle"}.write(t)}}, Options{})
	if codes(diags) != "interrupted" || !diags.SystemOnly() {
		t.Errorf("got %v", diags)
	}
}

func TestTrees(t *testing.T) {
	dir := tree{
		"x/type": "longrun", "x/run": "r", "x/data/b/.hid": "hidden", "x/data/b/sub/": "", "x/data/a": "aaa", "x/data/l": "-> /etc/passwd",
		"x/data/gone": "-> nowhere", "x/env": "-> data", "x/template/run": "aaa",
	}.write(t)
	if err := unix.Mkfifo(filepath.Join(dir, "x/data/pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]uint32{"a": 0o4755, "b": 0o2755, "b/sub": 0o1777, "pipe": 0o640, "b/.hid": 0o644} {
		if err := unix.Chmod(filepath.Join(dir, "x/data", path), mode); err != nil {
			t.Fatal(err)
		}
	}
	set, diags := Read(context.Background(), []Dir{{Path: dir}}, Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	var got []string
	for _, e := range set.Definitions[0].Body.Files {
		content := string(set.Blobs[e.Blob])
		got = append(got, fmt.Sprintf("%s %d %04o %s%s", e.Path, e.Kind, e.Mode, content, e.Target))
		if e.Owner != (db.Owner{}) {
			t.Errorf("%s: owner %+v", e.Path, e.Owner)
		}
	}
	want := []string{
		"data 2 0755 ", "data/a 1 4755 aaa", "data/b 2 2755 ", "data/b/.hid 1 0644 hidden", "data/b/sub 2 1777 ", "data/gone 3 0777 nowhere",
		"data/l 3 0777 /etc/passwd", "data/pipe 4 0640 ", "env 3 0777 data", "template 2 0755 ", "template/run 1 0644 aaa",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(set.Blobs) != 3 {
		t.Errorf("%d blobs, want each content once: 3", len(set.Blobs))
	}
}

// TestSpecialFiles checks that nothing waits for a writer, and that what cannot
// be copied is an error.
func TestSpecialFiles(t *testing.T) {
	dir := tree{"x/type": "longrun", "x/data/": "", "y/type": "oneshot", "z/type": "oneshot", "z/up": "-> /dev/null"}.write(t)
	for _, path := range []string{"x/run", "x/finish", "x/notification-fd", "x/dependencies", "y/up", "y/timeout-up", "k.toml"} {
		if err := unix.Mkfifo(filepath.Join(dir, path), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(dir, "x/data")) // a socket's path must be short
	l, err := net.Listen("unix", "s")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, diags := Read(context.Background(), []Dir{{Path: dir}}, Options{})
	want := "source-unreadable special-file list-unreadable copy-failed bad-uint run-not-regular stat-failed script-unreadable"
	if got := codes(diags); got != want {
		t.Errorf("got  %s\nwant %s\n%v", got, want, diags)
	}
	if diags.SystemOnly() || diags[0].System {
		t.Error("the content of a source is taken for a fault of the system")
	}
}

func TestUnreadable(t *testing.T) {
	base := tree{
		"a/type": "longrun", "a/run": "", "a/data/f": "", "b/type": "bundle", "b/contents.d/a": "", "b/flag-essential": "",
		"c.toml": "type = \"oneshot\"\nup = [\"x\"]\n",
	}
	for _, c := range []struct {
		path string
		mode uint32
		want string
	}{
		{"a/run", 0o755, ""},
		{"a/run", 0o700, "a/run"},
		{"a/data/f", 0o640, "a/data/f"},
		{"a/data", 0o750, "a/data"},
		{"b", 0o700, "b"},
		{"b/contents.d", 0o711, "b/contents.d"},
		{"b/contents.d/a", 0o600, ""},
		{"b/flag-essential", 0, ""},
		{"c.toml", 0o600, "c.toml"},
		{".", 0o700, "."},
		{"b/type", 0o600, "b/type"},
	} {
		dir := base.write(t)
		if err := unix.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Chmod(filepath.Join(dir, c.path), c.mode); err != nil {
			t.Fatal(err)
		}
		set, diags := Read(context.Background(), []Dir{{Path: dir}}, Options{})
		want := c.want
		if want != "" {
			want = filepath.Join(dir, want)
		}
		if set.Unreadable != want || diags.HasErrors() {
			t.Errorf("%s %o: got %q, want %q; %v", c.path, c.mode, set.Unreadable, want, diags)
		}
	}
}

// TestNoRights reads what the user has no right to.
func TestNoRights(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("needs an ordinary user: root may read everything")
	}
	dir := tree{"a/type": "longrun", "a/run": "", "a/finish": "", "a/data/f": "", "b/type": "oneshot", "c/type": "oneshot", "c/up": ""}.write(t)
	for _, path := range []string{"a/run", "a/finish", "a/data/f", "b", "c/type"} {
		if err := os.Chmod(filepath.Join(dir, path), 0); err != nil {
			t.Fatal(err)
		}
	}
	defer os.Chmod(filepath.Join(dir, "b"), 0o755)
	_, diags := Read(context.Background(), []Dir{{Path: dir}}, Options{})
	if got := codes(diags); got != "copy-failed ~finish-ignored source-unreadable source-unreadable type-unreadable" {
		t.Errorf("got %s", got)
	}
	if !diags.SystemOnly() {
		t.Errorf("not only the system's fault: %v", diags)
	}
}

// TestOwners checks the owners that are kept.
func TestOwners(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it gives files away")
	}
	dir := tree{"x/type": "longrun", "x/run": "", "x/data/f": "", "x/data/g": "", "x/data/l": "-> f"}.write(t)
	for path, ids := range map[string][2]int{"f": {1234, 0}, "g": {0, 55}, "l": {7, 8}} {
		if err := os.Lchown(filepath.Join(dir, "x/data", path), ids[0], ids[1]); err != nil {
			t.Fatal(err)
		}
	}
	set, _ := Read(context.Background(), []Dir{{Path: dir}}, Options{})
	want := map[string]db.Owner{
		"data": {}, "data/f": {Other: true, UID: 1234}, "data/g": {Other: true, GID: 55}, "data/l": {Other: true, UID: 7, GID: 8},
	}
	for _, e := range set.Definitions[0].Body.Files {
		if e.Owner != want[e.Path] {
			t.Errorf("%s: got %+v", e.Path, e.Owner)
		}
	}
}

// TestDeepTree checks the limit on nested directories, and that it is no fault of
// the system.
func TestDeepTree(t *testing.T) {
	for depth, want := range map[int]string{maxDepth - 1: "", maxDepth: "copy-failed"} {
		_, diags := tree{"x/type": "longrun", "x/run": "", "x/data" + strings.Repeat("/d", depth) + "/": ""}.read(t, Options{})
		if codes(diags) != want || diags.SystemOnly() {
			t.Errorf("%d: %v", depth, diags)
		}
	}
}

// TestFields checks that each field of a directory knows its file.
func TestFields(t *testing.T) {
	set, _ := tree{
		"x/type": "longrun", "x/run": "", "x/finish": "", "x/dependencies.d/a": "", "x/timeout-up": "1", "x/notification-fd": "3", "x/env/": "",
		"x/flag-essential": "", "x/down-signal": "SIGINT\n", "x/consumer-for": "b", "x/pipeline-name": "p", "x/flag-newpidns": "",
	}.read(t, Options{})
	dir := set.Dirs[0].Path
	want := FieldPos{}
	for field, file := range map[string]string{
		"type": "type", "run": "run", "finish": "finish", "needs": "dependencies.d", "timeout-up": "timeout-up", "notification-fd": "notification-fd",
		"env": "env", "essential": "flag-essential", "down-signal": "down-signal", "consumer-for": "consumer-for", "pipeline-name": "pipeline-name",
		"flag-newpidns": "flag-newpidns",
	} {
		want[field] = diag.Position{File: dir + "/x/" + file}
	}
	if diff := cmp.Diff(want, set.Definitions[0].FieldPos); diff != "" {
		t.Error(diff)
	}
}
