package update

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"
)

// updateCase is a case of the conformance data: what s6-rc-update did.
type updateCase struct {
	ID              int      `json:"id"`
	Old             specs    `json:"old"`
	New             specs    `json:"new"`
	Start           []string `json:"start"`
	Stopped         []string `json:"stopped"` // after the start, essential ones too
	Up              []string `json:"up"`
	Conv            []string `json:"conv"`
	ForceEssentials bool     `json:"force_essentials"`
	Expect          struct {
		DryExit int      `json:"dry_exit"`
		Exit    int      `json:"exit"`
		Stop    []string `json:"stop"`
		Start   []string `json:"start"`
		Up      []string `json:"up"`
	} `json:"expect"`
}

// The conformance cases, and more that the reference answered in the same way:
// with pipelines, more renames and bundles, and mistakes in the conversion file.
const (
	conformanceCases = "../internal/testdata/update.jsonl.gz"
	pipelineCases    = "testdata/pipelines.jsonl.gz"
)

func updateCases(t testing.TB, file string) []updateCase {
	t.Helper()
	packed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var cases []updateCase
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c updateCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

// exitOf is the exit code of s6-rc-update for a planning error.
func exitOf(err error) int {
	for _, e := range []struct {
		err  error
		code int
	}{{nil, 0}, {ErrUnknown, 3}, {ErrNoTarget, 4}, {ErrNotAtomic, 5}, {ErrDuplicate, 6}, {ErrConversion, 100}} {
		if errors.Is(err, e.err) {
			return e.code
		}
	}
	return 111
}

// planCase plans a case as s6-rc would.
func planCase(t testing.TB, c updateCase) (*Patch, error) {
	t.Helper()
	old, new := c.Old.view(t), c.New.view(t)
	changes, err := diffViews(old, new, conversions(c.Conv...), false)
	if err != nil {
		return nil, err
	}
	return Plan(changes, upState(old, c.Up...), Options{Policy: Identity, ForceEssentials: c.ForceEssentials})
}

// TestConformancePlan compares exit code, what is listed for a stop and what is up
// afterwards with the reference, without a supervisor.
func TestConformancePlan(t *testing.T) {
	t.Parallel()
	for file, atLeast := range map[string]int{conformanceCases: 400, pipelineCases: 700} {
		cases := updateCases(t, file)
		if len(cases) < atLeast {
			t.Errorf("%s: %d cases, want %d", file, len(cases), atLeast)
		}
		for _, c := range cases {
			checkPlan(t, c)
		}
	}
}

func checkPlan(t *testing.T, c updateCase) {
	t.Helper()
	patch, err := planCase(t, c)
	if got := exitOf(err); got != c.Expect.DryExit {
		t.Errorf("case %d: exit %d, want %d: %v", c.ID, got, c.Expect.DryExit, err)
	}
	if err != nil {
		return
	}
	if got := slices.Sorted(slices.Values(patch.S6RC.Stop)); !slices.Equal(got, c.Expect.Stop) {
		t.Errorf("case %d: stops %v, want %v", c.ID, got, c.Expect.Stop)
	}
	if got := slices.Sorted(slices.Values(patch.S6RC.Start)); !slices.Equal(got, c.Expect.Start) {
		t.Errorf("case %d: starts %v, want %v", c.ID, got, c.Expect.Start)
	}
	if got := patch.After.Up; !slices.Equal(got, c.Expect.Up) {
		t.Errorf("case %d: up afterwards %v, want %v", c.ID, got, c.Expect.Up)
	}
	checkPatch(t, patch)
}

// checkPatch looks at what must hold of every patch: actions are numbered, in
// order, and each has a chain whose last link is about it.
func checkPatch(t testing.TB, patch *Patch) {
	t.Helper()
	text, err := json.Marshal(patch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParsePatch(text); err != nil {
		t.Errorf("a patch that cannot be read again: %v\n%s", err, text)
	}
	for _, a := range patch.Actions {
		if len(a.Because) == 0 {
			t.Errorf("action %+v has no reason", a)
		}
	}
}
