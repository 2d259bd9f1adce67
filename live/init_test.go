package live_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"strata/compile/db"
	"strata/live"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// wholeDir fails unless the live directory is whole, with a supervisor for each
// longrun of the database and all services down.
func wholeDir(t *testing.T, tr tree, path string, longruns ...string) *live.Dir {
	t.Helper()
	d, err := live.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	st, err := d.State()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.CheckEpoch(st.Epoch); err != nil {
		t.Error(err)
	}
	for _, s := range st.Services {
		if s.Up || s.Starting || s.Observed || s.Supervised != (s.Type == db.Longrun) {
			t.Errorf("service %+v", s)
		}
	}
	for _, in := range live.Internals() {
		longruns = append(longruns, in.Name)
		if up, err := s6.Supervised(d.Servicedir(in.Slot)); err != nil || !up {
			t.Errorf("%s: supervised %v, %v", in.Name, up, err)
		}
	}
	slices.Sort(longruns)
	if got := listing(t, filepath.Join(d.Real(), "servicedirs")); !slices.Equal(got, longruns) {
		t.Errorf("servicedirs %q, want %q", got, longruns)
	}
	for i := range longruns {
		longruns[i] = d.Prefix() + longruns[i]
	}
	if got := listing(t, tr.Dir); !slices.Equal(got, longruns) {
		t.Errorf("scandir %q, want %q", got, longruns)
	}
	v, err := d.View(st.Content, st.Table)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.DB.Close(); err != nil {
		t.Error(err)
	}
	beside, err := filepath.Glob(path + ":*")
	if err != nil || len(beside) != 1 || beside[0] != d.Real() {
		t.Errorf("beside the link: %q", beside)
	}
	return d
}

func TestInit(t *testing.T) {
	tr := newTree(t)
	database := writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"), longrun("b", "a"), oneshot("o", "b"))
	o := tr.options(database)
	o.Prefix = "x-"
	r, err := live.Init(t.Context(), o)
	if err != nil || r.Existing {
		t.Fatalf("init: %+v, %v", r, err)
	}
	d := wholeDir(t, tr, o.Live, "a", "b")
	if d.Real() != r.Real || d.Prefix() != "x-" || d.Scandir() != tr.Dir {
		t.Errorf("opened %+v", d)
	}
	// The database outside is not needed any more.
	if err := os.Remove(database); err != nil {
		t.Fatal(err)
	}
	copied, err := d.DB()
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if copied.Len() != 3 {
		t.Errorf("%d services", copied.Len())
	}
	sum, err := d.Summary()
	if err != nil || len(sum.Services) != 3 {
		t.Errorf("summary %+v, %v", sum, err)
	}
	stop, err := d.StopOrder()
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, s := range stop.Services {
		order = append(order, s.Name)
	}
	if strings.Join(order, " ") != "o b a" {
		t.Errorf("stop order %q", order)
	}
}

func TestInitAgain(t *testing.T) {
	tr := newTree(t)
	database := writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"), longrun("b"))
	d := tr.init(database)
	sup, err := s6.SupervisorPID(d.Servicedir(live.FirstSlot))
	if err != nil {
		t.Fatal(err)
	}
	r, err := live.Init(t.Context(), tr.options(database))
	if err != nil || !r.Existing || r.Real != d.Real() {
		t.Errorf("second init: %+v, %v", r, err)
	}
	wholeDir(t, tr, d.Path(), "a", "b")
	if again, err := s6.SupervisorPID(d.Servicedir(live.FirstSlot)); err != nil || again != sup {
		t.Errorf("supervisor was %d, is %d, %v", sup, again, err)
	}
	// What a killed init had not linked yet is linked.
	if err := s6.Unlink(t.Context(), tr.Dir, []s6.Entry{{Name: "b", Dir: d.Servicedir(live.FirstSlot + 1)}}); err != nil {
		t.Fatal(err)
	}
	if r, err := live.Init(t.Context(), tr.options(database)); err != nil || !r.Existing {
		t.Errorf("init of an incomplete directory: %+v, %v", r, err)
	}
	wholeDir(t, tr, d.Path(), "a", "b")
	other := tr.options(writeDB(t, filepath.Join(tr.Root, "db2"), longrun("c")))
	prefixed := tr.options(database)
	prefixed.Prefix = "p"
	scandir := s6test.New(t)
	elsewhere := tr.options(database)
	elsewhere.Scandir = scandir.Dir
	for name, o := range map[string]live.InitOptions{"database": other, "prefix": prefixed, "scandir": elsewhere} {
		if _, err := live.Init(t.Context(), o); !errors.Is(err, live.ErrMismatch) {
			t.Errorf("other %s: %v", name, err)
		}
	}
	wholeDir(t, tr, d.Path(), "a", "b")
	// A link that was lost is found again.
	if err := os.Remove(d.Path()); err != nil {
		t.Fatal(err)
	}
	if r, err = live.Init(t.Context(), tr.options(database)); err != nil || !r.Existing {
		t.Errorf("init without the link: %+v, %v", r, err)
	}
	wholeDir(t, tr, d.Path(), "a", "b")
}

