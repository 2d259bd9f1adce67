package source

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strata/internal/diag"
	"strata/internal/testdata"
)

// notRead are the classes of mistakes that the reader cannot see: those about
// what names mean, about the command line and about the target.
var notRead = map[string]bool{
	"undefined-dependency": true, "undefined-in-bundle": true, "dependency-cycle": true, "bundle-cycle": true,
	"pipeline-wrong-type": true, "pipeline-not-mutual": true, "pipeline-loop": true, "duplicate": true,
	"dest-exists": true, "usage": true, "bad-verbosity": true,
}

// TestConformance reads the reference's trees: a good one has no errors, and of a
// bad one the reader finds the reference's mistake under the reference's name, and
// says whom it concerns. What is read is compared where databases are.
func TestConformance(t *testing.T) {
	for _, set := range testdata.TreeSets {
		cases, err := testdata.Trees(set)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			t.Run(set+"/"+c.ID, func(t *testing.T) {
				if c.NeedsRoot() && os.Geteuid() != 0 {
					t.Skip("needs root: the answer was taken by a reader that permissions do not stop")
				}
				if len(c.Sources) > 0 && !notRead[c.Expect.Class] {
					conform(t, c)
				}
			})
		}
	}
}

func conform(t *testing.T, c *testdata.Case) {
	root := t.TempDir()
	if err := c.Extract(root); err != nil {
		t.Fatal(err)
	}
	var dirs []Dir
	for _, s := range c.Sources {
		if s != "" {
			s = filepath.Join(root, s)
		}
		dirs = append(dirs, Dir{Path: s})
	}
	set, diags := Read(context.Background(), dirs, Options{S6RC: true})
	if c.Expect.Exit == 0 {
		if diags.HasErrors() {
			t.Fatalf("got errors: %v", diags)
		}
		if _, warnings := diags.Count(); len(c.Expect.Warnings) > 0 && warnings == 0 {
			t.Errorf("no warning; the reference says %q", c.Expect.Warnings)
		}
		for _, d := range set.Definitions {
			name := d.Name
			if want := c.Expect.Svc[name]; want != nil && want.Type != d.Kind.String() {
				t.Errorf("%s: got a %v, want a %s", name, d.Kind, want.Type)
			}
		}
		return
	}
	classes, names := []string{c.Expect.Class}, c.Expect.Names
	if a := c.Expect.Alternative; a != nil {
		classes, names = append(classes, a.Class), append(names, a.Names...)
	}
	if !diags.HasErrors() {
		t.Fatalf("no errors, want one of %q", classes)
	}
	if !found(diags, classes, names) {
		t.Errorf("none of %q about one of %q in %v", classes, names, diags)
	}
}

// found reports whether a diagnostic has one of the classes and names one of the
// names, if there are any.
func found(diags diag.List, classes, names []string) bool {
	for _, d := range diags {
		for _, class := range classes {
			if string(d.Code) != class {
				continue
			}
			if len(names) == 0 {
				return true
			}
			for _, n := range names {
				if strings.Contains(d.Message, n) {
					return true
				}
			}
		}
	}
	return false
}
