package servicedir

import (
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// anyBytes draws strings of any bytes but null, most of them nasty.
func anyBytes() *rapid.Generator[string] {
	nasty := rapid.SampledFrom([]byte(" \t\n'\"\\$`!*?[]{}()<>|&;#~=%-+@:,./aZ0\x01\x7f\x80\xff"))
	return rapid.Map(rapid.SliceOfN(nasty, 0, 12), func(b []byte) string { return string(b) })
}

// TestQuote gives quoted words to a real shell and reads them back.
func TestQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		args := rapid.SliceOfN(anyBytes(), 0, 50).Draw(t, "args")
		out, err := exec.Command("/bin/sh", "-c", `for w in `+words(args...)+`; do printf '%s\0' "$w"; done`).Output()
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		want := ""
		for _, a := range args {
			want += a + "\x00"
		}
		if string(out) != want {
			t.Errorf("got %q, want %q", out, want)
		}
	})
}

// TestQuoteTwice quotes a command within a command, as the pipe scripts do.
func TestQuoteTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		arg := anyBytes().Draw(t, "arg")
		inner := "printf %s " + Quote(arg)
		out, err := exec.Command("/bin/sh", "-c", "/bin/sh -c "+Quote(inner)).Output()
		if err != nil || string(out) != arg {
			t.Errorf("%q came back as %q, %v", arg, out, err)
		}
	})
}

func TestQuotePlain(t *testing.T) {
	for in, want := range map[string]string{"": "''", "a/b-c": "a/b-c", "a b": "'a b'", "it's": `'it'\''s'`, "a=b": "'a=b'", "~": "'~'"} {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
	if strings.Contains(words("a", "b c"), `"`) {
		t.Error("double quotes are never used")
	}
}
