package servicedir_test

import (
	"bytes"
	"context"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strata/compile/db"
	"strata/live/s6/fdholder"
	"strata/live/s6/s6test"
	"strata/live/servicedir"
)

// place renders and writes a service, and gives its directory.
func place(t *testing.T, root string, svc *db.Service, blobs db.Blobs, p servicedir.Pipes) string {
	t.Helper()
	tree, err := servicedir.Render(svc, p, func(d db.Digest) ([]byte, error) { return blobs[d], nil }, servicedir.Live)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, svc.Name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := servicedir.Write(dir, tree); err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs a program as s6-supervise does and gives its standard output.
func run(t *testing.T, dir, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	err := cmd.Run()
	return out.String(), err
}

func TestSetUpRuns(t *testing.T) {
	s6test.Require(t)
	root := s6test.TempDir(t)
	blobs := db.Blobs{}
	script := func(text string) db.Program { return db.Program{Form: db.Script, Script: blobs.Add([]byte(text))} }
	nasty := "it's $HOME `x` \\ \"\n*"
	tests := []struct {
		name string
		svc  db.Service
		root bool
		want string // %d is the service directory
	}{
		{name: "argv", svc: db.Service{Run: argv("printf", "%s|", "a b", nasty, "")}, want: "a b|" + nasty + "||"},
		{name: "empty argv", svc: db.Service{Run: argv()}, want: ""},
		{name: "script", svc: db.Service{Run: script("#!/bin/sh\necho \"$@\" $0\n")}, want: "x ./run\n"},
		{name: "env", svc: db.Service{
			Run:  script("#!/bin/sh\nprintf '%s|' \"$A\" \"$B\" \"$@\"\n"),
			Exec: db.Exec{Env: []db.EnvVar{{Name: "A", Value: nasty}, {Name: "B", Value: ""}}},
		}, want: nasty + "||x|"},
		{name: "env directory", svc: db.Service{
			Run: argv("sh", "-c", "echo $A"), Exec: db.Exec{Env: []db.EnvVar{{Name: "A", Value: "table"}}},
			Files: []db.Entry{
				{Path: "env", Kind: db.Directory, Mode: 0o755},
				{Path: "env/A", Kind: db.File, Mode: 0o644, Blob: blobs.Add([]byte("directory\n"))},
			},
		}, want: "directory\n"},
		{name: "umask", svc: db.Service{Run: argv("sh", "-c", "umask"), Exec: db.Exec{Umask: set(0o27)}}, want: "0027\n"},
		{name: "workdir", svc: db.Service{Run: script("#!/bin/sh\npwd; echo $here $1\n"), Exec: db.Exec{Workdir: "/"}}, want: "/\nx\n"},
		{name: "limits", svc: db.Service{
			Run:  argv("sh", "-c", "ulimit -n; ulimit -c"),
			Exec: db.Exec{Limits: []db.Limit{{Name: "core", Value: 0}, {Name: "nofile", Value: 50}}},
		}, want: "50\n0\n"},
		{name: "unlimited", svc: db.Service{
			Run:  argv("sh", "-c", `[ "$(ulimit -S -d)" = "$(ulimit -H -d)" ]`),
			Exec: db.Exec{Limits: []db.Limit{{Name: "data", Value: math.MaxUint64}}},
		}},
		{name: "relative workdir", svc: db.Service{
			Run: argv("sh", "-c", "basename $(pwd)"), Exec: db.Exec{Workdir: "data"},
			Files: []db.Entry{{Path: "data", Kind: db.Directory, Mode: 0o755}},
		}, want: "data\n"},
		{name: "run-before", svc: db.Service{
			Run:  argv("echo", "after"),
			Exec: db.Exec{RunBefore: argv("echo", "before"), RunBeforeTimeout: 60000},
		}, want: "before\nafter\n"},
		{name: "run-before script", svc: db.Service{
			Run:  argv("echo", "after"),
			Exec: db.Exec{RunBefore: script("#!/bin/sh\npwd\n"), Workdir: "/usr"},
		}, want: "/usr\nafter\n"},
		{name: "user", root: true, svc: db.Service{Run: argv("id", "-un"), Exec: db.Exec{User: "nobody"}}, want: "nobody\n"},
		{name: "user and group", root: true, svc: db.Service{
			Run:  argv("sh", "-c", "id -un; id -Gn; echo $UID$GID$GIDLIST"),
			Exec: db.Exec{User: "nobody:daemon"},
		}, want: "nobody\ndaemon\n\n"},
		{name: "numbers", root: true, svc: db.Service{Run: argv("sh", "-c", "id -u; id -G"), Exec: db.Exec{User: "123:456"}}, want: "123\n456\n"},
		{name: "run-before as user", root: true, svc: db.Service{
			Run:  script("#!/bin/sh\nid -un\n"),
			Exec: db.Exec{User: "nobody", RunBefore: argv("id", "-un")},
		}, want: "nobody\nnobody\n"},
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.root && os.Geteuid() != 0 {
				t.Skip("needs root to become another user")
			}
			svc := test.svc
			svc.Name, svc.Type, svc.Consumer = strings.ReplaceAll(test.name, " ", "-"), db.Longrun, db.None
			out, err := run(t, place(t, root, &svc, blobs, servicedir.Pipes{}), "./run", "x")
			if err != nil || out != test.want {
				t.Errorf("got %q, %v, want %q", out, err, test.want)
			}
		})
	}
}

func TestRunBeforeFails(t *testing.T) {
	root := s6test.TempDir(t)
	for name, x := range map[string]db.Exec{
		"exit":    {RunBefore: argv("sh", "-c", "exit 7")},
		"timeout": {RunBefore: argv("sleep", "100000"), RunBeforeTimeout: 50},
	} {
		svc := db.Service{Name: name, Type: db.Longrun, Consumer: db.None, Run: argv("echo", "after"), Exec: x}
		if out, err := run(t, place(t, root, &svc, nil, servicedir.Pipes{}), "./run"); err == nil || out != "" {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

// holder starts a real fd-holder in root/2 and gives a connection to it.
func holder(t *testing.T, root string) *fdholder.Client {
	t.Helper()
	s6test.Require(t)
	dir := filepath.Join(root, "2")
	env := filepath.Join(dir, "rules/uid/self/env")
	if err := os.MkdirAll(env, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"../allow": "", "S6_FDHOLDER_STORE_REGEX": "^pipe:\n", "S6_FDHOLDER_RETRIEVE_REGEX": "^pipe:\n",
	} {
		if err := os.WriteFile(filepath.Join(env, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("s6-fdholder-daemon", "-1", "-i", "rules", "--", "s")
	cmd.Dir = dir
	ready, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := io.ReadFull(ready, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := fdholder.Dial(ctx, filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
