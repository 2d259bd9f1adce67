package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"strata/cmd/internal/ui"
)

// docs/s6-rc-compat.md has every option, command, exit code and output line of
// s6-rc 0.7. This test walks its tables: what is said to be there is tried.
func TestCompatibility(t *testing.T) {
	tables := readCompat(t, compatPage)
	work := compatWork(t, t.TempDir())
	t.Chdir(work)
	call := func(program string, args []string) (int, string) {
		return runCompat(program, expand(args, "$WORK", work)...)
	}
	for _, tab := range tables {
		for _, row := range tab.rows {
			t.Run(tab.program+"/"+tab.what+"/"+row.what(), func(t *testing.T) {
				switch tab.what {
				case "program":
					row.checkProgram(t)
				case "option":
					row.checkOption(t, tab.program, call)
				case "command":
					row.checkCommand(t, tab.program)
				case "exit code", "line":
					if args := row.example(); args != nil && !needsLive(args) {
						row.checkExample(t, tab, call)
					}
				default:
					t.Errorf("unknown kind of table: %s", tab.what)
				}
			})
		}
	}
	checkLetters(t, tables)
	checkPrograms(t, tables)
}

const compatPage = "../../../docs/s6-rc-compat.md"

// needsLive tells whether an example needs a live directory; TestCompatibilityLive
// runs those.
func needsLive(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, "$LIVE") })
}

func expand(args []string, oldnew ...string) []string {
	out := slices.Clone(args)
	for i := range out {
		out[i] = strings.NewReplacer(oldnew...).Replace(out[i])
	}
	return out
}

// compatCall runs a program with arguments in which $WORK and the like stand for
// paths, and returns its exit code and all that it wrote.
type compatCall func(program string, args []string) (int, string)

// compatTable is a table of the page: of which program, about what.
type compatTable struct {
	program, what string
	rows          []compatRow
}

// compatRow is a row, with its line in the page.
type compatRow struct {
	line  int
	cells []string
}

func (r compatRow) what() string { return strings.Join(quoted(r.cells[0]), ",") }
func (r compatRow) here() string { return r.cells[2] }

// verdict is same, different or absent.
func (r compatRow) verdict() string {
	word, _, _ := strings.Cut(r.here(), ":")
	return word
}

// example is the arguments of the example, nil if there is none.
func (r compatRow) example() []string {
	q := quoted(r.cells[3])
	if len(q) == 0 {
		return nil
	}
	return strings.Fields(q[0])
}

// quoted are the words of a cell in backquotes.
func quoted(cell string) []string {
	parts := strings.Split(cell, "`")
	var out []string
	for i := 1; i < len(parts); i += 2 {
		out = append(out, parts[i])
	}
	return out
}

func readCompat(t *testing.T, path string) []compatTable {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var tables []compatTable
	program, inTable := "", false
	for i, line := range strings.Split(string(b), "\n") {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			program = name
		}
		if !strings.HasPrefix(line, "|") {
			inTable = false
			continue
		}
		cells := tableCells(line)
		switch {
		case !inTable:
			tables = append(tables, compatTable{program: program, what: cells[0]})
			inTable = true
		case strings.HasPrefix(cells[0], "---"):
		default:
			last := &tables[len(tables)-1]
			row := compatRow{i + 1, cells}
			if !slices.Contains([]string{"same", "different", "absent"}, row.verdict()) {
				t.Errorf("line %d: %q is neither same, different nor absent", row.line, row.here())
			}
			last.rows = append(last.rows, row)
		}
	}
	if len(tables) < 10 {
		t.Fatalf("only %d tables in %s", len(tables), path)
	}
	return tables
}

func tableCells(line string) []string {
	const bar = "\x00"
	parts := strings.Split(strings.ReplaceAll(strings.Trim(line, "|"), `\|`, bar), "|")
	for i, p := range parts {
		parts[i] = strings.TrimSpace(strings.ReplaceAll(p, bar, "|"))
	}
	return parts
}

