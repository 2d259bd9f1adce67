package source

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files and the table of keys in docs/formats.md anew")

// keyTable writes the table of keys as the documentation has it.
func keyTable() string {
	var b strings.Builder
	b.WriteString("| key | for | value | meaning |\n|---|---|---|---|\n")
	for _, k := range keys {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.name, k.in, strings.ReplaceAll(k.value, "|", `\|`), strings.ReplaceAll(k.doc, "|", `\|`))
	}
	return b.String()
}

// TestFormatsTable holds the table in docs/formats.md against the reader's.
func TestFormatsTable(t *testing.T) {
	const path, begin, end = "../../docs/formats.md", "<!-- keys: written by go test ./compile/source -run TestFormatsTable -update -->\n", "<!-- end of keys -->\n"
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(content), begin)
	table, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no table of keys between its two marks", path)
	}
	if *update {
		if err := os.WriteFile(path, []byte(head+begin+keyTable()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(keyTable(), table); diff != "" {
		t.Errorf("%s has another table of keys than the reader; run this test with -update\n%s", path, diff)
	}
}

// TestKeysComplete checks the table of keys itself.
func TestKeysComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range keys {
		if k.read == nil || k.in == 0 || k.value == "" || !strings.HasSuffix(k.doc, ".") || seen[k.field()] {
			t.Errorf("%s: an entry is missing or stands twice", k.name)
		}
		seen[k.field()] = true
	}
	for _, meant := range aliases {
		if !seen[meant] {
			t.Errorf("an alias means %s, which is no key", meant)
		}
	}
}

// TestDiagnostics holds what is said about some mistakes, to the letter.
func TestDiagnostics(t *testing.T) {
	set, diags := tree{
		"block/type": "oneshot\n", "block/up": "if {\n  mount /data\nforeground { echo \"done\" }\n",
		"shell/type": "oneshot\n", "shell/up": "#!/bin/sh\nmount /data\n",
		"fds/type": "longrun", "fds/run": "#!/bin/sh\r\nexec x\n", "fds/notification-fd": "3\n", "fds/lock-fd": "3", "fds/data": "no directory",
		"list/type": "bundle", "list/contents": "# the web\n  web\n  s6rc-fdholder\nweb\nlog\r\n",
		"word/type": "Longrun\n", "none/run": "",
		"web.toml":  "type = \"longrun\"\nneed = [\"network\"]\nrun = \"httpd -f\"\ntimeout-up = \"30\"\nup = []\n",
		"db.toml":   "type = \"longrun\"\nrun = [\n  \"db\",\n  3,\n]\nlimits = { nofiles = 1 }\n[update]\non-change = \"relaod\"\n",
		"open.toml": "type = \"bundle\"\ncontents = [\"a\"\n",
		"pipe/type": "longrun", "pipe/run": "", "pipe/producer-for": "a\nb\n",
		"gone/type": "oneshot", "gone/up": "-> nowhere", "gone/timeout-up": "1s\n", "gone/down/": "",
	}.read(t, Options{})
	got := render(diags, set.Dirs[0].Path)
	const path = "testdata/diagnostics.golden"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("other texts than in %s; read the difference, then run this test with -update\n%s", path, diff)
	}
}
