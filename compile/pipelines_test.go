package compile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strata/compile"
	"strata/compile/source"
	"strata/internal/diag"
)

// TestL34Pipelines holds ends of pipelines that lead nowhere or in a circle to a
// diagnostic with a place, one for each mistake.
func TestL34Pipelines(t *testing.T) {
	for _, c := range []struct {
		name string
		defs []*source.Definition
		code diag.Code
		at   string // the file that it is about
		says string
	}{
		{"no such consumer", []*source.Definition{longrun("p", producerFor("gone"))}, "pipeline-wrong-type", "p", "p is a producer for gone, which is not defined"},
		{"no such producer", []*source.Definition{longrun("c", consumerFor("gone"))}, "pipeline-wrong-type", "c", "c is a consumer for gone, which is not defined"},
		{"itself", []*source.Definition{longrun("a", producerFor("a"), consumerFor("a"))}, "pipeline-itself", "a", "for itself"},
		{"a circle of three", []*source.Definition{
			longrun("a", producerFor("b"), consumerFor("c")), longrun("b", producerFor("c"), consumerFor("a")), longrun("c", producerFor("a"), consumerFor("b")),
		}, "dependency-cycle", "a", "is a producer for"},
		{"a consumer that needs its producer", []*source.Definition{longrun("p", producerFor("c")), longrun("c", consumerFor("p"), needs("p"))}, "dependency-cycle", "c", "p is a producer for c"},
		{"a consumer that needs the first of a chain", []*source.Definition{
			longrun("a", producerFor("b")), longrun("b", consumerFor("a"), producerFor("c")), longrun("c", consumerFor("b"), needs("a")),
		}, "dependency-cycle", "a", "c needs a"},
	} {
		m, list := compile.Compile(set(c.defs...), compile.Options{})
		if m != nil || len(list) == 0 {
			t.Errorf("%s: model %v, diagnostics %v", c.name, m != nil, list)
			continue
		}
		for _, d := range list {
			if d.Code != c.code || d.Pos.Line == 0 {
				t.Errorf("%s: %v; want %s with a place", c.name, d, c.code)
			}
		}
		if text := fmt.Sprint(list); !strings.Contains(text, c.says) || !strings.Contains(text, "src/"+c.at+".toml") {
			t.Errorf("%s: %s\ndoes not say %q of %s", c.name, text, c.says, c.at)
		}
	}
}

// TestL34LoggerWithTwoRoles has a logger that is logged itself, which is a chain,
// and one that is logged by whom it logs, which is a circle.
func TestL34LoggerWithTwoRoles(t *testing.T) {
	read := func(texts map[string]string) (names string, list diag.List) {
		dir := t.TempDir()
		for name, text := range texts {
			if err := os.WriteFile(filepath.Join(dir, name+".toml"), []byte("type = \"longrun\"\nrun = [\"true\"]\n"+text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		m, list := compile.Run(t.Context(), []source.Dir{{Path: dir}}, compile.Options{})
		if m == nil {
			return "", list
		}
		for _, s := range m.Services {
			names += s.Name + "<" + strings.Join(idNames(m, s.Producers), ",") + " "
		}
		return names, list
	}
	chain := map[string]string{"web": "logger = \"log\"\n", "log": "logger = \"archive\"\n", "archive": ""}
	if got, list := read(chain); got != "archive<log log<web web< " || len(list) > 0 {
		t.Errorf("%s, %v", got, list)
	}
	if got, list := read(map[string]string{"web": "logger = \"log\"\n", "log": "logger = \"web\"\n"}); got != "" || len(list) != 1 || list[0].Code != "dependency-cycle" {
		t.Errorf("%s, %v", got, list)
	}
}
