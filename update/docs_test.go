package update

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

var writeDocs = flag.Bool("update", false, "write the tables of operations and classes in docs/formats.md anew")

// TestDocs holds the tables in docs/formats.md against the code's.
func TestDocs(t *testing.T) {
	const path = "../docs/formats.md"
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for name, table := range map[string]string{"ops": opTable(), "classes": classTable()} {
		begin := "<!-- " + name + ": written by go test ./update -run TestDocs -update -->\n"
		end := "<!-- end of " + name + " -->\n"
		head, rest, ok := strings.Cut(text, begin)
		old, tail, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no table of %s between its marks", path, name)
		}
		if d := gocmp.Diff(table, old); d != "" && !*writeDocs {
			t.Errorf("%s has another table of %s than the code; run this test with -update\n%s", path, name, d)
		}
		text = head + begin + table + end + tail
	}
	if *writeDocs {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func opTable() string {
	var b strings.Builder
	b.WriteString("| phase | op | does | before | afterwards | taken back by |\n|---|---|---|---|---|---|\n")
	ops := slices.SortedFunc(maps.Keys(Ops), func(x, y Op) int {
		return cmp.Or(phaseOrder[Ops[x].Phase]-phaseOrder[Ops[y].Phase], strings.Compare(string(x), string(y)))
	})
	for _, op := range ops {
		r := Ops[op]
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s |\n", r.Phase, op, r.Text, r.Before, r.After, r.Inverse)
	}
	return b.String()
}

func classTable() string {
	var b strings.Builder
	b.WriteString("| field | longrun | oneshot | shown as |\n|---|---|---|---|\n")
	for _, f := range Fields() {
		key, shown := "`"+f.Key+"`", "value"
		if f.Key == "" {
			key = "files below `data`, `env`, `template`"
		}
		if f.Secret {
			shown = "digest"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", key, f.Longrun, f.Oneshot, shown)
	}
	return b.String()
}
