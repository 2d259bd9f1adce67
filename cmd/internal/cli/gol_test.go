package cli

import (
	"slices"
	"testing"
)

func TestS6RCOptions(t *testing.T) {
	for _, c := range []struct {
		args      []string
		verbosity string
		block     bool
		rest      []string
		code      int
	}{
		{args: nil},
		{args: []string{"-v1", "--", "dest", "src"}, verbosity: "1", rest: []string{"dest", "src"}},
		{args: []string{"-v", "2", "dest"}, verbosity: "2", rest: []string{"dest"}},
		{args: []string{"-bv2", "dest"}, verbosity: "2", block: true, rest: []string{"dest"}},
		{args: []string{"--verbosity=0", "--block"}, verbosity: "0", block: true},
		{args: []string{"-v", "--", "dest"}, rest: []string{"dest"}},
		{args: []string{"-v1", "-v2", "x"}, verbosity: "2", rest: []string{"x"}},
		{args: []string{"dest", "-b"}, rest: []string{"dest", "-b"}},
		{args: []string{"-", "-b"}, rest: []string{"-", "-b"}},
		{args: []string{"-v"}},
		{args: []string{"-Z"}, code: exitUsage},
		{args: []string{"--verbosity", "1"}, code: exitUsage},
		{args: []string{"--block=yes"}, code: exitUsage},
		{args: []string{"--=x"}, code: exitUsage},
	} {
		verbosity, block := "", false
		options := s6rcOptions{
			bools: []s6rcBool{{'b', "block", func() { block = true }}},
			args:  []s6rcArg{{'v', "verbosity", &verbosity}},
		}
		rest, err := options.parse(c.args)
		if codeOf(err) != c.code {
			t.Errorf("%q: exit code %d (%v), want %d", c.args, codeOf(err), err, c.code)
			continue
		}
		if err == nil && (verbosity != c.verbosity || block != c.block || !slices.Equal(rest, c.rest)) {
			t.Errorf("%q: verbosity %q, block %v, rest %q; want %q, %v, %q", c.args, verbosity, block, rest, c.verbosity, c.block, c.rest)
		}
	}
}
