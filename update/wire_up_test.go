package update

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// wireNames are names that JSON writes as they are, and such that it does not.
var wireNames = rapid.OneOf(
	rapid.StringMatching(`[a-z@._-]{1,8}`),
	rapid.SampledFrom([]string{"a b", `a"]`, `a","b`, `\`, "<", "&", "é", "\x7f", "\xff", ".b64:YQ=="}),
)

// TestUpListsWire: the lists that are read and written by themselves are what
// encoding/json makes of them.
func TestUpListsWire(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := func(name string) []string { return rapid.SliceOfN(wireNames, 0, 5).Draw(rt, name) }
		p := Patch{Format: PatchFormat, Before: Before{list("before")}, After: After{Up: list("after"), Wanted: list("wanted")}}
		got, err := p.MarshalJSON()
		if err != nil {
			rt.Fatal(err)
		}
		plain := plainPatch(p)
		if err := plain.convertUp(encodeString); err != nil {
			rt.Fatal(err)
		}
		if err := plain.convertRest(encodeString); err != nil {
			rt.Fatal(err)
		}
		want, err := json.Marshal(plain)
		if err != nil || string(got) != string(want) {
			rt.Fatalf("%s\nwant\n%s, %v", got, want, err)
		}
		var back Patch
		if err := back.UnmarshalJSON(got); err != nil || !reflect.DeepEqual(back.Before, p.Before) || !reflect.DeepEqual(back.After.Up, p.After.Up) || !slices.Equal(back.After.Wanted, p.After.Wanted) {
			rt.Fatalf("read back %+v, %v\nof %s", back, err, got)
		}
	})
}

// TestUpListsRead: what is not written as here is read as encoding/json reads it.
func TestUpListsRead(t *testing.T) {
	t.Parallel()
	const front, between = `{"format":"strata-patch/1","before":{"up":[`, `]},"actions":[],"after":{"up":[`
	for _, c := range []struct {
		text  string
		quick bool
	}{
		{front + `"a","b"` + between + `"c"],"wanted":["d"]}}`, true},
		{front + `"a"` + between + `"c"]},"before":{"up":["z"]}}`, false},      // the last one counts
		{`{"x":[{"a":1,"before":{"up":["no"]}}],"after":{"up":["c"]}}`, false}, // another object's
		{front + `"a","b" ` + between + `"c"]}}`, false},
		{front + `"a", "b"` + between + `"c"]}}`, false},
		{front + `"\u0061"` + between + `"c"]}}`, false},
		{front + `"a",null` + between + `"c"]}}`, false},
		{front + between + `"c"]}}`, false},
		{`{"after":{"up":["c"]},"before":{"up":["a"]}}`, false},
		{front + `"a"` + between + `"c"]}`, false},
		{`{"x":{"a":1,"before":{"up":["no"]},"after":{"up":["no"]}},"before":{"up":["\u007f"]},"after":{"up":["` + "\x7f" + `"]}}`, false},
	} {
		var want, got plainPatch
		wantErr := json.Unmarshal([]byte(c.text), &want)
		if quick := got.unmarshalUp([]byte(c.text)); quick != c.quick || quick && (wantErr != nil || !reflect.DeepEqual(got, want)) {
			t.Errorf("%s\nis read %t as\n%+v, want\n%+v, %v", c.text, quick, got, want, wantErr)
		}
		var p Patch
		if err := p.UnmarshalJSON([]byte(c.text)); (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(plainPatch(p), want) {
			t.Errorf("%s\nis\n%+v, %v, want\n%+v, %v", c.text, p, err, want, wantErr)
		}
	}
}
