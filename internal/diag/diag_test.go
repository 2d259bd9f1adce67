package diag_test

import (
	"fmt"
	"testing"

	"strata/internal/diag"
)

func TestPositionString(t *testing.T) {
	for want, p := range map[string]diag.Position{
		"a.toml":     {File: "a.toml"},
		"a.toml:3":   {File: "a.toml", Line: 3},
		"a.toml:3:7": {File: "a.toml", Line: 3, Column: 7},
	} {
		if got := p.String(); got != want {
			t.Errorf("%#v is %q, want %q", p, got, want)
		}
	}
}

func TestSort(t *testing.T) {
	at := func(file string, line int) diag.Position { return diag.Position{File: file, Line: line} }
	var l diag.List
	l.Errorf("z", at("b", 1), "fourth")
	l.Warnf("a", at("a", 2), "third")
	l.Errorf("b", at("a", 2), "second")
	l.Errorf("a", at("a", 1), "first")
	l.Errorf("a", at("a", 1), "first")
	l.Sort()
	got := ""
	for _, d := range l {
		got += d.Message + " "
	}
	if got != "first second third fourth " {
		t.Errorf("sorted: %s", got)
	}
}

func TestSystemOnly(t *testing.T) {
	var none, warning, system, both diag.List
	warning.Warnf("w", diag.Position{}, "w")
	system.Errorf("s", diag.Position{}, "s").System = true
	both.Errorf("s", diag.Position{}, "s").System = true
	both.Errorf("c", diag.Position{}, "c")
	for _, c := range []struct {
		name         string
		list         diag.List
		errors, only bool
	}{{"none", none, false, false}, {"warning", warning, false, false}, {"system", system, true, true}, {"both", both, true, false}} {
		if c.list.HasErrors() != c.errors || c.list.SystemOnly() != c.only {
			t.Errorf("%s: errors %v, system only %v", c.name, c.list.HasErrors(), c.list.SystemOnly())
		}
	}
}

func ExampleList() {
	var l diag.List
	l.Errorf("unknown-key", diag.Position{File: "web.toml", Line: 4, Column: 1}, "web: unknown key %q", "nedes").Hint = "did you mean needs?"
	l.Warnf("private", diag.Position{File: "web/env/SECRET"}, "not everybody may read this file")
	l.Sort()
	for _, d := range l {
		fmt.Printf("%s: %s: %s\n", d.Pos, d.Severity, d.Message)
	}
	// Output:
	// web.toml:4:1: error: web: unknown key "nedes"
	// web/env/SECRET: warning: not everybody may read this file
}
