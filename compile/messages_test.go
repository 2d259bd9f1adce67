package compile

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strata/compile/source"
	"strata/internal/diag"
)

// runOn compiles files of one source, named by their path.
func runOn(t *testing.T, files map[string]string, o Options) diag.List {
	t.Helper()
	dir := t.TempDir()
	for path, content := range files {
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, list := Run(context.Background(), []source.Dir{{Path: dir}}, o)
	return list
}

// One mistake gives one error, with the line it is about and what to do.
func TestMessages(t *testing.T) {
	longrun := func(n string, files ...string) map[string]string {
		m := map[string]string{n + "/type": "longrun\n", n + "/run": "#!/bin/sh\n"}
		for i := 0; i < len(files); i += 2 {
			m[files[i]] = files[i+1]
		}
		return m
	}
	for _, c := range []struct {
		name, code, excerpt, hint string
		width                     int
		files                     map[string]string
	}{
		{"blanks", "undefined-dependency", "b ", "a part of the name", 2, longrun("a", "a/dependencies", "b \n", "b.toml", "type = \"oneshot\"\nup = [\"true\"]\n")},
		{"comment", "undefined-dependency", "b # for x", "a line of its own", 9, longrun("a", "a/dependencies", "b # for x\n")},
		{"near", "undefined-in-bundle", "contents = ['wbe', \"web\"]", "did you mean web?", 5, longrun("web", "all.toml", "type = 'bundle'\ncontents = ['wbe', \"web\"]\n")},
		{"itself", "dependency-cycle", "a", "remove this dependency", 1, longrun("a", "a/dependencies", "a\n")},
		{"bundle", "bundle-cycle", "a", "its own contents", 1, map[string]string{"a/type": "bundle", "a/contents": "a\n"}},
		{"producer for itself", "pipeline-itself", "a", "", 1, longrun("a", "a/producer-for", "a\n")},
		{"nothing to produce for", "not-one-name", "", "one consumer", 0, longrun("a", "a/producer-for", "", "b/type", "longrun", "b/run", "", "b/consumer-for", "a\n")},
		{"mistyped key", "unknown-key", "runs = [\"true\"]", "did you mean run?", 4, map[string]string{"a.toml": "type = \"longrun\"\nruns = [\"true\"]\n"}},
		{"another kind's key", "wrong-kind", "run = [\"true\"]", "a oneshot has up", 3, map[string]string{"a.toml": "type = \"oneshot\"\nrun = [\"true\"]\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := runOn(t, c.files, Options{})
			if len(list) != 1 {
				t.Fatalf("got %d diagnostics: %+v", len(list), list)
			}
			d := list[0]
			if string(d.Code) != c.code || d.Excerpt != c.excerpt || d.Width != c.width || !strings.Contains(d.Hint, c.hint) {
				t.Errorf("got %+v", d)
			}
		})
	}
}

// A cycle is found beside other mistakes, in the same run.
func TestCycleBesideOthers(t *testing.T) {
	list := runOn(t, map[string]string{
		"a.toml": "type = \"oneshot\"\nneeds = [\"b\", \"nothing\"]\nup = [\"true\"]\n",
		"b.toml": "type = \"oneshot\"\nneeds = [\"a\"]\nup = [\"true\"]\n",
	}, Options{})
	var codes []string
	for _, d := range list {
		codes = append(codes, string(d.Code))
	}
	if got := strings.Join(codes, " "); got != "dependency-cycle undefined-dependency" {
		t.Errorf("got %s", got)
	}
}

func TestNameWidth(t *testing.T) {
	for _, c := range []struct {
		line         string
		column, want int
	}{
		{`needs = ["a b", "c"]`, 10, 5},
		{`needs = ['x']`, 10, 3},
		{`needs = ["open`, 10, 5},
		{"name", 1, 4},
		{"  name", 3, 4},
		{"", 1, 0},
		{"x", 2, 0},
		{"x", 0, 0},
	} {
		if got := nameWidth(c.line, c.column); got != c.want {
			t.Errorf("%q at %d: got %d, want %d", c.line, c.column, got, c.want)
		}
	}
}
