package db

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"strata/graph"
)

// tempDir is a directory on a tmpfs where there is one.
func tempDir(t testing.TB) string {
	t.Helper()
	base := ""
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() {
		base = "/dev/shm"
	}
	dir, err := os.MkdirTemp(base, "db")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// complete computes the graphs of a model whose edges are given by name.
func complete(t testing.TB, m *Model, needs, wants, soft string) *Model {
	t.Helper()
	index := map[string]ServiceID{}
	for i, s := range m.Services {
		index[s.Name] = ServiceID(i)
	}
	parse := func(text string) *graph.Graph {
		var edges []graph.Edge
		for _, e := range strings.Fields(text) {
			from, to, _ := strings.Cut(e, ">")
			edges = append(edges, graph.Edge{From: index[from], To: index[to]})
		}
		g, err := graph.New(len(m.Services), edges)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	m.Needs, m.Wants, m.Soft = parse(needs), parse(wants), parse(soft)
	return levels(t, m)
}

func levels(t testing.TB, m *Model) *Model {
	t.Helper()
	all, err := graph.Union(m.Needs, m.Soft)
	if err != nil {
		t.Fatal(err)
	}
	if m.Levels, err = all.Levels(); err != nil {
		t.Fatal(err)
	}
	return m
}

// tiny is the smallest model that has something in every bucket.
func tiny(t testing.TB) *Model {
	m := &Model{Blobs: Blobs{}}
	run := m.Blobs.Add([]byte("#!/bin/sh\n"))
	m.Services = []Service{
		{Name: "a", Type: Oneshot, Up: Program{Form: Argv, Argv: []string{"true"}}, Consumer: None},
		{Name: "b", Type: Longrun, Run: Program{Form: Script, Script: run}, Consumer: None},
	}
	m.Bundles = []Bundle{{Name: "all", Contents: []ServiceID{0, 1}}}
	return complete(t, m, "b>a", "", "")
}

// rich is a model that uses every field.
func rich(t testing.TB) *Model {
	m := &Model{Blobs: Blobs{}, Private: true}
	run, data := m.Blobs.Add([]byte("#!/bin/sh\nexec sshd\n")), m.Blobs.Add([]byte("\x00\xff"))
	empty := m.Blobs.Add(nil)
	at := func(path string, line int) Origin {
		return Origin{Label: "vendor", Path: path, Line: line, Fields: []FieldOrigin{{"needs/net", path, line + 1}, {"up", "elsewhere", 0}}}
	}
	m.Services = []Service{
		{Name: "log", Type: Longrun, Run: Program{Form: Argv, Argv: []string{"s6-log", ""}}, Producers: []ServiceID{2}, Consumer: None, Origin: at("log.toml", 3)},
		{
			Name: "net\xff", Type: Oneshot, Flags: Essential | 1<<31, Manual: true, Description: "the net\nof nets", TimeoutUp: 30000, TimeoutDown: 1<<32 - 1,
			Up: Program{Form: Argv, Argv: []string{"ip", "link", " \xfe"}}, Down: Program{Form: Argv}, Reload: Program{Form: Script, Script: run},
			TTY: "/dev/console", Consumer: None, Provides: []string{"network", "online"}, RenamedFrom: []string{"network"}, OnChange: Keep,
		},
		{
			Name: "sshd", Type: Longrun, Flags: Recommended, TimeoutUp: 1, Run: Program{Form: Script, Script: run}, Finish: Program{Form: Argv, Argv: []string{"true"}},
			NotificationFD: Uint{true, 3}, LockFD: Uint{true, 0}, TimeoutKill: Uint{true, 1<<32 - 1}, TimeoutFinish: Uint{true, 5}, MaxDeathTally: Uint{true, 100},
			DownSignal: []byte("SIGTERM\n"), ReloadSignal: []byte{}, TimeoutKillPG: true, NewPIDNS: true, Consumer: 0,
			Exec: Exec{
				User: "nobody:nogroup", Env: []EnvVar{{"A", "1"}, {"B", "\xff\n"}}, Umask: Uint{true, 0o27}, Workdir: "/", Limits: []Limit{{"core", 0}, {"open-files", 1<<64 - 1}},
				RunBefore: Program{Form: Argv, Argv: []string{"mkdir", "/run/sshd"}}, RunBeforeTimeout: 7,
			},
			Files: []Entry{
				{Path: "data", Kind: Directory, Mode: 0o1777},
				{Path: "data/f", Kind: File, Mode: 0o4755, Owner: Owner{true, 1, 2}, Blob: data},
				{Path: "data/l", Kind: Link, Mode: 0o777, Target: "../../x"},
				{Path: "data/p", Kind: FIFO, Mode: 0o600},
				{Path: "env/EMPTY", Kind: File, Mode: 0o644, Blob: empty},
				{Path: "template", Kind: Directory, Mode: 0o755},
			},
			OnChange: Restart, Origin: at("sshd/type", 0),
		},
	}
	m.Bundles = []Bundle{
		{Name: "network", Contents: []ServiceID{1}, Provided: true},
		{Name: "none", Description: "nothing", Origin: at("none/type", 1)},
		{Name: "ssh", Contents: []ServiceID{0, 2}, Pipeline: true},
	}
	m.Bundles = append([]Bundle{{Name: "ent", Contents: []ServiceID{1, 2}}}, m.Bundles...)
	return complete(t, m, "sshd>log sshd>net\xff", "log>net\xff", "log>net\xff")
}

// large is a model of n services, three dependencies each, a quarter oneshots.
func large(t testing.TB, n int) *Model {
	m := &Model{Blobs: Blobs{}, Services: make([]Service, n)}
	edges := make([]graph.Edge, 0, 3*n)
	rnd := uint32(1)
	for i := range n {
		s := &m.Services[i]
		*s = Service{Name: fmt.Sprintf("service-%06d", i), Consumer: None, Description: "a service", Origin: Origin{Label: "vendor", Path: fmt.Sprintf("service-%06d", i), Line: 1}}
		if i%4 == 0 {
			s.Type, s.Up = Oneshot, Program{Form: Argv, Argv: []string{"/bin/echo", s.Name}}
		} else {
			s.Type, s.Run = Longrun, Program{Form: Script, Script: m.Blobs.Add(fmt.Appendf(nil, "#!/bin/sh\nexec daemon %d\n", i))}
		}
		for range min(3, i) {
			rnd = rnd*1664525 + 1013904223
			to := graph.ID(rnd>>8) % graph.ID(i)
			edges = append(edges, graph.Edge{From: graph.ID(i), To: to})
			s.Origin.Fields = append(s.Origin.Fields, FieldOrigin{"needs/" + m.Services[to].Name, s.Origin.Path, 2})
		}
	}
	g, err := graph.New(n, edges)
	if err != nil {
		t.Fatal(err)
	}
	m.Needs = g
	if m.Soft, err = graph.New(n, nil); err != nil {
		t.Fatal(err)
	}
	m.Wants = m.Soft
	return levels(t, m)
}

// write writes a model to a new file.
func write(t testing.TB, m *Model) string {
	t.Helper()
	path := filepath.Join(tempDir(t), "x.db")
	if _, err := Write(path, m, WriteOptions{Tool: "test 1"}); err != nil {
		t.Fatal(err)
	}
	return path
}

// fileOf returns the bytes of a model's file, and leaves nothing even if the
// process is killed soon, as the workers of a fuzz test are.
func fileOf(t testing.TB, m *Model) []byte {
	t.Helper()
	path := write(t, m)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	return content
}

// mustOpen opens a database until the test ends.
func mustOpen(t testing.TB, path string) *DB {
	t.Helper()
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// diffModels compares models; a list of nothing is as good as none, but a signal
// file without content is not the same as no file.
func diffModels(a, b *Model) string {
	return cmp.Diff(a, b,
		cmp.Comparer(func(a, b *graph.Graph) bool { return a.Equal(b) }),
		cmp.Comparer(func(a, b graph.Levels) bool { return a.Equal(b) }),
		cmp.FilterPath(func(p cmp.Path) bool {
			last := p.Last().String()
			return last != ".DownSignal" && last != ".ReloadSignal"
		}, cmpopts.EquateEmpty()))
}

// fingerprint is a digest of everything in a model; to compare where diffModels
// would take too long.
func fingerprint(t testing.TB, m *Model) Digest {
	im, err := newImage(m, "")
	if err != nil {
		t.Error(err)
		return Digest{}
	}
	h := newContentHash(false)
	h.chunk(im.header.content[:])
	for _, n := range im.notes {
		h.chunk(n)
	}
	return h.sum()
}
