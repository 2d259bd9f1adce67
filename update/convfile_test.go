package update

import (
	"errors"
	"testing"
)

// TestConversionFile holds single lines against s6-rc-update's answers.
func TestConversionFile(t *testing.T) {
	t.Parallel()
	old := specs{"a": longrun(), "b": oneshot(), "one": {Type: "bundle", Contents: []string{"a"}}, "two": {Type: "bundle", Contents: []string{"a", "b"}}, "none": {Type: "bundle"}}
	for _, c := range []struct {
		text string
		err  error
		code int
	}{
		{"", nil, 0},
		{"# a comment\n\n   \n", nil, 0},
		{"a restart", nil, 0},
		{"  \"a\"\t'restart'", ErrConversion, 100},
		{"one restart", nil, 0},
		{"a restart restart", nil, 0},
		{"a", nil, 0},
		{"a -> a restart", nil, 0},
		{"x restart", ErrUnknown, 3},
		{"\"\" restart", ErrUnknown, 3},
		{"a -> x", ErrNoTarget, 4},
		{"two restart", ErrNotAtomic, 5},
		{"none restart", ErrNotAtomic, 5},
		{"a restart\na restart", ErrDuplicate, 6},
		{"one restart\na restart", ErrDuplicate, 6},
		{"a -> b", ErrDuplicate, 6},
		{"a ->", ErrConversion, 100},
		{"a frob", ErrConversion, 100},
		{"a -> b frob", ErrConversion, 100},
		{"\"a", ErrConversion, 100},
		{"{ a", ErrConversion, 100},
		{"x restart\n\"a", ErrUnknown, 3},
		{"\"a\nx restart", ErrConversion, 100},
		{"s6rc-oneshot-runner restart", nil, 0},
	} {
		_, err := diffViews(old.view(t), old.view(t), ParseConversions("conv", []byte(c.text), words), false)
		if !errors.Is(err, c.err) || exitOf(err) != c.code {
			t.Errorf("%q: %v, want %v", c.text, err, c.err)
		}
	}
}

func FuzzParseConversions(f *testing.F) {
	for _, s := range []string{"a -> b restart\n", "# x\n", "\"", "{ }", "a\x00b"} {
		f.Add([]byte(s))
	}
	v := specs{"a": longrun(), "b": oneshot()}.view(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		_, err := diffViews(v, v, ParseConversions("conv", text, words), false)
		if code := exitOf(err); code == 111 {
			t.Errorf("%q: %v", text, err)
		}
	})
}
