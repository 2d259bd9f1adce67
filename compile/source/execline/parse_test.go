package execline

import (
	"errors"
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         []string
	}{
		{"empty", "", []string{}},
		{"blanks", " \t\r\n\x1b ", []string{}},
		{"words", "a b\tc\nd", []string{"a", "b", "c", "d"}},
		{"comment", "#!/bin/sh\na #b\nc#d", []string{"a", "c#d"}},
		{"quotes", `"a b" c"d e"f ""`, []string{"a b", "cd ef", ""}},
		{"letters", `"\a\b\t\n\v\f\r\q"`, []string{"\a\b\t\n\v\f\rq"}},
		{"numbers", `"\65\0101\0x41\0x4g\0x4142"`, []string{"AAA\x04gA42"}},
		{"numbers end", `"\655\01011"`, nil},
		{"outside quotes", `\x41 \n a\ b`, []string{"x41", "n", "a b"}},
		{"block", "if { true } x", []string{"if", " true", "", "x"}},
		{"blocks", "a { b { c } } d", []string{"a", " b", "  c", " ", "", "d"}},
		{"empty block", "a { } b", []string{"a", "", "b"}},
		{"braces in words", "{} a{ }b {c", []string{"{}", "a{", "}b", "{c"}},
		{"quoted braces", `"{" "}"`, []string{"{", "}"}},
		{"close at end", "a { b }", []string{"a", " b", ""}},
		{"nul", "a b\x00c }", []string{"a", "b"}},
		{"newline before word", "a \\\n b", []string{"a", "b"}},
		{"newline in word", "a\\\nb", []string{"a\nb"}},
		{"newline in quotes", "\"a\\\nb\"", []string{"ab"}},
		{"newline behind brace", "{\\\n a", []string{"{a"}},
		{"newline behind closing brace", "}\\\n a", []string{"}a"}},
		{"backslash behind brace in block", "a { {\\x }\\y }", []string{"a", " { x", " } y", ""}},
		{"number without quote", `"\0x4`, []string{"\x04"}},
		{"backslash at end", `a \`, []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse([]byte(c.script))
			if c.want == nil {
				if err == nil {
					t.Fatalf("got %q, want an error", got)
				}
				return
			}
			if err != nil || !slices.Equal(got, c.want) || got == nil {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		script string
		want   SyntaxError
	}{
		{"a {", SyntaxError{Line: 1, Column: 3, Kind: Syntax}},
		{"a {\n", SyntaxError{Line: 1, Column: 3, Kind: UnmatchedOpen}},
		{"a\n{ b\n{ c } ", SyntaxError{Line: 2, Column: 1, Kind: UnmatchedOpen}},
		{"a\n }\n", SyntaxError{Line: 2, Column: 2, Kind: UnmatchedClose}},
		{"a { } }", SyntaxError{Line: 1, Column: 7, Kind: UnmatchedClose}},
		{"x\n \"a\nb", SyntaxError{Line: 2, Column: 2, Kind: Syntax}},
		{"a\\", SyntaxError{Line: 1, Column: 2, Kind: Syntax}},
		{`"a\0x00"`, SyntaxError{Line: 1, Column: 3, Kind: Syntax}},
		{`"\256"`, SyntaxError{Line: 1, Column: 2, Kind: Syntax}},
		{`"\08"`, SyntaxError{Line: 1, Column: 2, Kind: Syntax}},
		{`"\0xg"`, SyntaxError{Line: 1, Column: 2, Kind: Syntax}},
		{`"\0`, SyntaxError{Line: 1, Column: 2, Kind: Syntax}},
	} {
		_, err := Parse([]byte(c.script))
		var e *SyntaxError
		if !errors.As(err, &e) || e.Line != c.want.Line || e.Column != c.want.Column || e.Kind != c.want.Kind {
			t.Errorf("Parse(%q) = %v, want %d:%d %v", c.script, err, c.want.Line, c.want.Column, c.want.Kind)
		}
	}
}

// FuzzLex looks for scripts that break the lexer, or that give what no argument
// vector can hold.
func FuzzLex(f *testing.F) {
	for _, s := range []string{"", "a { b } c", `"\0x41\65\0101"`, "{\\\n{ } ", "a\\\nb # c\nd", "} ", "\"\\0x4"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		argv, err := Parse(script)
		if err != nil {
			var e *SyntaxError
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || argv != nil {
				t.Fatalf("Parse(%q) = %q, %v", script, argv, err)
			}
			return
		}
		for _, a := range argv {
			if slices.Contains([]byte(a), 0) {
				t.Fatalf("Parse(%q) has a NUL in %q", script, a)
			}
		}
	})
}
