package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCount(t *testing.T) {
	tests := []struct {
		name, in string
		want     totals
	}{
		{"nothing", "", totals{reasons: map[string]int{}}},
		{
			"only leaves count", `
{"Action":"run","Package":"p","Test":"T"}
{"Action":"run","Package":"p","Test":"T/a"}
{"Action":"run","Package":"p","Test":"T/b"}
{"Action":"pass","Package":"p","Test":"T/a"}
{"Action":"output","Package":"p","Test":"T/b","Output":"    x_test.go:3: needs root: it mounts\n"}
{"Action":"skip","Package":"p","Test":"T/b"}
{"Action":"pass","Package":"p","Test":"T"}
{"Action":"pass","Package":"p"}`,
			totals{passed: 1, skipped: 1, reasons: map[string]int{"they need root": 1}},
		},
		{
			"a failed subtest counts once", `
{"Action":"run","Package":"p","Test":"T/a/b"}
{"Action":"run","Package":"p","Test":"T/a"}
{"Action":"fail","Package":"p","Test":"T/a/b"}
{"Action":"fail","Package":"p","Test":"T/a"}
{"Action":"fail","Package":"p","Test":"T"}
{"Action":"fail","Package":"p"}`,
			totals{failed: 1, reasons: map[string]int{}},
		},
		{
			"a parent that fails by itself", `
{"Action":"run","Package":"p","Test":"T/a"}
{"Action":"pass","Package":"p","Test":"T/a"}
{"Action":"fail","Package":"p","Test":"T"}
{"Action":"fail","Package":"p"}`,
			totals{passed: 1, failed: 1, reasons: map[string]int{}},
		},
		{
			"a package that dies", `
{"Action":"run","Package":"p","Test":"T"}
{"Action":"output","Package":"p","Test":"T","Output":"panic: x\n"}
{"Action":"fail","Package":"p"}`,
			totals{failed: 1, reasons: map[string]int{}},
		},
		{
			"a package that does not build", `
{"ImportPath":"p [p.test]","Action":"build-output","Output":"x.go:1: no\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Action":"start","Package":"p"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}`,
			totals{failed: 1, reasons: map[string]int{}},
		},
		{
			"a reason of its own, and none", `
{"Action":"output","Package":"p","Test":"T","Output":"    x_test.go:3: no tmpfs here\n"}
{"Action":"skip","Package":"p","Test":"T"}
{"Action":"skip","Package":"p","Test":"U"}`,
			totals{skipped: 2, reasons: map[string]int{"no tmpfs here": 1, "of what their output says": 1}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			c := newCounter(&out)
			if err := c.read(strings.NewReader(tt.in)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, c.totals(), cmp.AllowUnexported(totals{})); diff != "" {
				t.Errorf("totals differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReport(t *testing.T) {
	var out strings.Builder
	c := newCounter(&out)
	in := `
{"Action":"output","Package":"p","Test":"T","Output":"    x_test.go:9: want 1\n"}
{"Action":"fail","Package":"p","Test":"T"}
{"Action":"fail","Package":"p","Elapsed":0.25}
{"Action":"output","Package":"q","Test":"U","Output":"    q_test.go:9: noise\n"}
{"Action":"pass","Package":"q","Test":"U"}
{"Action":"skip","Package":"q","Test":"V"}
{"Action":"pass","Package":"q","Elapsed":1}
{"Action":"skip","Package":"r"}
not an event
`
	if err := c.read(strings.NewReader(strings.TrimPrefix(in, "\n"))); err != nil {
		t.Fatal(err)
	}
	totals{passed: 1, failed: 1, skipped: 2, reasons: map[string]int{"they need root": 1, "x": 1}}.print(&out)
	want := `p
    x_test.go:9: want 1
FAIL p 0.2s
ok   q 1.0s
not an event
1 case skipped because they need root
1 case skipped because x
1 passed, 1 failed, 2 skipped
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("report differs (-want +got):\n%s", diff)
	}
}
