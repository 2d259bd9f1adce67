package update

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"strata/update/generation"
)

func TestOpsAreClosed(t *testing.T) {
	t.Parallel()
	for op, rule := range Ops {
		if rule.Before == "" || rule.After == "" || rule.Text == "" {
			t.Errorf("%s is not explained: %+v", op, rule)
		}
		if _, ok := Ops[rule.Inverse]; rule.Inverse != "" && (!ok || Ops[rule.Inverse].Inverse != op) {
			t.Errorf("%s: its inverse %q does not lead back", op, rule.Inverse)
		}
	}
}

func TestParsePatch(t *testing.T) {
	t.Parallel()
	old := specs{"db": longrun(), "web": longrun("db"), "x": longrun()}
	new := specs{"db": longrun().with(runs("# new")), "web": longrun("db"), "y": longrun()}
	p, err := planned(t, old, new, up("db", "web"), Options{}, "x -> y")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParsePatch(text)
	if err != nil || !reflect.DeepEqual(back, p) {
		t.Errorf("read back: %+v, %v; want %+v", back, err, p)
	}
	for _, wrong := range []struct{ old, new string }{
		{"strata-patch/1", "strata-patch/2"},
		{`"op":"stop"`, `"op":"halt"`},
		{`"seq":2`, `"seq":3`},
		{`"phase":"stop"`, `"phase":"start"`},
		{`"class":"restart"`, `"class":"nothing"`},
		{`{"format"`, `{"format`},
	} {
		damaged := strings.Replace(string(text), wrong.old, wrong.new, 1)
		if _, err := ParsePatch([]byte(damaged)); damaged == string(text) || !errors.Is(err, ErrPatch) {
			t.Errorf("with %s for %s: %v, want %v", wrong.new, wrong.old, err, ErrPatch)
		}
	}
}

// TestPatchOfBytes: names and paths need not be UTF-8.
func TestPatchOfBytes(t *testing.T) {
	t.Parallel()
	old := specs{"d\xff": longrun(), "web": longrun("d\xff"), "\xfe": longrun()}
	new := specs{"d\xff": longrun().with(runs("# new")), "web": longrun("d\xff"), "e\xfe": longrun()}
	for _, policy := range []Policy{Definition, Identity} {
		p, err := planned(t, old, new, up("d\xff", "web"), Options{Policy: policy, Restart: []string{"d\xff"}}, "\xfe -> e\xfe")
		if err != nil {
			t.Fatal(err)
		}
		p.New.Path = "/\xff.db"
		p.Store = &generation.Move{Path: "/\xfd", From: "\xfe.db", To: "x"}
		before := fmt.Sprintf("%+v", p)
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\ufffd") || fmt.Sprintf("%+v", p) != before {
			t.Errorf("%s\nof %+v", text, p)
		}
		back, err := ParsePatch(text)
		if err != nil || !reflect.DeepEqual(back, p) {
			t.Errorf("read back: %+v, %v; want %+v", back, err, p)
		}
	}
	if _, err := ParsePatch([]byte(`{"format":"strata-patch/1","old":{"path":".b64:!"}}`)); !errors.Is(err, ErrPatch) {
		t.Errorf("what is no base64: %v", err)
	}
}

func FuzzParsePatch(f *testing.F) {
	f.Add([]byte(`{"format":"strata-patch/1","actions":[{"seq":1,"phase":"switch","op":"switch","class":"graph"}],"after":{"up":[]}}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"format":"strata-patch/1","before":{"up":["a","b"]},"actions":[],"after":{"up":["a"]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePatch(text)
		if (err == nil) == errors.Is(err, ErrPatch) || (err == nil) != (p != nil) {
			t.Errorf("%v, %v", p, err)
		}
		var quick, whole plainPatch
		if quick.unmarshalUp(text) && (json.Unmarshal(text, &whole) != nil || !reflect.DeepEqual(quick, whole)) {
			t.Errorf("read as\n%+v, want\n%+v", quick, whole)
		}
	})
}
