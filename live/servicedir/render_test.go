package servicedir_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"strata/compile/db"
	"strata/live/servicedir"
)

// show prints a tree one entry a line, with short contents.
func show(t servicedir.Tree) []string {
	var lines []string
	for _, f := range t {
		switch f.Kind {
		case db.Directory:
			lines = append(lines, fmt.Sprintf("%s d %04o", f.Path, f.Mode))
		case db.Link:
			lines = append(lines, f.Path+" -> "+f.Target)
		case db.FIFO:
			lines = append(lines, fmt.Sprintf("%s p %04o", f.Path, f.Mode))
		default:
			what := fmt.Sprintf("%q", f.Content)
			if f.Generated {
				what = "generated"
			}
			lines = append(lines, fmt.Sprintf("%s f %04o %s", f.Path, f.Mode, what))
		}
	}
	return lines
}

func set(n uint32) db.Uint { return db.Uint{Set: true, Value: n} }

func argv(words ...string) db.Program { return db.Program{Form: db.Argv, Argv: words} }

// everything is a longrun with all that a directory definition can have.
func everything(blobs db.Blobs) *db.Service {
	script := func(text string) db.Program { return db.Program{Form: db.Script, Script: blobs.Add([]byte(text))} }
	return &db.Service{
		Name: "x", Type: db.Longrun, Consumer: db.None, Run: script("R"), Finish: script("F"),
		NotificationFD: set(3), LockFD: set(4), TimeoutKill: set(0), TimeoutFinish: set(5000), MaxDeathTally: set(7),
		DownSignal: []byte("SIGHUP"), ReloadSignal: []byte{}, TimeoutKillPG: true, NewPIDNS: true,
		Files: []db.Entry{
			{Path: "data", Kind: db.Directory, Mode: 0o2750},
			{Path: "data/fifo", Kind: db.FIFO, Mode: 0o622},
			{Path: "data/l", Kind: db.Link, Target: "../run"},
			{Path: "env", Kind: db.Link, Target: "/etc/x"},
			{Path: "template", Kind: db.Directory, Mode: 0o755},
			{Path: "template/run", Kind: db.File, Mode: 0o700, Blob: blobs.Add([]byte("T"))},
		},
	}
}

func TestRender(t *testing.T) {
	blobs := db.Blobs{}
	get := func(d db.Digest) ([]byte, error) { return blobs[d], nil }
	full := everything(blobs)
	toml := &db.Service{Name: "t", Type: db.Longrun, Consumer: db.None, Run: argv("sleep", "1"), Finish: argv("true")}
	both := &db.Service{
		Name: "b", Type: db.Longrun, Consumer: db.None, Run: full.Run,
		Exec: db.Exec{User: "nobody", RunBefore: full.Finish},
	}
	oneshot := &db.Service{Name: "o", Type: db.Oneshot, Up: full.Run, Down: argv("x"), Reload: argv()}
	pipes := servicedir.Pipes{Read: "pipe:r", Write: "pipe:w", Socket: "../2/s"}
	rest := []string{
		"data d 2750", "data/fifo p 0622", "data/l -> ../run", `down-signal f 0644 "SIGHUP"`, "env -> /etc/x",
	}
	flags := []string{`flag-newpidns f 0644 ""`, `flag-timeout-killpg f 0644 ""`}
	inst := []string{"instance d 0755", "instances d 0755"}
	numbers := []string{`max-death-tally f 0644 "7\n"`, `notification-fd f 0644 "3\n"`, `reload-signal f 0644 ""`}
	tail := []string{"template d 0755", `template/run f 0700 "T"`, `timeout-finish f 0644 "5000\n"`, `timeout-kill f 0644 "0\n"`}
	join := func(parts ...any) []string {
		var all []string
		for _, p := range parts {
			switch p := p.(type) {
			case string:
				all = append(all, p)
			case []string:
				all = append(all, p...)
			}
		}
		return all
	}
	private := func(lines []string) []string {
		return strings.Split(strings.ReplaceAll(strings.Join(lines, "\n"), "f 0644", "f 0600"), "\n")
	}
	tests := []struct {
		name  string
		svc   *db.Service
		pipes servicedir.Pipes
		style servicedir.Style
		want  []string
	}{
		{"s6-rc", full, servicedir.Pipes{}, servicedir.S6RC, join(rest, `finish f 0755 "F"`, flags, inst, `lock-fd f 0644 "4\n"`, numbers, `run f 0755 "R"`, tail)},
		{"live", full, servicedir.Pipes{}, servicedir.Live, join(rest, `finish f 0755 "F"`, flags, inst, numbers, `run f 0755 "R"`, tail)},
		{"private", full, servicedir.Pipes{}, servicedir.LivePrivate, private(join(rest, `finish f 0700 "F"`, flags, inst, numbers, `run f 0700 "R"`, tail))},
		{"pipes", full, pipes, servicedir.S6RC, join(rest, "finish f 0755 generated", `finish.user f 0755 "F"`, flags, inst, `lock-fd f 0644 "4\n"`, numbers,
			"run f 0755 generated", `run.user f 0755 "R"`, tail)},
		{"argv", toml, servicedir.Pipes{}, servicedir.Live, []string{"finish f 0755 generated", "run f 0755 generated"}},
		{"argv in pipes", toml, pipes, servicedir.Live, []string{"finish f 0755 generated", "finish.user f 0755 generated", "run f 0755 generated", "run.set-up f 0755 generated"}},
		{"script set up", both, servicedir.Pipes{}, servicedir.Live, []string{"run f 0755 generated", `run-before f 0755 "F"`, `run.user f 0755 "R"`}},
		{"script set up, private", both, pipes, servicedir.LivePrivate, []string{"run f 0700 generated", `run-before f 0755 "F"`, "run.set-up f 0700 generated", `run.user f 0755 "R"`}},
		{"oneshot", oneshot, servicedir.Pipes{}, servicedir.Live, []string{`up f 0755 "R"`}},
		{"oneshot for s6-rc", oneshot, servicedir.Pipes{}, servicedir.S6RC, nil},
	}
	names := map[string]bool{"lock-fd": true, "template": true, "instance": true, "instances": true, "up": true}
	for _, n := range servicedir.LinkNames() {
		names[n] = true
	}
	for _, test := range tests {
		got, err := servicedir.Render(test.svc, test.pipes, get, test.style)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if d := cmp.Diff(test.want, show(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, d)
		}
		for _, top := range got.Top() {
			if !names[top] {
				t.Errorf("%s: no live directory links to %s", test.name, top)
			}
		}
	}
}

