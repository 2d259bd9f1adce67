package update

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"strata/live"
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

func FuzzParsePatch(f *testing.F) {
	f.Add([]byte(`{"format":"strata-patch/1","actions":[{"seq":1,"phase":"switch","op":"switch","class":"graph"}],"after":{"up":[]}}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePatch(text)
		if (err == nil) == errors.Is(err, ErrPatch) || (err == nil) != (p != nil) {
			t.Errorf("%v, %v", p, err)
		}
	})
}

// TestRenameSteps gives random permutations of names and plays the steps.
func TestRenameSteps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"a", "b", "c", "d", "e", "f"}
		from := rapid.Permutation(names).Draw(t, "from")
		to := rapid.Permutation(names).Draw(t, "to")
		n := rapid.IntRange(0, len(names)).Draw(t, "how many")
		var moves []renaming
		at, want := map[string]live.Slot{}, map[string]live.Slot{}
		for i := range n {
			slot := live.Slot(i + 1)
			moves = append(moves, renaming{live.Named{Name: from[i], Slot: slot}, to[i]})
			at[from[i]], want[to[i]] = slot, slot
		}
		for _, s := range renameSteps(moves) {
			switch other, taken := at[s.to]; {
			case at[s.who.Name] != s.who.Slot:
				t.Fatalf("step %+v: the name belongs to %d", s, at[s.who.Name])
			case s.swap.Slot == 0 && taken:
				t.Fatalf("step %+v: the new name is taken by %d", s, other)
			case s.swap.Slot == 0:
				delete(at, s.who.Name)
				at[s.to] = s.who.Slot
			case s.swap.Name != s.to || other != s.swap.Slot:
				t.Fatalf("step %+v: the other one is %d", s, other)
			default:
				at[s.who.Name], at[s.to] = other, s.who.Slot
			}
		}
		if !reflect.DeepEqual(at, want) {
			t.Fatalf("in the end %v, want %v", at, want)
		}
	})
}
