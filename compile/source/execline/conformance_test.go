package execline

import (
	"slices"
	"testing"

	"strata/internal/testdata"
)

// TestConformance compares with what s6-rc's compiler stores.
func TestConformance(t *testing.T) {
	cases, err := testdata.Lexing()
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			argv, err := Parse(c.Script)
			if (err != nil) != (c.Exit != 0) || !slices.Equal(argv, c.Argv) {
				t.Errorf("%q: got %q, %v; want %q, exit %d", c.Script, argv, err, c.Argv, c.Exit)
			}
		})
	}
}
