package db

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"strata/graph"
)

// The environment of a writer that TestReproducible starts.
const writerEnv = "STRATA_TEST_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		os.Exit(writer(path))
	}
	os.Exit(m.Run())
}

// writer writes the same model as every other writer, the blobs added in an order
// of its own.
func writer(path string) int {
	unix.Umask(map[bool]int{true: 0o077, false: 0}[strings.Contains(path, "private")])
	t := &testing.T{}
	m := rich(t)
	order := slices.SortedFunc(maps.Keys(m.Blobs), func(a, b Digest) int { return bytes.Compare(b[:], a[:]) })
	blobs := Blobs{}
	for _, d := range order {
		blobs[d] = m.Blobs[d]
	}
	m.Blobs = blobs
	if _, err := Write(path, m, WriteOptions{Tool: "test 1"}); err != nil {
		_, _ = os.Stderr.WriteString(err.Error())
		return 1
	}
	return 0
}

// The same model gives the same bytes in other processes, directories, time zones
// and with another umask and number of processors.
func TestReproducible(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile(write(t, rich(t)))
	if err != nil {
		t.Fatal(err)
	}
	for i, env := range [][]string{{"TZ=Asia/Tokyo", "GOMAXPROCS=1"}, {"TZ=UTC", "GOMAXPROCS=7", "LC_ALL=C"}, {"GODEBUG=randautoseed=1"}} {
		dir := filepath.Join(tempDir(t), strings.Repeat("private", i%2), "a directory with a long name")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "some other name")
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(append(os.Environ(), env...), writerEnv+"="+path)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Errorf("with %v the file has other bytes", env)
		}
		if st, err := os.Stat(path); err != nil || st.Mode() != 0o400 {
			t.Errorf("mode is %v, %v, want 0400", st.Mode(), err)
		}
	}
}

// With buckets of many pages each, a single transaction would not do: bbolt gives
// out their pages in a random order.
func TestReproducibleLarge(t *testing.T) {
	t.Parallel()
	m := large(t, 3000)
	m.Blobs.Add([]byte("unused"))
	want, err := os.ReadFile(write(t, m))
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		got, err := os.ReadFile(write(t, m))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Fatal("the same model gives other bytes")
		}
	}
}

func TestWriteReplaces(t *testing.T) {
	t.Parallel()
	path := filepath.Join(tempDir(t), "x.db")
	for _, m := range []*Model{rich(t), tiny(t)} {
		info, err := Write(path, m, WriteOptions{})
		if err != nil {
			t.Fatal(err)
		}
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st.Size() != info.Size {
			t.Errorf("size is %d, said %d", st.Size(), info.Size)
		}
		db := mustOpen(t, path)
		if db.Content() != info.Content || db.File() != info.File || db.Size() != info.Size {
			t.Error("the digests are not those that were said")
		}
	}
	if st, _ := os.Stat(path); st.Mode() != 0o444 {
		t.Errorf("mode is %v, want 0444", st.Mode())
	}
	if _, err := Write(path, tiny(t), WriteOptions{Exclusive: true}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("exclusive write over a file: %v", err)
	}
	alone(t, path)
}

// alone fails the test if there is anything beside path.
func alone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(path) {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

func TestWriteRefusesModel(t *testing.T) {
	t.Parallel()
	cycle, err := graph.New(2, []graph.Edge{{From: 0, To: 1}, {From: 1, To: 0}})
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Model){
		"out of order": func(m *Model) { m.Services[0].Name = "c" },
		"no name":      func(m *Model) { m.Services[0].Name = "" },
		"slash":        func(m *Model) { m.Services[0].Name = "a/" },
		"dot":          func(m *Model) { m.Services[0].Name = ".." },
		"twice":        func(m *Model) { m.Bundles[0].Name = "b" },
		"type":         func(m *Model) { m.Services[0].Type = 3 },
		"path":         func(m *Model) { m.Services[0].Files = []Entry{{Path: "data/../../x", Kind: Directory}} },
		"blob":         func(m *Model) { m.Services[1].Run.Script[0]++ },
		"content":      func(m *Model) { m.Bundles[0].Contents = []ServiceID{1, 7} },
		"consumer":     func(m *Model) { m.Services[0].Consumer = 1 },
		"one-sided pipeline": func(m *Model) {
			m.Services[0] = m.Services[1]
			m.Services[0].Name, m.Services[0].Producers = "a", []ServiceID{1}
		},
		"levels":      func(m *Model) { m.Levels, _ = m.Wants.Levels() },
		"soft levels": func(m *Model) { m.Soft, m.Needs = m.Needs, m.Soft; m.Levels, _ = m.Needs.Levels() },
		"cycle":       func(m *Model) { m.Needs = cycle },
		"graph size":  func(m *Model) { m.Needs, _ = graph.New(3, nil) },
	} {
		m := tiny(t)
		spoil(m)
		path := filepath.Join(tempDir(t), "x.db")
		if _, err := Write(path, m, WriteOptions{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
		alone(t, path)
	}
}

func TestWriteDir(t *testing.T) {
	t.Parallel()
	dest := filepath.Join(tempDir(t), "compiled")
	if _, err := WriteDir(dest+"/", tiny(t), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if db := mustOpen(t, dest); db.Len() != 2 || db.Path() != filepath.Join(dest, "db") {
		t.Errorf("%d services in %s", db.Len(), db.Path())
	}
	if _, err := WriteDir(dest, tiny(t), WriteOptions{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("existing directory: %v", err)
	}
	alone(t, dest)
	bad := tiny(t)
	bad.Services[0].Type = 9
	other := filepath.Join(tempDir(t), "compiled")
	if _, err := WriteDir(other, bad, WriteOptions{}); err == nil {
		t.Error("a bad model was written")
	}
	alone(t, other)
	empty := tempDir(t)
	if _, err := Open(empty); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("empty directory: %v", err)
	}
}

func TestWriteWhereNotAllowed(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	if _, err := Write(filepath.Join(dir, "no", "x.db"), tiny(t), WriteOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
	if _, err := Write("/proc/x.db", tiny(t), WriteOptions{}); err == nil {
		t.Error("wrote into /proc")
	}
	if _, err := Write(dir, tiny(t), WriteOptions{}); err == nil {
		t.Error("wrote over a directory")
	}
	alone(t, filepath.Join(dir, "nothing"))
}
