package db

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestDigestText(t *testing.T) {
	t.Parallel()
	want := Digest{0xab, 31: 0x01}
	if got, err := ParseDigest(want.String()); err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
	text, err := json.Marshal(map[Digest]Digest{want: want})
	if err != nil {
		t.Fatal(err)
	}
	var back map[Digest]Digest
	if err := json.Unmarshal(text, &back); err != nil || back[want] != want {
		t.Errorf("%s: %v, %v", text, back, err)
	}
	for _, bad := range []string{"", "ab", strings.Repeat("x", 64), strings.Repeat("a", 66)} {
		if _, err := ParseDigest(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestOriginAt(t *testing.T) {
	t.Parallel()
	o := Origin{Path: "a.toml", Line: 1, Fields: []FieldOrigin{{"run", "a.toml", 7}, {"up", "up", 0}}}
	for field, want := range map[string]FieldOrigin{"run": {"", "a.toml", 7}, "up": {"", "up", 0}, "down": {"", "a.toml", 1}} {
		if path, line := o.At(field); path != want.Path || line != want.Line {
			t.Errorf("%s: %s:%d", field, path, line)
		}
	}
}

func TestServiceBlobs(t *testing.T) {
	t.Parallel()
	m := rich(t)
	all := slices.Collect(m.Services[2].Blobs())
	if want := []Digest{m.Services[2].Run.Script, m.Services[2].Files[1].Blob, m.Services[2].Files[4].Blob}; !slices.Equal(all, want) {
		t.Errorf("got %v", all)
	}
	// A caller may stop at any of them.
	for n := range all {
		seen := 0
		for range m.Services[2].Blobs() {
			if seen++; seen > n {
				break
			}
		}
		if seen != n+1 {
			t.Errorf("saw %d, want %d", seen, n+1)
		}
	}
}