func TestInitRefuses(t *testing.T) {
	tr := newTree(t)
	database := writeDB(t, filepath.Join(tr.Root, "db"), longrun("a"))
	long := writeDB(t, filepath.Join(tr.Root, "long"), longrun(strings.Repeat("n", 252)))
	cut := filepath.Join(tr.Root, "cut")
	content, err := os.ReadFile(database)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, content[:len(content)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(tr.Root, "dead")
	full := filepath.Join(tr.Root, "full")
	for _, dir := range []string{dead, full, filepath.Join(full, "x")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("full", filepath.Join(tr.Root, "foreign")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*live.InitOptions)
		is     error
		says   string
	}{
		{"relative scandir", func(o *live.InitOptions) { o.Scandir = "x" }, live.ErrUsage, "absolute"},
		{"relative live", func(o *live.InitOptions) { o.Live = "x" }, live.ErrUsage, "absolute"},
		{"slash in prefix", func(o *live.InitOptions) { o.Prefix = "a/b" }, live.ErrUsage, "prefix"},
		{"dot in prefix", func(o *live.InitOptions) { o.Prefix = "." }, live.ErrUsage, "prefix"},
		{"no svscan", func(o *live.InitOptions) { o.Scandir = dead }, s6.ErrNotRunning, dead},
		{"no scandir", func(o *live.InitOptions) { o.Scandir += "x" }, os.ErrNotExist, "scandir"},
		{"no database", func(o *live.InitOptions) { o.DB += "x" }, os.ErrNotExist, "database"},
		{"cut database", func(o *live.InitOptions) { o.DB = cut }, db.ErrCorrupt, cut},
		{"long name", func(o *live.InitOptions) { o.DB = long }, nil, "251"},
		{"directory in the way", func(o *live.InitOptions) { o.Live = full }, nil, "a directory is there"},
		{"file in the way", func(o *live.InitOptions) { o.Live = cut }, nil, "a file is there"},
		{"link in the way", func(o *live.InitOptions) { o.Live = filepath.Join(tr.Root, "foreign") }, nil, "a link to full is there"},
		{"name taken", func(o *live.InitOptions) { o.Prefix = "taken-" }, nil, "is not ours"},
	}
	if err := os.Mkdir(filepath.Join(tr.Dir, "taken-a"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := listing(t, tr.Root)
	for _, test := range tests {
		o := tr.options(database)
		test.change(&o)
		_, err := live.Init(t.Context(), o)
		if err == nil || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v", test.name, err)
		}
		if after := listing(t, tr.Root); !slices.Equal(after, before) {
			t.Errorf("%s: left %q", test.name, after)
		}
	}
}

// TestInitPrivate takes a database that not everyone may read: nothing that was in
// it can be read by others in the live directory.
func TestInitPrivate(t *testing.T) {
	tr := newTree(t)
	a := longrun("a")
	a.private = true
	a.change = func(s *db.Service, _ db.Blobs) { s.NotificationFD = db.Uint{Set: true, Value: 3} }
	d := tr.init(writeDB(t, filepath.Join(tr.Root, "db"), a, oneshot("o")))
	content := state(t, d).Content
	paths := []string{d.DatabasePath(content), filepath.Join(d.Real(), "stop-order"), filepath.Join(d.Real(), "lock")}
	for _, name := range []string{"run", "notification-fd"} {
		paths = append(paths, filepath.Join(d.Servicedir(live.FirstSlot), name))
	}
	if err := lock(t, d).Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	for _, name := range []string{"state", "journal", "format", "prefix"} {
		info, err := os.Stat(filepath.Join(d.Real(), name))
		if err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}
