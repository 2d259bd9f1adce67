package journal

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestNames: lists of names are written and read as encoding/json does, or not at all.
func TestNames(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		names := rapid.SliceOfN(rapid.OneOf(
			rapid.StringMatching(`[a-z@._,:\[\]-]{0,8}`),
			rapid.SampledFrom([]string{"a b", `"`, `a","b`, `"]`, `\`, "<", ">", "&", "é", "\x00", "\x7f", "\u2028", "\xff", ".b64:YQ=="}),
		), 0, 6).Draw(rt, "names")
		want, err := json.Marshal(names)
		if err != nil {
			rt.Fatal(err)
		}
		got, ok := AppendNames([]byte("["), names)
		if ok && string(got) != string(want) {
			rt.Fatalf("%q are written as %s, want %s", names, got, want)
		}
		if plain := !slices.ContainsFunc(names, func(name string) bool { return !Text(name).Plain() || strings.HasPrefix(name, "]") }); ok != (plain && len(names) > 0) {
			rt.Fatalf("%q are written: %t", names, ok)
		}
		back, rest, cut := CutNames(append(want[1:], "rest"...))
		if cut != ok || ok && (string(rest) != "rest" || !slices.Equal(back, names)) {
			rt.Fatalf("%s is read as %q, %q, %t", want, back, rest, cut)
		}
	})
}

// FuzzCutNames: what is taken is what encoding/json reads.
func FuzzCutNames(f *testing.F) {
	for _, text := range []string{`"a","b"]}`, `"]`, `"a",]`, `"",""]`, `"a" ,"b"]`, `]`, `"a","b`, `"\u0061"]`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		names, rest, ok := CutNames(text)
		if !ok {
			return
		}
		var want []string
		list := append([]byte("["), text[:len(text)-len(rest)]...)
		if err := json.Unmarshal(list, &want); err != nil || !slices.Equal(names, want) {
			t.Errorf("%s is read as %q, want %q, %v", list, names, want, err)
		}
	})
}
