package examples

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the expected diagnostics of broken/ anew")

// bin is a directory with the tools, sources a copy of this directory that belongs
// to whoever runs the test and has the usual modes: the compiler warns of what
// others can write, and of what they cannot read.
var bin, sources string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(withTools(m.Run))
}

// withTools builds the tools into a temporary directory, which is removed when
// run has ended.
func withTools(run func() int) int {
	dir, err := os.MkdirTemp("", "examples")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	bin, sources = filepath.Join(dir, "bin"), filepath.Join(dir, "sources")
	if err := copySources(); err != nil {
		panic(err)
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(bin, "strata"), "strata/cmd/strata")
	if out, err := cmd.CombinedOutput(); err != nil {
		panic("cannot build the tools: " + err.Error() + "\n" + string(out))
	}
	for _, link := range []string{"rc-compile", "rc-db", "s6-rc-compile"} {
		if err := os.Symlink("strata", filepath.Join(bin, link)); err != nil {
			panic(err)
		}
	}
	return run()
}

func copySources() error {
	if err := os.CopyFS(sources, os.DirFS(".")); err != nil {
		return err
	}
	return filepath.WalkDir(sources, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o755)
		}
		return os.Chmod(path, 0o644)
	})
}

// tool runs one of the tools in dir and returns what it wrote and its exit code.
func tool(t *testing.T, dir, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, name), args...)
	cmd.Dir = dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// compiled compiles an example, which must succeed without a word, and returns
// the database's path.
func compiled(t *testing.T, example string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "db")
	_, stderr, code := tool(t, sources, "rc-compile", "-o", file, example)
	if code != 0 || stderr != "" {
		t.Fatalf("rc-compile %s: exit code %d\n%s", example, code, stderr)
	}
	return file
}

// query asks rc-db and returns the lines of the answer.
func query(t *testing.T, file string, args ...string) []string {
	t.Helper()
	stdout, stderr, code := tool(t, sources, "rc-db", append([]string{"-c", file}, args...)...)
	if code != 0 || stderr != "" {
		t.Fatalf("rc-db %v: exit code %d\n%s", args, code, stderr)
	}
	return slices.Sorted(strings.Lines(stdout))
}

func TestExamples(t *testing.T) {
	tests := []struct {
		example string
		atleast int // services
	}{
		{"minimal", 3},
		{"mail", 4},
		{"desktop", 60},
		{"container", 8},
		{"s6-rc-tree", 9},
	}
	for _, tt := range tests {
		t.Run(tt.example, func(t *testing.T) {
			file := compiled(t, tt.example)
			if got := len(query(t, file, "list", "services")); got < tt.atleast {
				t.Errorf("%d services, want at least %d", got, tt.atleast)
			}
		})
	}
}

func TestEveryExampleIsTested(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if e.IsDir() {
			got = append(got, e.Name())
		}
	}
	want := []string{"broken", "container", "desktop", "mail", "minimal", "s6-rc-tree"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("directories differ (-want +got):\n%s", diff)
	}
}

func TestMailLevels(t *testing.T) {
	stdout, _, _ := tool(t, sources, "rc-db", "-c", compiled(t, "mail"), "levels", "--json")
	var got struct {
		Levels [][]string `json:"levels"`
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatalf("cannot read %q: %v", stdout, err)
	}
	want := [][]string{{"network", "storage"}, {"dovecot", "postfix"}}
	if diff := cmp.Diff(want, got.Levels); diff != "" {
		t.Errorf("levels differ (-want +got):\n%s", diff)
	}
}

// The directory format is s6-rc's: under its compiler's name the result is the
// same set.
func TestDropIn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "compiled")
	if _, stderr, code := tool(t, sources, "s6-rc-compile", dir, "s6-rc-tree"); code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	got, want := query(t, dir, "list", "services"), query(t, compiled(t, "s6-rc-tree"), "list", "services")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("services differ (-want +got):\n%s", diff)
	}
}

func TestBroken(t *testing.T) {
	entries, err := os.ReadDir("broken")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		t.Run(e.Name(), func(t *testing.T) {
			target := filepath.Join(t.TempDir(), "db")
			_, stderr, code := tool(t, filepath.Join(sources, "broken"), "rc-compile", "-o", target, e.Name())
			if code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			if _, err := os.Lstat(target); err == nil {
				t.Error("there is a database")
			}
			file := filepath.Join("broken", e.Name(), "expected")
			if *update {
				if err := os.WriteFile(file, []byte(stderr), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), stderr); diff != "" {
				t.Errorf("diagnostics differ (-want +got):\n%s", diff)
			}
		})
	}
}
