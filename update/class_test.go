package update

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"strata/compile/db"
)

// TestClassTableIsComplete holds the table against the fields of a definition: a
// field that is added there must be decided on here.
func TestClassTableIsComplete(t *testing.T) {
	t.Parallel()
	rows := map[string]int{}
	for _, f := range Fields() {
		rows[f.Go]++
	}
	check := func(typ reflect.Type, prefix string) {
		for i := range typ.NumField() {
			name := prefix + typ.Field(i).Name
			_, excluded := notCompared[name]
			switch {
			case excluded && rows[name] > 0:
				t.Errorf("field %s is in the table and among those that are not compared", name)
			case !excluded && rows[name] != 1:
				t.Errorf("field %s stands %d times in the class table, want once", name, rows[name])
			}
			delete(rows, name)
		}
	}
	check(reflect.TypeFor[db.Service](), "")
	check(reflect.TypeFor[db.Exec](), "Exec.")
	for name := range rows {
		t.Errorf("the class table has a row for %s, which is no field", name)
	}
}

// TestEachFieldIsSeen changes every field in turn and expects exactly its row.
func TestEachFieldIsSeen(t *testing.T) {
	t.Parallel()
	name := func(i id) string {
		if i == db.None {
			return ""
		}
		return "other"
	}
	for _, f := range Fields() {
		a := &db.Service{Name: "a", Type: db.Longrun, Consumer: db.None}
		b := *a
		target := reflect.ValueOf(&b).Elem()
		for _, part := range strings.Split(f.Go, ".") {
			target = target.FieldByName(part)
		}
		alter(t, target)
		got := compareFields(side{a, name}, side{&b, name})
		if len(got) != 1 || got[0].Class != f.Longrun || !strings.HasPrefix(got[0].Field, f.Key) {
			t.Errorf("%s: changes %+v, want one of %q with class %s", f.Go, got, f.Key, f.Longrun)
			continue
		}
		if f.Secret != strings.HasPrefix(got[0].To, "sha256:") {
			t.Errorf("%s: shown as %q; secret is %t", f.Go, got[0].To, f.Secret)
		}
		if back := compareFields(side{&b, name}, side{a, name}); len(back) != 1 || back[0].From != got[0].To || back[0].To != got[0].From {
			t.Errorf("%s: the other way round: %+v", f.Go, back)
		}
	}
}

// alter sets a field to something that is not its zero value.
func alter(t *testing.T, v reflect.Value) {
	t.Helper()
	switch x := v.Addr().Interface().(type) {
	case *db.Program:
		*x = db.Program{Form: db.Argv, Argv: []string{"secret"}}
	case *db.Uint:
		*x = db.Uint{Set: true}
	case *[]byte:
		*x = []byte("SIGTERM\n")
	case *[]string:
		*x = []string{"x"}
	case *[]db.EnvVar:
		*x = []db.EnvVar{{Name: "A", Value: "secret"}}
	case *[]db.Limit:
		*x = []db.Limit{{Name: "core", Value: 1}}
	case *[]db.Entry:
		*x = []db.Entry{{Path: "data/x", Kind: db.File}}
	case *[]db.ServiceID:
		*x = []db.ServiceID{1}
	default:
		switch v.Kind() {
		case reflect.String:
			v.SetString("x")
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Uint8, reflect.Uint32:
			v.SetUint(1)
		default:
			t.Fatalf("no way to change a %s", v.Type())
		}
	}
}

func TestNoSecretInPatch(t *testing.T) {
	t.Parallel()
	old := specs{"a": longrun().with(runs("PASSWORD=one"))}
	new := specs{"a": longrun().with(runs("PASSWORD=two"))}
	p, err := planned(t, old, new, up("a"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil || strings.Contains(string(text), "PASSWORD") {
		t.Errorf("patch %s, %v", text, err)
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	old, new := specs{"a": longrun().with(runs("# one"))}.view(t), specs{"a": longrun().with(runs("# two"))}.view(t)
	c, err := diffViews(old, new, Conversions{}, false)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Texts(&c.Services[0], false)
	if err != nil || len(got) != 1 || got[0] != (TextChange{"run", "#!/bin/sh\n# one\nexec sleep 1000000\n", "#!/bin/sh\n# two\nexec sleep 1000000\n"}) {
		t.Errorf("texts %+v, %v", got, err)
	}
	entry := func(mode uint32) func(*spec) {
		return func(s *spec) {
			s.Edit = func(d *db.Service) { d.Files = []db.Entry{{Path: "data/x", Kind: db.File, Mode: mode}} }
		}
	}
	c2, err := diffViews(specs{"a": longrun().with(entry(0o644))}.view(t), specs{"a": longrun().with(entry(0o755))}.view(t), Conversions{}, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c2.Texts(&c2.Services[0], false); err != nil || len(got) != 1 || !strings.HasPrefix(got[0].From, "file 0644") || !strings.HasPrefix(got[0].To, "file 0755") {
		t.Errorf("another mode: %+v, %v", got, err)
	}
	new.private = true
	if _, err := c.Texts(&c.Services[0], false); err == nil {
		t.Error("values of a private database were shown")
	}
	if _, err := c.Texts(&c.Services[0], true); err != nil {
		t.Errorf("with the permission to show them: %v", err)
	}
}
