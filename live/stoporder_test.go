package live

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"strata/compile/db"
	"strata/graph"
	"strata/live/journal"
)

// orderView is a database of longruns with these needs, "a: b c", in slots by
// letter.
func orderView(t *testing.T, lines ...string) View {
	t.Helper()
	var m db.Model
	var table journal.Table
	var edges []graph.Edge
	number := make(map[string]graph.ID)
	for i, line := range lines {
		name, _, _ := strings.Cut(line, ":")
		number[name] = graph.ID(i)
		m.Services = append(m.Services, db.Service{Name: name, Type: db.Longrun, Run: db.Program{Form: db.Argv, Argv: []string{"true"}}, Consumer: db.None})
		table = append(table, journal.Entry{Slot: FirstSlot + Slot(name[0]-'a'), Name: name, Type: db.Longrun})
	}
	for i, line := range lines {
		_, needs, _ := strings.Cut(line, ":")
		for _, to := range strings.Fields(needs) {
			edges = append(edges, graph.Edge{From: graph.ID(i), To: number[to]})
		}
	}
	return viewOf(t, m, edges, table)
}

// viewOf is a view of a database of a model, to which needs are added.
func viewOf(t *testing.T, m db.Model, needs []graph.Edge, table journal.Table) View {
	t.Helper()
	var err error
	if m.Needs, err = graph.New(len(m.Services), needs); err != nil {
		t.Fatal(err)
	}
	if m.Wants, err = graph.New(len(m.Services), nil); err != nil {
		t.Fatal(err)
	}
	m.Soft = m.Wants
	if m.Levels, err = m.Needs.Levels(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "db")
	if _, err := db.Write(path, &m, db.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	base, err := db.OpenLive(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { base.Close() })
	return View{DB: base, Table: table}
}

// names are the services of an order, each with what it needs.
func orderNames(s StopOrder) string {
	var out []string
	for _, sv := range s.Services {
		line := sv.Name
		for _, slot := range sv.Needs {
			line += "<" + string(rune('a'+slot-FirstSlot))
		}
		out = append(out, line)
	}
	return strings.Join(out, " ")
}

func TestStopOrderOfTwo(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new []string
		want     string
	}{
		{"one", []string{"a", "b: a", "c"}, nil, "b<a a c"},
		{"new services", []string{"a", "b: a"}, []string{"a", "b: a", "c: b"}, "c<b b<a a"},
		{"new needs of old services", []string{"a"}, []string{"a: b", "b"}, "a<b b"},
		{"contradiction", []string{"a", "b: a"}, []string{"a: b", "b", "c: a"}, "b<a c<a a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			views := []View{orderView(t, c.old...)}
			if c.new != nil {
				views = append(views, orderView(t, c.new...))
			}
			s, err := stopOrder(views)
			if err != nil {
				t.Fatal(err)
			}
			if got := orderNames(s); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestStopOrderFile(t *testing.T) {
	d := &Dir{real: t.TempDir()}
	def := db.Digest{1, 2, 3}
	want := StopOrder{
		Epoch: journal.Epoch{Boot: "x", PID: 7, Start: 8},
		Services: []StopService{
			{Slot: 17, Name: "net\xff", Type: "oneshot", Level: 1, Timeout: 5, Needs: []Slot{16}, Content: &def, Def: &def, Down: []string{"sh", "-c", "<\xfe> & .b64:"}, TTY: "/dev/null"},
			{Slot: 16, Name: "log", Type: "longrun", Essential: true, After: []Slot{18}},
		},
	}
	if err := d.writeStopOrder(stopHead{Epoch: want.Epoch, Contents: []db.Digest{{4}, def}}, want.Services); err != nil {
		t.Fatal(err)
	}
	got, err := d.StopOrder()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	text, err := os.ReadFile(d.file("stop-order"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseStopOrder([]byte(strings.Replace(string(text), "order/1", "order/2", 1)), db.Digest{}); !errors.Is(err, ErrFormat) {
		t.Errorf("another format: %v", err)
	}
	// Whatever bit is flipped, and wherever it is cut, it is noticed.
	for i := range text {
		for bit := range 8 {
			bad := append([]byte(nil), text...)
			bad[i] ^= 1 << bit
			if s, err := parseStopOrder(bad, db.Digest{}); err == nil && !reflect.DeepEqual(s, want) {
				t.Fatalf("bit %d of byte %d flipped: %+v", bit, i, s)
			}
		}
		if s, err := parseStopOrder(text[:i], db.Digest{}); err == nil && !reflect.DeepEqual(s, want) {
			t.Fatalf("cut to %d bytes: %+v", i, s)
		}
	}
}

// TestStopAlike: where the orders are said to be alike, that of both databases is that
// of the first.
func TestStopAlike(t *testing.T) {
	base := []string{"a", "b: a", "c"}
	for _, c := range []struct {
		name  string
		new   []string
		alike bool
	}{
		{"the same", base, true},
		{"a new need", []string{"a", "b: a", "c: a"}, false},
		{"one need less", []string{"a", "b", "c"}, false},
		{"another need", []string{"a", "b: c", "c"}, false},
		{"one more", []string{"a", "b: a", "c", "d"}, false},
		{"one less", []string{"a", "b: a"}, false},
		{"another slot", []string{"a", "b: a", "d"}, false},
	} {
		a, b := orderView(t, base...), orderView(t, c.new...)
		one, err := stopOrder([]View{a})
		if err != nil {
			t.Fatal(err)
		}
		both, err := stopOrder([]View{a, b})
		if err != nil {
			t.Fatal(err)
		}
		alike := StopAlike(a, b)
		if alike != c.alike || alike && !reflect.DeepEqual(one, both) {
			t.Errorf("%s: alike %t, and the orders are\n%+v\n%+v", c.name, alike, one, both)
		}
	}
	follow := func(name string, a, b View) {
		d, want := &Dir{real: t.TempDir()}, &Dir{real: t.TempDir()}
		link := os.Symlink(compiledTarget(b.DB.Content()), d.file("compiled"))
		if err := errors.Join(link, d.WriteStopOrder(a), d.FollowStopOrder(b, StopAlike(a, b)), want.WriteStopOrder(b)); err != nil {
			t.Fatal(err)
		}
		got, err := d.StopOrder()
		whole, err2 := want.StopOrder()
		if err = errors.Join(err, err2); err != nil || !reflect.DeepEqual(got, whole) {
			t.Errorf("%s: followed it is\n%+v\nwritten anew\n%+v\n%v", name, got, whole, err)
		}
		for before, left := range map[*Dir][]View{d: {a, b}, want: {b}} {
			if err := errors.Join(before.WriteStopOrder(left...), before.FollowStopOrder(b, true)); err != nil {
				t.Fatal(err)
			}
			if readFile(t, d.file("stop-order")) != readFile(t, want.file("stop-order")) {
				t.Errorf("%s: after a file of %d it is another one", name, len(left))
			}
		}
	}
	change := func(to func(*db.Service)) View {
		s := db.Service{Name: "o", Type: db.Oneshot, Up: db.Program{Form: db.Argv, Argv: []string{"true"}}, Consumer: db.None}
		to(&s)
		return viewOf(t, db.Model{Services: []db.Service{s}}, nil, journal.Table{{Slot: FirstSlot, Name: "o", Type: db.Oneshot}})
	}
	for name, to := range map[string]func(*db.Service){
		"down":      func(s *db.Service) { s.Down = db.Program{Form: db.Argv, Argv: []string{"false"}} },
		"timeout":   func(s *db.Service) { s.TimeoutDown = 7 },
		"essential": func(s *db.Service) { s.Flags |= db.Essential },
	} {
		if StopAlike(change(func(*db.Service) {}), change(to)) {
			t.Errorf("%s: alike", name)
		}
	}
	old := change(func(*db.Service) {})
	for name, to := range map[string]func(*db.Service){
		"nothing":     func(*db.Service) {},
		"description": func(s *db.Service) { s.Description = "other" },
		"another":     func(s *db.Service) { s.Down = db.Program{Form: db.Argv, Argv: []string{"false"}} },
	} {
		v := change(to)
		if alike := StopAlike(old, v); alike != (name != "another") {
			t.Errorf("%s: alike %t", name, alike)
		}
		follow(name, old, v)
	}
	longruns := orderView(t, base...)
	follow("longruns", longruns, orderView(t, base...))
	follow("other longruns", longruns, orderView(t, "a", "b", "c"))
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
