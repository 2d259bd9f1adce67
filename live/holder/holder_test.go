package holder

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/journal"
)

// newDir makes as much of a live directory as can be read without a supervisor.
func newDir(t *testing.T) *live.Dir {
	t.Helper()
	dir := t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(dir, "format"), []byte(live.Format), 0o600),
		os.WriteFile(filepath.Join(dir, "prefix"), nil, 0o600),
		os.Symlink("/nowhere", filepath.Join(dir, "scandir")),
		os.MkdirAll(filepath.Join(dir, "sv/2"), 0o700),
		os.Mkdir(filepath.Join(dir, "db"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := live.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// mustEnds makes a pipe.
func mustEnds(t *testing.T) (ends, pipeID) {
	t.Helper()
	e, id, err := newEnds(os.Geteuid())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	return e, id
}

// link is the link in /proc to a file of ours.
func link(f *os.File) string { return selfLink(int(f.Fd())) }

// statusFlags are the flags of an open file; Fd would change them.
func statusFlags(t *testing.T, f *os.File) (flags int) {
	t.Helper()
	raw, err := f.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { flags, err = unix.FcntlInt(fd, unix.F_GETFL, 0) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return flags
}

// A pipe is opened again by whichever end is left, with what is in it, and blocks.
func TestReopen(t *testing.T) {
	for _, left := range []string{"read", "write"} {
		e, id := mustEnds(t)
		e.write.WriteString("word")
		end := e.read
		if left == "write" {
			end = e.write
			e.read.Close()
		} else {
			e.write.Close()
		}
		again, err := reopen(link(end), id)
		if err != nil {
			t.Fatalf("by the %s end: %v", left, err)
		}
		for _, f := range []*os.File{again.read, again.write} {
			if flags := statusFlags(t, f); flags&unix.O_NONBLOCK != 0 {
				t.Errorf("by the %s end: flags %#x", left, flags)
			}
			if got, err := idOfFile(f); err != nil || got != id {
				t.Errorf("by the %s end: pipe %s instead of %s, %v", left, got, id, err)
			}
		}
		end.Close()
		again.write.Close()
		if text, err := io.ReadAll(again.read); err != nil || string(text) != "word" {
			t.Errorf("by the %s end: %q, %v", left, text, err)
		}
		again.read.Close()
	}
}

// What is not the pipe that was asked for is not taken.
func TestReopenOther(t *testing.T) {
	_, other := mustEnds(t)
	e, _ := mustEnds(t)
	if _, err := reopen(link(e.read), other); !errors.Is(err, errOther) {
		t.Errorf("another pipe: %v", err)
	}
	path := filepath.Join(t.TempDir(), "pipe:[1]")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	fifo, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer fifo.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, f := range []*os.File{fifo, null} {
		if id, err := idOfFile(f); id != "" || err != nil {
			t.Errorf("%s is taken for the pipe %s, %v", f.Name(), id, err)
		}
	}
	if _, err := reopen(selfLink(1<<20), other); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a closed descriptor: %v", err)
	}
}

// The pipes belong to the tree's owner, who opens them again.
func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: a pipe is given away")
	}
	const owner = 65534
	e, _, err := newEnds(owner)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	var st unix.Stat_t
	if err := unix.Fstat(int(e.write.Fd()), &st); err != nil || st.Uid != owner {
		t.Errorf("owner %d, %v", st.Uid, err)
	}
}

func TestRecord(t *testing.T) {
	d := newDir(t)
	if got := recorded(d, 16); got != "" {
		t.Errorf("noted is %s", got)
	}
	for _, id := range []pipeID{"pipe:[1]", "pipe:[2]", "pipe:[2]"} {
		for _, slot := range []live.Slot{16, 17} {
			if err := record(d, slot, id); err != nil {
				t.Fatal(err)
			}
			if got := recorded(d, slot); got != id {
				t.Errorf("noted is %s and not %s", got, id)
			}
		}
	}
	if err := os.Symlink("pipe:[3]", filepath.Join(recordDir(d), ".18.new")); err != nil {
		t.Fatal(err) // what a kill leaves
	}
	if err := forget(d, map[live.Slot]Pipe{17: {}}); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(recordDir(d))
	if err != nil || len(entries) != 1 || entries[0].Name() != "17" {
		t.Errorf("left are %v, %v", entries, err)
	}
}

