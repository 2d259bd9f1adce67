package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"strata/cmd/internal/ui"
	"strata/compile/db"
	"strata/internal/testdata"
)

// TestConformance compiles the trees whose answers s6-rc 0.7 gave, with the
// command line of s6-rc-compile, and compares all that must agree: whether it
// succeeds, and everything that s6-rc-db says of the result.
func TestConformance(t *testing.T) {
	usualModes()
	for set, atLeast := range map[string]int{"trees": 400, "matrix": 1124, "realworld": 81} {
		t.Run(set, func(t *testing.T) {
			cases, err := testdata.Trees(set)
			if err != nil {
				t.Fatal(err)
			}
			if len(cases) < atLeast {
				t.Errorf("%d cases, want at least %d", len(cases), atLeast)
			}
			for _, c := range cases {
				t.Run(c.ID, func(t *testing.T) {
					t.Parallel()
					if c.NeedsRoot() && os.Geteuid() != 0 {
						t.Skip("needs root: the case holds files that only root can read")
					}
					conform(t, c)
				})
			}
		})
	}
}

func conform(t *testing.T, c *testdata.Case) {
	root := t.TempDir()
	if err := c.Extract(root); err != nil {
		t.Fatal(err)
	}
	code, stderr := compileCase(t, c, root)
	dest := filepath.Join(root, c.Dest)
	if (code == 0) != (c.Expect.Exit == 0) {
		t.Fatalf("exit code %d, the reference's %d (%s)\n%s", code, c.Expect.Exit, c.Expect.Class, stderr)
	}
	if code != 0 {
		checkFailure(t, c, dest, code, stderr)
		return
	}
	if len(c.Expect.Warnings) > 0 && stderr == "" {
		t.Errorf("no warning; the reference's: %q", c.Expect.Warnings)
	}
	q := caseDB{t, c, dest}
	q.lists()
	q.services()
	q.queries()
}

// compileCase gives the command line to s6-rc-compile, with paths that count from
// root.
func compileCase(t *testing.T, c *testdata.Case, root string) (code int, stderr string) {
	t.Helper()
	args := slices.Clone(c.Args)
	if !c.HasTag("no-args") {
		for _, path := range append([]string{c.Dest}, c.Sources...) {
			args = append(args, root+"/"+path)
		}
	}
	var text bytes.Buffer
	s := ui.Streams{Tool: "s6-rc-compile", In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &text}
	code = finish(s, run(s, "s6-rc-compile", args))
	return code, text.String()
}

// manyFaults are the families whose trees hold several faults, of which either
// side may name another.
var manyFaults = []string{"fuzz_three", "random_graph"}

func checkFailure(t *testing.T, c *testdata.Case, dest string, code int, stderr string) {
	if _, err := os.Lstat(dest); !errors.Is(err, fs.ErrNotExist) && !c.HasTag("dest-exists") {
		t.Errorf("the destination is there after a failure (%v)", err)
	}
	if (code == exitUsage) != (c.Expect.Exit == exitUsage) {
		t.Errorf("exit code %d, the reference's %d", code, c.Expect.Exit)
	}
	if stderr == "" {
		t.Error("no message")
	}
	if slices.Contains(manyFaults, c.Family) || strings.HasSuffix(c.Family, "_many") || strings.HasSuffix(c.Family, "_two") {
		return
	}
	named := slices.Clone(c.Expect.Names)
	if c.Expect.Alternative != nil {
		named = append(named, c.Expect.Alternative.Names...)
	}
	if len(named) > 0 && !slices.ContainsFunc(named, func(n string) bool { return strings.Contains(stderr, ui.Escape(c.Name(n))) }) {
		t.Errorf("the message names none of %q:\n%s", named, stderr)
	}
}

// caseDB asks the database of a case what the reference was asked.
type caseDB struct {
	t    *testing.T
	c    *testdata.Case
	path string
}

// ask runs s6-rc-db and returns its exit code and its output's words, sorted,
// without the internal services.
func (q caseDB) ask(sep string, args ...string) (int, []string) {
	var out, stderr bytes.Buffer
	s := ui.Streams{Tool: "s6-rc-db", In: strings.NewReader(""), Out: &out, Err: &stderr}
	code := finish(s, run(s, "s6-rc-db", append([]string{"-c", q.path}, args...)))
	var words []string
	for w := range strings.SplitSeq(out.String(), sep) {
		if w != "" || sep == "\x00" {
			words = append(words, w)
		}
	}
	if sep == "\x00" {
		return code, words[:len(words)-1]
	}
	slices.Sort(words)
	return code, slices.DeleteFunc(words, func(w string) bool { return w == "s6rc-fdholder" || w == "s6rc-oneshot-runner" })
}

// names are names as they are, where a case writes them encoded.
func (q caseDB) names(encoded []string) []string {
	out := make([]string, len(encoded))
	for i, n := range encoded {
		out[i] = q.c.Name(n)
	}
	return out
}

func (q caseDB) sorted(encoded []string) []string {
	out := q.names(encoded)
	slices.Sort(out)
	return out
}

func (q caseDB) expect(want []string, args ...string) {
	q.t.Helper()
	code, got := q.ask("\n", args...)
	if want = q.sorted(want); code != 0 || !slices.Equal(got, want) {
		q.t.Errorf("s6-rc-db %q: exit code %d, %q; want %q", args, code, got, want)
	}
}