// compatWork makes the directory in which the examples work.
func compatWork(t *testing.T, work string) string {
	t.Helper()
	a, err := txtar.ParseFile("testdata/compat.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Files {
		path := filepath.Join(work, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if code, out := runCompat("s6-rc-compile", filepath.Join(work, "db"), filepath.Join(work, "src")); code != 0 {
		t.Fatalf("cannot compile src: %s", out)
	}
	b, err := os.ReadFile(filepath.Join(work, "db/db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(work, "cut"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, "cut/db"), b[:len(b)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	return work
}

// runCompat runs a program and returns its exit code and all that it wrote.
func runCompat(program string, args ...string) (int, string) {
	var out bytes.Buffer
	s := ui.Streams{Tool: program, In: strings.NewReader(""), Out: &out, Err: &out}
	code := finish(s, run(s, program, args))
	return code, out.String()
}

// checkProgram runs a program that is absent; one that is there must be known.
func (r compatRow) checkProgram(t *testing.T) {
	name := quoted(r.cells[0])[0]
	if r.verdict() != "absent" {
		if _, ok := dropins()[name]; !ok {
			t.Errorf("line %d: %s is not there", r.line, name)
		}
		return
	}
	code, out := runCompat(name, "-v2", "x")
	if code != exitUsage || !strings.Contains(out, name+" is not provided: ") {
		t.Errorf("line %d: exit code %d, %q", r.line, code, out)
	}
	for _, instead := range quoted(r.here()) {
		if tool := strings.Fields(instead)[0]; !strings.Contains(out, tool) {
			t.Errorf("line %d: the message does not name %s: %q", r.line, tool, out)
		}
	}
}

// probes are calls that end with something else than wrong usage, whatever
// options stand before them.
var probes = map[string][]string{
	"s6-rc-compile": {"$WORK/nosuch/out", "src"},
	"s6-rc-db":      {"help"},
	"s6-rc-init":    {"-c", "$WORK/db", "-l", "$WORK/live", "$WORK/nosuch"},
	"s6-rc":         {"help"},
	"s6-rc-update":  {"-l", "$WORK/nosuch", "$WORK/db"},
}

var placeholders = strings.NewReplacer("PREFIX", "x-", "LIVE", "$WORK/live", "DB", "$WORK/db", "FILE", "/dev/null", "USER", "nobody", "N", "1")

// checkOption gives a program an option in each of its forms.
func (r compatRow) checkOption(t *testing.T, program string, call compatCall) {
	for _, form := range quoted(r.cells[0]) {
		args := append(strings.Fields(placeholders.Replace(form)), probes[program]...)
		code, out := call(program, args)
		if (code == exitUsage) != (r.verdict() == "absent") {
			t.Errorf("line %d: %s %q: exit code %d, %q", r.line, program, args, code, out)
		}
	}
}

var names = strings.NewReplacer("ONESHOT", "net", "LONGRUN", "web", "BUNDLE", "all", "ATOMIC", "net", "NAME", "web")

// checkCommand runs a command; those of s6-rc, which need a live directory, must
// at least be known.
func (r compatRow) checkCommand(t *testing.T, program string) {
	for _, form := range quoted(r.cells[0]) {
		args := strings.Fields(names.Replace(form))
		want := exitOK
		switch {
		case program == "s6-rc-db":
			args = append([]string{"-c", "db"}, args...)
		case args[0] != "help":
			args, want = append([]string{"-l", "nosuch"}, args...), exitSystem
		}
		if r.verdict() == "absent" {
			want = exitUsage
		}
		if code, out := runCompat(program, args...); code != want {
			t.Errorf("line %d: %s %q: exit code %d, want %d, %q", r.line, program, args, code, want, out)
		}
	}
}

// checkExample runs the example of an exit code or of an output line.
func (r compatRow) checkExample(t *testing.T, tab compatTable, call compatCall) {
	t.Helper()
	defer os.RemoveAll("out")
	code, out := call(tab.program, r.example())
	if tab.what == "exit code" {
		r.checkCode(t, code, out)
		return
	}
	r.checkLine(t, out)
}

// checkCode wants the row's exit code, or the one that is said to be different.
func (r compatRow) checkCode(t *testing.T, code int, out string) {
	t.Helper()
	text := quoted(r.cells[0])[0]
	if r.verdict() == "different" {
		text = quoted(r.here())[0]
	}
	want, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("line %d: %v", r.line, err)
	}
	if code != want {
		t.Errorf("line %d: %q: exit code %d, want %d, %q", r.line, r.example(), code, want, out)
	}
}

// checkLine wants the row's line in the output if it is the same, all that stands
// in backquotes here if it is different, and not the line if it is absent.
func (r compatRow) checkLine(t *testing.T, out string) {
	t.Helper()
	switch r.verdict() {
	case "absent":
		if linePattern(quoted(r.cells[0])[0]).MatchString(out) {
			t.Errorf("line %d: %q says so: %q", r.line, r.example(), out)
		}
		return
	case "same":
		if !linePattern(quoted(r.cells[0])[0]).MatchString(out) {
			t.Errorf("line %d: %q does not say so: %q", r.line, r.example(), out)
		}
		return
	}
	for _, text := range quoted(r.here()) {
		if !linePattern(text).MatchString(out) {
			t.Errorf("line %d: %q does not say %q: %q", r.line, r.example(), text, out)
		}
	}
}

var changing = regexp.MustCompile(`\b([A-Z]{2,}|N)\b`)

// linePattern matches a line in which words in capitals stand for what changes.
func linePattern(text string) *regexp.Regexp {
	return regexp.MustCompile(changing.ReplaceAllString(regexp.QuoteMeta(text), ".+"))
}

// checkLetters tries every letter that is not in the tables as an option.
func checkLetters(t *testing.T, tables []compatTable) {
	listed := map[string]string{}
	for _, tab := range tables {
		if tab.what != "option" {
			continue
		}
		for _, r := range tab.rows {
			for _, form := range quoted(r.cells[0]) {
				if len(form) > 1 && form[1] != '-' {
					listed[tab.program] += form[1:2]
				}
			}
		}
	}
	for program := range dropins() {
		if listed[program] == "" {
			t.Errorf("no options of %s are listed", program)
		}
		for c := byte('!'); c <= '~'; c++ {
			if c == '-' || strings.IndexByte(listed[program], c) >= 0 {
				continue
			}
			want := fmt.Sprintf("%s: unrecognized short option: %c\n", program, c)
			if code, out := runCompat(program, "-"+string(c), "help"); code != exitUsage || out != want {
				t.Errorf("%s -%c, which is not listed: exit code %d, %q", program, c, code, out)
			}
		}
	}
}

// checkPrograms holds the list of programs against what is there.
func checkPrograms(t *testing.T, tables []compatTable) {
	var listed, known []string
	for _, r := range tables[0].rows {
		listed = append(listed, quoted(r.cells[0])[0])
	}
	for name := range dropins() {
		known = append(known, name)
	}
	for name := range absentPrograms {
		known = append(known, name)
	}
	slices.Sort(listed)
	slices.Sort(known)
	if !slices.Equal(listed, known) {
		t.Errorf("listed are %q, known %q", listed, known)
	}
}
