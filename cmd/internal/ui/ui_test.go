package ui_test

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"strata/cmd/internal/ui"
	"strata/internal/diag"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain text":   "plain text",
		"grüße":        "grüße",
		"tab\there":    `tab\there`,
		"\x1b[2Jclear": `\x1b[2Jclear`,
		"not\xffutf8":  `not\xffutf8`,
		"line\nbreak":  `line\nbreak`,
		"":             "",
	} {
		if got := ui.Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestErrorText(t *testing.T) {
	one, other := errors.New("cannot write a: disk full"), errors.New("cannot close \x1b")
	for err, want := range map[error]string{
		one:                     "cannot write a: disk full",
		errors.Join(one, other): `cannot write a: disk full; cannot close \x1b`,
	} {
		if got := ui.ErrorText(err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Nothing that is printed may move the cursor, and nothing is lost.
func FuzzEscape(f *testing.F) {
	f.Add("\x1b]0;title\a")
	f.Add("a\\nb\xc3(")
	f.Fuzz(func(t *testing.T, s string) {
		got := ui.Escape(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Fatalf("Escape(%q) = %q", s, got)
		}
		if strings.Contains(s, `\`) || strings.Contains(s, `"`) {
			return
		}
		if back, err := strconv.Unquote(`"` + got + `"`); err != nil || back != s {
			t.Fatalf("Escape(%q) = %q, which is %q (%v)", s, got, back, err)
		}
	})
}

func ExampleStreams_Diagnostics() {
	var l diag.List
	d := l.Errorf("unknown-key", diag.Position{File: "web.toml", Line: 4, Column: 1}, "web: unknown key %q", "nedes")
	d.Excerpt, d.Width, d.Hint = `nedes = ["network"]`, 5, "did you mean needs?"
	ui.Streams{Tool: "rc-compile", Err: os.Stdout}.Diagnostics(l)
	// Output:
	// web.toml:4:1: error: web: unknown key "nedes" [unknown-key]
	//    4 | nedes = ["network"]
	//      | ^^^^^
	//   hint: did you mean needs?
	// rc-compile: 1 error
}

func TestExcerptMarksWhatIsMeant(t *testing.T) {
	for _, c := range []struct {
		excerpt       string
		column, width int
		want          string
	}{
		{"\tneeds = 3", 10, 1, "   7 |  needs = 3\n     |          ^\n"},
		{"a\x1bb = 1", 3, 1, "   7 | a\\x1bb = 1\n     |      ^\n"},
		{"short", 6, 4, "   7 | short\n     |      ^\n"},
		{"short", 2, 99, "   7 | short\n     |  ^^^^\n"},
		{"short", 0, 0, "   7 | short\n"},
		{"short", 40, 1, "   7 | short\n"},
	} {
		var out bytes.Buffer
		ui.Streams{Tool: "t", Err: &out}.Diagnostics(diag.List{{
			Pos: diag.Position{File: "f", Line: 7, Column: c.column}, Excerpt: c.excerpt, Width: c.width,
		}})
		_, got, _ := strings.Cut(out.String(), "\n")
		got = strings.TrimSuffix(got, "t: 1 error\n")
		if got != c.want {
			t.Errorf("excerpt %q, column %d, width %d:\n%swant\n%s", c.excerpt, c.column, c.width, got, c.want)
		}
	}
}

func TestColours(t *testing.T) {
	var out bytes.Buffer
	ui.Streams{Tool: "t", Err: &out, Color: true}.Diagnostics(diag.List{{Severity: diag.Warning}})
	if !strings.Contains(out.String(), "\x1b[33mwarning\x1b[0m") {
		t.Errorf("%q", out.String())
	}
}
