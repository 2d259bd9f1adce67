package servicedir_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"strata/compile/db"
	"strata/live/s6/fdholder"
	"strata/live/s6/s6test"
	"strata/live/servicedir"
)

// hold makes a pipe in the holder, with the ends r and w.
func hold(t *testing.T, c *fdholder.Client, r, w string) {
	t.Helper()
	readEnd, writeEnd, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer readEnd.Close()
	defer writeEnd.Close()
	for id, f := range map[string]*os.File{r: readEnd, w: writeEnd} {
		if err := c.Store(t.Context(), fdholder.Held{ID: id, File: f}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPipeline runs a producer, a middle and a consumer on a real fd-holder. The
// producer has its own standard input, the consumer its own standard output, each
// its arguments and its notification-fd, and nobody a descriptor more.
func TestPipeline(t *testing.T) {
	s6test.Require(t)
	root := s6test.TempDir(t)
	c := holder(t, root)
	hold(t, c, "pipe:r-m", "pipe:w-m")
	hold(t, c, "pipe:r-c", "pipe:w-c")
	blobs := db.Blobs{}
	// ls opens the directory it lists: one descriptor more. Those above 9 are none
	// of ours: the test's own parents may have left some open.
	const text = "#!/bin/sh\nread x\necho \"$0$1($x)$(ls /proc/self/fd | grep '^.$' | tr '\\n' ' ')\"\necho ready >&9\n"
	script := db.Program{Form: db.Script, Script: blobs.Add([]byte(text))}
	const socket = "../2/s"
	services := []struct {
		name  string
		pipes servicedir.Pipes
	}{
		{"p", servicedir.Pipes{Write: "pipe:w-m", Socket: socket}},
		{"m", servicedir.Pipes{Read: "pipe:r-m", Write: "pipe:w-c", Socket: socket}},
		{"c", servicedir.Pipes{Read: "pipe:r-c", Socket: socket}},
	}
	var out string
	for _, s := range services {
		svc := db.Service{Name: s.name, Type: db.Longrun, Consumer: db.None, Run: script, Finish: script, NotificationFD: set(9)}
		dir := place(t, root, &svc, blobs, s.pipes)
		for _, program := range []string{"./run", "./finish"} {
			ready, notify, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), program, s.name)
			cmd.Dir, cmd.Stdin, cmd.Stderr = dir, strings.NewReader("original\n"), os.Stderr
			cmd.ExtraFiles = []*os.File{6: notify} // 3 is the first of them
			var b bytes.Buffer
			cmd.Stdout = &b
			if err := cmd.Run(); err != nil {
				t.Errorf("%s of %s: %v", program, s.name, err)
			}
			_ = notify.Close()
			if text, err := io.ReadAll(ready); err != nil || string(text) != "ready\n" {
				t.Errorf("%s of %s: notification %q, %v", program, s.name, text, err)
			}
			_ = ready.Close()
			if s.name == "c" {
				out += b.String()
			} else if b.Len() > 0 {
				t.Errorf("%s of %s wrote %q to its own output", program, s.name, &b)
			}
		}
	}
	const fds = "0 1 2 3 9" // words that read takes have no blank at the end
	want := ""
	for _, program := range []string{"./run.user", "./finish.user"} {
		want += program + "c(" + program + "m(" + program + "p(original)" + fds + ")" + fds + ")" + fds + " \n"
	}
	if out != want {
		t.Errorf("the consumer wrote\n%swant\n%s", out, want)
	}
}

// TestLogged lets a TOML definition feed a logger: its errors go there too.
func TestLogged(t *testing.T) {
	s6test.Require(t)
	root := s6test.TempDir(t)
	c := holder(t, root)
	hold(t, c, "pipe:r", "pipe:w")
	svc := db.Service{
		Name: "x", Type: db.Longrun, Consumer: db.None,
		Run:  argv("sh", "-c", "echo $A; echo error >&2"),
		Exec: db.Exec{Env: []db.EnvVar{{Name: "A", Value: "it's"}}},
	}
	dir := place(t, root, &svc, nil, servicedir.Pipes{Write: "pipe:w", Socket: "../2/s"})
	if out, err := run(t, dir, "./run"); err != nil || out != "" {
		t.Errorf("run: %q, %v", out, err)
	}
	if err := c.Delete(t.Context(), "pipe:w"); err != nil {
		t.Fatal(err)
	}
	f, err := c.Retrieve(t.Context(), "pipe:r", true)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if text, err := io.ReadAll(f); err != nil || string(text) != "it's\nerror\n" {
		t.Errorf("the logger got %q, %v", text, err)
	}
}