func (q caseDB) lists() {
	e := q.c.Expect
	for what, want := range map[string][]string{"services": e.Services, "oneshots": e.Oneshots, "longruns": e.Longruns, "bundles": e.Bundles} {
		q.expect(want, "list", what)
	}
	q.expect(e.Nonessential, "-e", "list", "services")
	all := slices.Concat(e.Services, e.Bundles)
	slices.Sort(all)
	q.expect(all, "list", "all")
}

func (q caseDB) services() {
	unpacked := filepath.Join(q.t.TempDir(), "sv")
	s := ui.Streams{Tool: "rc-db", Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}
	if err := run(s, "rc-db", []string{"-c", q.path, "unpack", unpacked}); err != nil {
		q.t.Fatalf("rc-db unpack: %v", err)
	}
	for escaped, want := range q.c.Expect.Svc {
		name := q.c.Name(escaped)
		q.expect([]string{want.Type}, "--", "type", name)
		q.expect(want.Deps, "-u", "--", "dependencies", name)
		q.expect(want.RDeps, "-d", "--", "dependencies", name)
		q.expect(want.AllDeps, "-u", "--", "all-dependencies", name)
		q.expect(want.AllRDeps, "-d", "--", "all-dependencies", name)
		if want.Type == "bundle" {
			q.expect(want.Contents, "--", "contents", name)
			continue
		}
		q.expect([]string{want.Flags}, "--", "flags", name)
		q.expect([]string{strconv.Itoa(int(want.Timeout[0]))}, "-u", "--", "timeout", name)
		q.expect([]string{strconv.Itoa(int(want.Timeout[1]))}, "-d", "--", "timeout", name)
		if want.Type == "oneshot" {
			q.scripts(name, want)
		} else {
			q.expect(want.Pipeline, "--", "pipeline", name)
			q.servicedir(filepath.Join(unpacked, name), want.Servicedir)
		}
	}
}

func (q caseDB) scripts(name string, want *testdata.Service) {
	for option, argv := range map[string][]testdata.Bytes{"-u": want.Up, "-d": want.Down} {
		code, got := q.ask("\x00", option, "--", "script", name)
		if code != 0 || !slices.Equal(got, testdata.Strings(argv)) {
			q.t.Errorf("script %s of %s: exit code %d, %q; want %q", option, name, code, got, argv)
		}
	}
	if got, err := reloadOf(q.path, name); err != nil || !slices.Equal(got, testdata.Strings(want.Reload)) {
		q.t.Errorf("reload of %s: %q (%v); want %q", name, got, err, want.Reload)
	}
}

// reloadOf reads what s6-rc-db cannot print.
func reloadOf(path, name string) ([]string, error) {
	d, err := db.Open(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	ids, ok := d.Resolve(name)
	if !ok || len(ids) != 1 {
		return nil, fmt.Errorf("%s is not an atomic service", name)
	}
	svc, err := d.Service(ids[0])
	if err != nil {
		return nil, err
	}
	return svc.Reload.Argv, nil
}

func (q caseDB) queries() {
	for _, query := range q.c.Expect.Queries {
		code, got := q.ask("\n", q.names(query.Args)...)
		if code != query.Exit || (code == 0 && !slices.Equal(got, q.sorted(query.Out))) {
			q.t.Errorf("s6-rc-db %q: exit code %d, %q; want %d, %q", query.Args, code, got, query.Exit, query.Out)
		}
	}
}

// servicedir compares a service directory with the expected map of paths.
func (q caseDB) servicedir(dir string, want map[string]string) {
	got, err := listTree(dir)
	if err != nil {
		q.t.Error(err)
		return
	}
	for path, w := range want {
		if g, ok := got[path]; !ok || !sameEntry(g, w) {
			q.t.Errorf("%s: %s is %q, want %q", filepath.Base(dir), path, g.text(w), w)
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			q.t.Errorf("%s: %s should not be there", filepath.Base(dir), path)
		}
	}
}

type treeEntry struct {
	kind    string // "d", "f" or "->"
	mode    fs.FileMode
	content string
}

// text renders an entry as the cases do; like says in which of their two ways
// content is given.
func (e treeEntry) text(like string) string {
	mode := fmt.Sprintf("%04o", e.mode.Perm()|specialBits(e.mode))
	switch {
	case e.kind == "d":
		return "d " + mode
	case e.kind == "->":
		return "-> " + e.content
	case strings.Contains(like, " sha256:"):
		sum := sha256.Sum256([]byte(e.content))
		return "f " + mode + " sha256:" + hex.EncodeToString(sum[:8])
	}
	return "f " + mode + " =" + e.content
}

func specialBits(m fs.FileMode) fs.FileMode {
	var bits fs.FileMode
	for special, bit := range map[fs.FileMode]fs.FileMode{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&special != 0 {
			bits |= bit
		}
	}
	return bits
}

func sameEntry(got treeEntry, want string) bool {
	if strings.HasSuffix(want, " wrapper") {
		return got.kind == "f" && got.mode.Perm() == 0o755 && strings.HasPrefix(got.content, "#!")
	}
	return got.text(want) == want
}

func listTree(dir string) (map[string]treeEntry, error) {
	out := map[string]treeEntry{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		e := treeEntry{kind: "f", mode: info.Mode()}
		switch {
		case d.IsDir():
			e.kind = "d"
		case info.Mode()&fs.ModeSymlink != 0:
			e.kind = "->"
			e.content, err = os.Readlink(path)
		default:
			var b []byte
			b, err = os.ReadFile(path)
			e.content = string(b)
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		out[rel] = e
		return err
	})
	return out, err
}
