package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strata/compile/db"
	"strata/internal/diag"
)

// tree is a source: contents by path. A content that begins with "-> " is a link,
// a path that ends with a slash an empty directory.
type tree map[string]string

// write makes the tree in a new directory and returns it.
func (tr tree) write(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for path, content := range tr {
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			err = os.Symlink(target, full)
		} else if strings.HasSuffix(path, "/") {
			err = os.MkdirAll(full, 0o755)
		} else {
			err = os.WriteFile(full, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// read reads a tree.
func (tr tree) read(t testing.TB, o Options) (*Set, diag.List) {
	t.Helper()
	return Read(context.Background(), []Dir{{Path: tr.write(t)}}, o)
}

// readText reads a text as the TOML definition named web.
func readText(text string) (*Definition, diag.List, db.Blobs) {
	blobs := db.Blobs{}
	w := &worker{blobs: &blobStore{blobs: blobs}, def: &Definition{Name: "web"}, item: item{name: "web"}}
	if !w.readTOMLText("web.toml", []byte(text)) {
		w.def.Kind = 0
	}
	return w.def, w.diags, blobs
}

// codes lists the codes of errors, those of warnings with a "~".
func codes(l diag.List) string {
	var out []string
	l.Sort()
	for _, d := range l {
		mark := ""
		if d.Severity == diag.Warning {
			mark = "~"
		}
		out = append(out, mark+string(d.Code))
	}
	return strings.Join(out, " ")
}

// render writes a list as golden files hold it.
func render(l diag.List, dir string) string {
	var b strings.Builder
	l.Sort()
	clean := strings.NewReplacer(dir+"/", "", dir, "SOURCE")
	for _, d := range l {
		fmt.Fprintf(&b, "%s: %s: %s [%s]", clean.Replace(d.Pos.String()), d.Severity, clean.Replace(d.Message), d.Code)
		if d.System {
			b.WriteString(" (system)")
		}
		b.WriteByte('\n')
		if d.Excerpt != "" {
			fmt.Fprintf(&b, "\t%s\n\t%s%s\n", d.Excerpt, strings.Repeat(" ", max(0, d.Pos.Column-1)), strings.Repeat("^", max(1, d.Width)))
		}
		if d.Hint != "" {
			fmt.Fprintf(&b, "\thint: %s\n", d.Hint)
		}
		for _, r := range d.Related {
			fmt.Fprintf(&b, "\t%s: %s\n", clean.Replace(r.Pos.String()), r.Message)
		}
	}
	return b.String()
}

func names1(refs []Ref) string {
	var out []string
	for _, r := range refs {
		out = append(out, r.Name)
	}
	return strings.Join(out, " ")
}
