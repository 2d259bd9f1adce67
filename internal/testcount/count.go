package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// event is a line of go test -json; see go doc test2json.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
	Elapsed    float64
}

// key names a test, or with an empty test a package.
type key struct{ pkg, test string }

// counter collects events. Its methods write what a reader should see at once.
type counter struct {
	out     io.Writer
	output  map[key][]string
	parents map[key]bool
	verdict map[key]string
	// broken are the failed packages in which no test failed.
	broken map[string]bool
	builds map[string][]string
}

func newCounter(out io.Writer) *counter {
	return &counter{
		out: out, output: map[key][]string{}, parents: map[key]bool{}, verdict: map[key]string{},
		broken: map[string]bool{}, builds: map[string][]string{},
	}
}

func (c *counter) add(e event) {
	k := key{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		c.builds[e.ImportPath] = append(c.builds[e.ImportPath], e.Output)
	case "build-fail":
		_, _ = fmt.Fprintf(c.out, "%s does not build\n%s", e.ImportPath, strings.Join(c.builds[e.ImportPath], ""))
	case "run":
		if i := strings.LastIndexByte(e.Test, '/'); i >= 0 {
			c.parents[key{e.Package, e.Test[:i]}] = true
		}
	case "output":
		c.output[k] = append(c.output[k], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			c.endPackage(e)
			return
		}
		c.verdict[k] = e.Action
		if e.Action == "fail" {
			_, _ = fmt.Fprintf(c.out, "%s\n%s", e.Package, strings.Join(c.output[k], ""))
		}
		if e.Action != "skip" {
			delete(c.output, k)
		}
	}
}

// endPackage prints a package's line. Packages without tests say nothing.
func (c *counter) endPackage(e event) {
	k := key{e.Package, ""}
	if e.Action == "fail" && !c.anyFailed(e.Package) {
		c.broken[e.Package] = true
		c.printUnfinished(e.Package)
		for _, line := range c.output[k] {
			if !strings.HasPrefix(line, "FAIL") {
				_, _ = fmt.Fprint(c.out, line)
			}
		}
	}
	if e.Action != "skip" {
		_, _ = fmt.Fprintf(c.out, "%-4s %s %.1fs\n", map[string]string{"pass": "ok", "fail": "FAIL"}[e.Action], e.Package, e.Elapsed)
	}
	delete(c.output, k)
}

// printUnfinished prints what tests without a verdict wrote: one of them ended
// the process.
func (c *counter) printUnfinished(pkg string) {
	for _, k := range slices.SortedFunc(maps.Keys(c.output), compareKeys) {
		if k.pkg == pkg && k.test != "" && c.verdict[k] == "" {
			_, _ = fmt.Fprint(c.out, strings.Join(c.output[k], ""))
		}
	}
}

func (c *counter) anyFailed(pkg string) bool {
	for k, v := range c.verdict {
		if k.pkg == pkg && v == "fail" {
			return true
		}
	}
	return false
}

func compareKeys(a, b key) int {
	return cmp.Or(strings.Compare(a.pkg, b.pkg), strings.Compare(a.test, b.test))
}

// totals are the numbers of the last line, and the skipped cases by reason.
type totals struct {
	passed, failed, skipped int
	reasons                 map[string]int
}

func (c *counter) totals() totals {
	t := totals{failed: len(c.broken), reasons: map[string]int{}}
	failedBelow := map[key]bool{}
	for k, v := range c.verdict {
		if v != "fail" {
			continue
		}
		for i := strings.LastIndexByte(k.test, '/'); i >= 0; i = strings.LastIndexByte(k.test[:i], '/') {
			failedBelow[key{k.pkg, k.test[:i]}] = true
		}
	}
	for k, v := range c.verdict {
		switch {
		case v == "fail" && !failedBelow[k]:
			t.failed++
		case c.parents[k]:
			// Its subtests have been counted.
		case v == "pass":
			t.passed++
		case v == "skip":
			t.skipped++
			t.reasons[reason(c.output[k])]++
		}
	}
	return t
}

var message = regexp.MustCompile(`^\s*[\w.-]+\.go:\d+: (.*)`)

// reason returns why a test was skipped: the last line it logged, shortened for
// the reasons that many cases share.
func reason(output []string) string {
	text := "of what their output says"
	for _, line := range output {
		if m := message.FindStringSubmatch(line); m != nil {
			text = strings.TrimSpace(m[1])
		}
	}
	if rest, ok := strings.CutPrefix(text, "needs "); ok {
		need, _, _ := strings.Cut(rest, ":")
		return "they need " + strings.TrimSpace(need)
	}
	return text
}

// print writes the end of the report.
func (t totals) print(out io.Writer) {
	for _, why := range slices.Sorted(maps.Keys(t.reasons)) {
		noun := "cases"
		if t.reasons[why] == 1 {
			noun = "case"
		}
		_, _ = fmt.Fprintf(out, "%d %s skipped because %s\n", t.reasons[why], noun, why)
	}
	_, _ = fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
}