// writeDB puts a database of longruns into a live directory. feeds gives for each
// name the name of its consumer, or nothing.
func writeDB(t *testing.T, d *live.Dir, feeds map[string]string) (db.Digest, []string) {
	t.Helper()
	var names []string
	for name := range feeds {
		names = append(names, name)
	}
	slices.Sort(names)
	m := db.Model{Blobs: db.Blobs{}}
	var edges []graph.Edge
	for i, name := range names {
		s := db.Service{Name: name, Type: db.Longrun, Consumer: db.None, Run: db.Program{Form: db.Argv, Argv: []string{"true"}}}
		if c := feeds[name]; c != "" {
			s.Consumer = db.ServiceID(slices.Index(names, c))
			edges = append(edges, graph.Edge{From: db.ServiceID(i), To: s.Consumer})
		}
		for j, other := range names {
			if feeds[other] == name {
				s.Producers = append(s.Producers, db.ServiceID(j))
			}
		}
		m.Services = append(m.Services, s)
	}
	var err error
	if m.Needs, err = graph.New(len(names), edges); err != nil {
		t.Fatal(err)
	}
	if m.Wants, err = graph.New(len(names), nil); err != nil {
		t.Fatal(err)
	}
	m.Soft = m.Wants
	if m.Levels, err = m.Needs.Levels(); err != nil {
		t.Fatal(err)
	}
	temp := filepath.Join(t.TempDir(), "db")
	info, err := db.Write(temp, &m, db.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.Copy(temp, filepath.Dir(d.DatabasePath(info.Content))); err != nil {
		t.Fatal(err)
	}
	return info.Content, names
}

// table gives services slots.
func table(names []string, slots ...live.Slot) journal.Table {
	t := make(journal.Table, len(names))
	for i, name := range names {
		t[i] = journal.Entry{Slot: slots[i], Name: name, Type: db.Longrun}
	}
	return t
}

// describe writes pipes in a line: consumer<producers.
func describe(pipes map[live.Slot]Pipe) string {
	var all []string
	for slot, p := range pipes {
		if p.Consumer.Slot != slot {
			return "wrong slot"
		}
		text := fmt.Sprintf("%s.%d<", p.Consumer.Name, slot)
		for _, m := range p.Producers {
			text += fmt.Sprintf("%s.%d,", m.Name, m.Slot)
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// In the middle of a patch the pipes of both databases count.
func TestPipes(t *testing.T) {
	d := newDir(t)
	old, oldNames := writeDB(t, d, map[string]string{"a": "log", "b": "log", "log": "", "x": ""})
	next, newNames := writeDB(t, d, map[string]string{"b": "log", "c": "log", "log": "end", "end": ""})
	oldTable, newTable := table(oldNames, 16, 17, 18, 19), table(newNames, 17, 20, 21, 18)
	if err := journal.Create(d.JournalPath(), journal.Init{Content: old, Table: oldTable, NextSlot: 20}); err != nil {
		t.Fatal(err)
	}
	expect := func(want string) {
		t.Helper()
		pipes, err := Pipes(d)
		if got := describe(pipes); err != nil || got != want {
			t.Errorf("pipes %s, %v; want %s", got, err, want)
		}
	}
	expect("log.18<a.16,b.17,")
	w, err := journal.OpenWriter(d.JournalPath())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	const both = "end.21<log.18, log.18<a.16,b.17,c.20,"
	for _, step := range []struct {
		event journal.Event
		want  string
	}{
		{journal.PatchBegin{Old: old, New: next, Table: newTable, NextSlot: 22, Actions: 1}, both},
		{journal.Switch{Content: next, Table: newTable, NextSlot: 22}, both},
		{journal.PatchEnd{Outcome: journal.Applied}, "end.21<log.18, log.18<b.17,c.20,"},
	} {
		if _, err := w.Append("test", step.event); err != nil {
			t.Fatal(err)
		}
		expect(step.want)
	}
}

// What is wrong with the live directory ends the start.
func TestPipesUnknown(t *testing.T) {
	d := newDir(t)
	if _, err := Pipes(d); !errors.Is(err, live.ErrCorrupt) {
		t.Errorf("without a journal: %v", err)
	}
	if _, err := collect(t.Context(), d.Real(), nil); !errors.Is(err, live.ErrCorrupt) {
		t.Errorf("without a journal: %v", err)
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{nil, {"--fd"}, {"--fd", "x", "/live"}, {"--fd", "1", "/live"}, {"--fill", "x", "false", "/live"}, {"--start", "1", "x", "/live"}, {"/live"}} {
		if err := Main(args); !errors.Is(err, ErrGivesUp) {
			t.Errorf("%q: %v", args, err)
		}
	}
}