func TestCommand(t *testing.T) {
	blobs := db.Blobs{}
	script := db.Program{Form: db.Script, Script: blobs.Add([]byte("U"))}
	env := []db.Entry{{Path: "env", Kind: db.Directory, Mode: 0o755}}
	tests := []struct {
		svc  db.Service
		want string
	}{
		{db.Service{Up: argv("a", "b c")}, `["a" "b c"] false`},
		{db.Service{Up: argv()}, "[] false"},
		{db.Service{}, "[] false"},
		{db.Service{Up: script}, `["up"] true`},
		{db.Service{Up: argv("a"), Exec: db.Exec{User: "x"}}, `["up"] true`},
		{db.Service{Up: argv("a"), Files: env}, `["up"] true`},
	}
	for _, test := range tests {
		test.svc.Type = db.Oneshot
		words, file := servicedir.Command(&test.svc, servicedir.Up)
		if got := fmt.Sprintf("%q %v", words, file); got != test.want {
			t.Errorf("%+v: %s, want %s", test.svc, got, test.want)
		}
		tree, err := servicedir.Render(&test.svc, servicedir.Pipes{}, func(d db.Digest) ([]byte, error) { return blobs[d], nil }, servicedir.Live)
		if err != nil || (tree.Find("up") != nil) != file {
			t.Errorf("%+v: tree %q, %v", test.svc, show(tree), err)
		}
	}
}

func TestWrite(t *testing.T) {
	blobs := db.Blobs{}
	tree, err := servicedir.Render(everything(blobs), servicedir.Pipes{}, func(d db.Digest) ([]byte, error) { return blobs[d], nil }, servicedir.S6RC)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := servicedir.Write(dir, tree); err != nil {
		t.Fatal(err)
	}
	for _, f := range tree {
		info, err := os.Lstat(filepath.Join(dir, f.Path))
		if err != nil {
			t.Error(err)
			continue
		}
		if f.Kind != db.Link && uint32(info.Mode().Perm()) != f.Mode&0o777 {
			t.Errorf("%s has mode %v, want %o", f.Path, info.Mode(), f.Mode)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "data")); err != nil || info.Mode()&os.ModeSetgid == 0 {
		t.Errorf("data: %v, %v", info.Mode(), err)
	}
	if err := servicedir.Write(dir, tree); err == nil {
		t.Error("what was there was overwritten")
	}
}

// TestWriteRefuses gives Write what a database from outside could hold.
func TestWriteRefuses(t *testing.T) {
	for _, tree := range []servicedir.Tree{
		{{Path: "../x", Kind: db.File}},
		{{Path: "/x", Kind: db.File}},
		{{Path: "a/../../x", Kind: db.File}},
		{{Path: "missing/x", Kind: db.File}},
		{{Path: "data", Kind: db.Link, Target: "/"}, {Path: "data/x", Kind: db.File}},
		{{Path: "x", Kind: 77}},
		{{Path: "x\x00", Kind: db.File}},
		{{Path: "", Kind: db.File}},
	} {
		dir := t.TempDir()
		if err := servicedir.Write(dir, tree); err == nil {
			t.Errorf("%+v was written", tree)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 1 {
			t.Errorf("%+v left %v", tree, left)
		}
	}
}
