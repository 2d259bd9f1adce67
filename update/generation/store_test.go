package generation

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"strata/compile/db"
	"strata/graph"
)

// written writes a database with one service of this name.
func written(t testing.TB, name, tool string, private bool) *db.DB {
	t.Helper()
	m := &db.Model{Blobs: db.Blobs{}, Private: private}
	m.Services = []db.Service{{Name: name, Type: db.Oneshot, Up: db.Program{Form: db.Argv, Argv: []string{"true"}}, Consumer: db.None}}
	var err error
	if m.Needs, err = graph.New(1, nil); err == nil {
		m.Levels, err = m.Needs.Levels()
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "db")
	if _, err := db.Write(path, m, db.WriteOptions{Tool: tool}); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// install makes a database the current generation.
func (s Store) install(d *db.DB, keep int) error {
	m, err := s.Installing(d.Content(), keep)
	if err != nil {
		return err
	}
	return m.Alone(d, nil)
}

// back goes back without a live directory.
func (s Store) back(n int) error {
	m, to, err := s.GoingBack(n, 0)
	if err != nil {
		return err
	}
	d, err := s.Open(to)
	if err != nil {
		return err
	}
	return errors.Join(m.Alone(d, nil), d.Close())
}

func (s Store) state(t testing.TB) *State {
	t.Helper()
	st, err := s.Read()
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// names are the entries of the store, without the databases.
func (s Store) names(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(s.Path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if _, ok := parseName(e.Name()); !ok {
			out = append(out, e.Name())
		}
	}
	return out
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestInstallAndBack(t *testing.T) {
	t.Parallel()
	s := Store{Path: filepath.Join(t.TempDir(), "a", "store[1]")}
	a, b, c := written(t, "a", "", false), written(t, "b", "", false), written(t, "c", "", true)
	must(t, s.install(a, 0), s.install(b, 0), s.install(c, 0))
	st := s.state(t)
	if st.Current != c.Content() || len(st.History) != 3 || len(st.Files) != 3 || st.History[2].Installed.IsZero() {
		t.Fatalf("%+v", st)
	}
	for _, d := range []*db.DB{a, c} {
		want, err := os.Stat(d.Path())
		got, err2 := os.Stat(s.File(d.Content()))
		must(t, err, err2)
		if got.Mode() != want.Mode() {
			t.Errorf("mode %v, want %v", got.Mode(), want.Mode())
		}
	}
	must(t, s.back(2))
	if got := s.state(t).Current; got != a.Content() {
		t.Errorf("2 back: %s", got.Short())
	}
	var far *TooFarError
	if err := s.back(1); !errors.As(err, &far) {
		t.Errorf("1 back: %v", err)
	}
	must(t, s.install(c, 2))
	st = s.state(t)
	if got := st.History.Before(c.Content()); st.Current != c.Content() || !slices.Equal(got, []db.Digest{a.Content()}) {
		t.Errorf("before: %v", got)
	}
	if slices.Contains(st.Files, b.Content()) || len(st.Files) != 2 || len(st.History) != 2 {
		t.Errorf("what was gone back from did not go first: %+v", st)
	}
	if got := s.names(t); !slices.Equal(got, []string{lockName, currentName, historyName}) {
		t.Errorf("the store has %q", got)
	}
}

// The same content is one generation. Of its files the last one counts, and one that is
// damaged is replaced.
func TestSameContent(t *testing.T) {
	t.Parallel()
	s := Store{Path: t.TempDir()}
	one, two := written(t, "a", "one", false), written(t, "a", "two", false)
	if one.Content() != two.Content() || one.File() == two.File() {
		t.Fatal("not the same content in different files")
	}
	must(t, s.install(one, 0))
	first := s.state(t).History
	must(t, s.install(two, 0))
	st := s.state(t)
	if len(st.Files) != 1 || !slices.Equal(st.History, first) {
		t.Errorf("%+v", st)
	}
	file := func() db.Digest {
		d, err := s.Open(one.Content())
		must(t, err)
		defer d.Close()
		return d.File()
	}
	if got := file(); got != two.File() {
		t.Errorf("the file is %s", got.Short())
	}
	path := s.File(one.Content())
	must(t, os.Chmod(path, 0o600), os.Truncate(path, 100))
	if _, err := s.Open(one.Content()); !errors.Is(err, db.ErrCorrupt) {
		t.Errorf("damaged: %v", err)
	}
	must(t, s.install(two, 0))
	if got := file(); got != two.File() {
		t.Errorf("the file is %s", got.Short())
	}
	// The live directory has it whole.
	must(t, os.Chmod(path, 0o600), os.Truncate(path, 100))
	m, _, err := s.GoingBack(0, 0)
	must(t, err, m.Alone(one, nil))
	if got := file(); got != one.File() {
		t.Errorf("the file is %s", got.Short())
	}
}

// A file that holds another database than its name says is no generation.
func TestWrongName(t *testing.T) {
	t.Parallel()
	s := Store{Path: t.TempDir()}
	a, b := written(t, "a", "", false), written(t, "b", "", false)
	must(t, s.install(a, 0), s.install(b, 0), os.Rename(s.File(b.Content()), s.File(a.Content())))
	if err := s.back(1); !errors.Is(err, ErrStore) || !strings.Contains(err.Error(), "it holds the database "+b.Content().Short()) {
		t.Errorf("back: %v", err)
	}
	must(t, s.install(a, 0))
	must(t, s.back(0), s.install(b, 0), s.back(1))
}

// A store that was made by hand is as good as any, and what is not ours in it stays.
func TestMadeByHand(t *testing.T) {
	t.Parallel()
	a, b := written(t, "a", "", false), written(t, "b", "", false)
	for _, absolute := range []bool{false, true} {
		s := Store{Path: t.TempDir()}
		if _, _, err := db.Install(a.Path(), s.Path); err != nil {
			t.Fatal(err)
		}
		target := fileName(a.Content())
		if absolute {
			target = s.File(a.Content())
		}
		digest := strings.Repeat("ab", 32)
		foreign := []string{"README", "services.db", strings.ToUpper(digest) + ".db", digest, "." + digest + ".db.new"}
		for _, name := range foreign {
			must(t, os.WriteFile(filepath.Join(s.Path, name), nil, 0o600))
		}
		must(t, os.Symlink(target, filepath.Join(s.Path, currentName)), os.Mkdir(filepath.Join(s.Path, digest+".db"), 0o700))
		if st := s.state(t); st.Current != a.Content() || len(st.Files) != 1 || st.History != nil {
			t.Fatalf("%+v", st)
		}
		if m, err := s.Installing(b.Content(), 0); err != nil || m.Leaves() != a.Content() || m.Short(m.From) != a.Content().Short() || m.Short("x") != "x" {
			t.Errorf("%+v, %v", m, err)
		}
		var far *TooFarError
		if err := s.back(1); !errors.As(err, &far) || far.Have != 0 {
			t.Errorf("back: %v", err)
		}
		must(t, s.install(b, 1))
		if st := s.state(t); st.Current != b.Content() || len(st.Files) != 1 || len(st.History) != 1 {
			t.Errorf("%+v", st)
		}
		must(t, os.Remove(filepath.Join(s.Path, digest+".db")))
		for _, name := range foreign {
			if _, err := os.Stat(filepath.Join(s.Path, name)); err != nil {
				t.Error(err)
			}
		}
	}
}

// What cannot be read as a store is refused, and nothing is made in it.
func TestNoStore(t *testing.T) {
	t.Parallel()
	d := written(t, "a", "", false)
	digest := d.Content().String()
	for name, tt := range map[string]struct {
		make func(dir string) error
		want error
	}{
		"a current file":      {func(dir string) error { return os.WriteFile(filepath.Join(dir, currentName), nil, 0o600) }, ErrStore},
		"a current directory": {func(dir string) error { return os.Mkdir(filepath.Join(dir, currentName), 0o700) }, ErrStore},
		"no JSON":             {history("x"), ErrStore},
		"another format":      {history(`{"format": "strata-generations/2"}`), ErrStore},
		"twice the same":      {history(`{"format": "` + Format + `", "generations": [{"content": "` + digest + `"}, {"content": "` + digest + `"}]}`), ErrStore},
		"no digest":           {history(`{"format": "` + Format + `", "generations": [{"content": "x"}]}`), ErrStore},
		"a file":              {func(dir string) error { return errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600)) }, nil},
		"a dangling link":     {func(dir string) error { return errors.Join(os.Remove(dir), os.Symlink("nowhere/at/all", dir)) }, nil},
	} {
		s := Store{Path: filepath.Join(t.TempDir(), "store")}
		must(t, os.Mkdir(s.Path, 0o700), tt.make(s.Path))
		before, _ := os.ReadDir(s.Path)
		for verb, err := range map[string]error{"install": s.install(d, 0), "back": s.back(1)} {
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), s.Path) {
				t.Errorf("%s: %s: %v", name, verb, err)
			}
			if strings.Contains(fmt.Sprint(err), "\n") {
				t.Errorf("%s: %s: more than a line: %v", name, verb, err)
			}
		}
		if after, _ := os.ReadDir(s.Path); len(before) != len(after) {
			t.Errorf("%s: something was made: %v", name, after)
		}
	}
}

