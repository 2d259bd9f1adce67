package layers

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// layer is a part of the tree: a package and what is below it, unless a longer
// path has a layer of its own.
type layer struct {
	path string
	// uses are the layers it may import, besides itself and internal.
	uses []string
}

var rules = []layer{
	{"internal", nil},
	{"internal/benchtree", []string{"live"}},
	{"internal/benchengine", []string{"compile/db", "live", "internal/benchtree"}},
	{"internal/benchupdate", []string{"graph", "compile/db", "live", "update", "internal/benchtree"}},
	{"graph", nil},
	{"compile/db", []string{"graph"}},
	{"compile/source", []string{"graph", "compile/db"}},
	{"compile", []string{"graph", "compile/db", "compile/source"}},
	{"live", []string{"graph", "compile/db"}},
	{"update", []string{"graph", "compile/db", "live"}},
	{"source-examples", nil},
	{"cmd", []string{"graph", "compile/db", "compile/source", "compile", "live", "update"}},
}

// thirdParty says for some modules which layers may reach them, through whatever
// packages. Parsing sources and command lines has no place at run time.
var thirdParty = map[string][]string{
	"github.com/BurntSushi/toml": {"compile/source", "compile", "cmd"},
	"github.com/spf13/cobra":     {"cmd"},
}

const module = "strata/"

// pkg is a package with its imports and with all it is linked with.
type pkg struct {
	path          string
	imports, deps []string
}

func TestLayers(t *testing.T) {
	for _, problem := range check(list(t)) {
		t.Error(problem)
	}
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}};{{join .Imports " "}};{{join .Deps " "}}`, module+"...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cannot list packages: %v\n%s", err, stderr.String())
	}
	var pkgs []pkg
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), ";")
		pkgs = append(pkgs, pkg{f[0], strings.Fields(f[1]), strings.Fields(f[2])})
	}
	if len(pkgs) < len(rules)/2 {
		t.Fatalf("go list found only %d packages", len(pkgs))
	}
	return pkgs
}

// check returns what breaks the rules, one sentence each.
func check(pkgs []pkg) []string {
	var problems []string
	for _, p := range pkgs {
		own := layerOf(p.path)
		if own == nil {
			problems = append(problems, p.path+" is in no layer: add it to the rules")
			continue
		}
		for _, imported := range p.imports {
			if strings.HasPrefix(imported, module) && !mayImport(own, imported) {
				problems = append(problems, fmt.Sprintf("%s imports %s", p.path, imported))
			}
		}
		for _, linked := range p.deps {
			if m := moduleOf(linked); m != "" && !slices.Contains(thirdParty[m], own.path) {
				problems = append(problems, fmt.Sprintf("%s is linked with %s", p.path, linked))
			}
		}
	}
	return problems
}

func mayImport(own *layer, imported string) bool {
	l := layerOf(imported)
	switch {
	case l == nil:
		return false
	case l.path == "internal":
		return own.path != "internal"
	case l.path == own.path:
		return true
	default:
		return slices.Contains(own.uses, l.path)
	}
}

// layerOf returns the layer with the longest path that holds the package.
func layerOf(path string) *layer {
	rel := strings.TrimPrefix(path, module)
	var best *layer
	for i, l := range rules {
		if (rel == l.path || strings.HasPrefix(rel, l.path+"/")) && (best == nil || len(l.path) > len(best.path)) {
			best = &rules[i]
		}
	}
	return best
}

func moduleOf(path string) string {
	for m := range thirdParty {
		if path == m || strings.HasPrefix(path, m+"/") {
			return m
		}
	}
	return ""
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name string
		pkg  pkg
		want []string
	}{
		{"in order", pkg{"strata/update/journal", []string{"fmt", "strata/live/s6", "strata/update", "strata/internal/diag"}, nil}, nil},
		{"upwards", pkg{"strata/graph", []string{"strata/compile/db"}, nil}, []string{"strata/graph imports strata/compile/db"}},
		{"the compiler at run time", pkg{"strata/live/s6", []string{"strata/compile"}, nil}, []string{"strata/live/s6 imports strata/compile"}},
		{"sources at run time", pkg{"strata/update", []string{"strata/compile/source"}, nil}, []string{"strata/update imports strata/compile/source"}},
		{"live from update's side", pkg{"strata/live", []string{"strata/update"}, nil}, []string{"strata/live imports strata/update"}},
		{"below the commands", pkg{"strata/compile", []string{"strata/cmd/internal/ui"}, nil}, []string{"strata/compile imports strata/cmd/internal/ui"}},
		{"a leaf that imports", pkg{"strata/internal/diag", []string{"strata/internal/atomicfs"}, nil}, []string{"strata/internal/diag imports strata/internal/atomicfs"}},
		{"toml by a detour", pkg{"strata/live", nil, []string{"github.com/BurntSushi/toml/internal"}}, []string{"strata/live is linked with github.com/BurntSushi/toml/internal"}},
		{"cobra below cmd", pkg{"strata/update", nil, []string{"github.com/spf13/cobra"}}, []string{"strata/update is linked with github.com/spf13/cobra"}},
		{"cobra in cmd", pkg{"strata/cmd/strata", []string{"strata/cmd/internal/cli"}, []string{"github.com/spf13/cobra"}}, nil},
		{"a new place", pkg{"strata/pkg/util", nil, nil}, []string{"strata/pkg/util is in no layer: add it to the rules"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, check([]pkg{tt.pkg})); diff != "" {
				t.Errorf("problems differ (-want +got):\n%s", diff)
			}
		})
	}
}