func history(text string) func(dir string) error {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, historyName), []byte(text), 0o600) }
}

// What was left by somebody who was killed goes.
func TestLeftOver(t *testing.T) {
	t.Parallel()
	s := Store{Path: t.TempDir()}
	must(t, s.install(written(t, "a", "", false), 0))
	for _, name := range []string{".new-123", "." + historyName + ".new-1"} {
		must(t, os.WriteFile(filepath.Join(s.Path, name), []byte("x"), 0o600))
	}
	must(t, os.Symlink("elsewhere", filepath.Join(s.Path, nextName)))
	must(t, s.install(written(t, "b", "", false), 0))
	if got := s.names(t); !slices.Equal(got, []string{lockName, currentName, historyName}) {
		t.Errorf("the store has %q", got)
	}
}

// Many at once do what one after the other could have done.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := Store{Path: filepath.Join(t.TempDir(), "store")}
	var group sync.WaitGroup
	for i := range 8 {
		d := written(t, fmt.Sprintf("s%d", i), "", false)
		group.Go(func() {
			for range 10 {
				err := s.install(d, 3)
				if err != nil && !errors.Is(err, ErrMoved) {
					t.Error(err)
				}
				var far *TooFarError
				if err := s.back(1); err != nil && !errors.Is(err, ErrMoved) && !errors.As(err, &far) && !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	st := s.state(t)
	if d, err := s.Open(st.Current); err != nil {
		t.Error(err)
	} else if err := d.Close(); err != nil {
		t.Error(err)
	}
	_, err := s.Collect(nil, 1)
	must(t, err)
	if st := s.state(t); len(st.Files) != 1 || st.Files[0] != st.Current {
		t.Errorf("%+v", st)
	}
	left := slices.DeleteFunc(s.names(t), func(name string) bool { return name == nextName })
	if !slices.Equal(left, []string{lockName, currentName, historyName}) {
		t.Errorf("the store has %q", left)
	}
}

func TestRows(t *testing.T) {
	at := time.Unix(1, 0)
	h := made("A-BCD")
	for i := range h {
		h[i].Installed = at
	}
	st := State{History: h, Files: gs("BCDX"), Current: g('C')}
	var got []string
	for _, r := range st.Rows(gs("CX")) {
		line := fmt.Sprintf("%c %d", r.Content[0], r.Back)
		for _, f := range []struct {
			on   bool
			text string
		}{{r.Current, "current"}, {r.InUse, "used"}, {r.Undone, "undone"}, {r.Missing, "missing"}, {r.Installed.IsZero(), "unknown"}} {
			if f.on {
				line += " " + f.text
			}
		}
		got = append(got, line)
	}
	want := []string{"C 0 current used", "A 1 missing", "D -1 undone", "B -1 undone", "X -1 used unknown"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	dangling := State{Current: g('A')}
	if rows := dangling.Rows(nil); len(rows) != 1 || !rows[0].Missing || !rows[0].Current {
		t.Errorf("%+v", rows)
	}
}

// FuzzHistory: whatever the file holds, it is refused or a history.
func FuzzHistory(f *testing.F) {
	digest := g('A').String()
	f.Add([]byte(`{"format": "` + Format + `", "generations": [{"content": "` + digest + `", "installed": "2026-01-01T00:00:00Z", "undone": true}]}`))
	f.Add([]byte(`{"format": "` + Format + `", "generations": null}`))
	f.Add([]byte(`{"format": 1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := parseHistory(text)
		if err != nil {
			if !errors.Is(err, ErrStore) {
				t.Fatal(err)
			}
			return
		}
		for i, e := range h {
			if h.position(e.Content) != i {
				t.Fatalf("%s stands there twice", e.Content)
			}
		}
	})
}
