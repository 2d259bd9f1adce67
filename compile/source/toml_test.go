package source

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"strata/compile/db"
	"strata/internal/diag"
)

const everything = `type = "longrun"
description = "OpenSSH server"
needs = ["network",
  'mounts'] # two
wants = ["clock"]
after = ["a"]
before = ["b"]
provides = ["ssh-server"]
essential = true
recommended = true
manual = true
timeout-up = "30s"
timeout-down = 1500
run = ["sshd", "-D", ""]
finish = '''#!/bin/sh
exit 0
'''
user = "nobody:nogroup"
umask = "027"
workdir = "data"
run-before = "#!/bin/sh\n"
run-before-timeout = "1m30s"
notification-fd = 3
lock-fd = 4
timeout-kill = "1.5s"
timeout-finish = 0
max-death-tally = 10
down-signal = "SIGINT"
reload-signal = 1
flag-timeout-killpg = true
flag-newpidns = true
logger = "sshd-log"
consumer-for = ["p", "q"]
pipeline-name = "pipe"
env.LANG = "C"
env."A B" = ""

[limits]
nofile = 4096
core = "unlimited"

[update]
renamed-from = ["ssh", "dropbear"]
on-change = "keep"
`

func TestTOMLEverything(t *testing.T) {
	def, diags, blobs := readText(everything)
	if len(diags) > 0 {
		t.Fatal(render(diags, "\x00"))
	}
	at := func(name string, line, column int) []Ref {
		return []Ref{{name, diag.Position{File: "web.toml", Line: line, Column: column}}}
	}
	ref := func(name string) []Ref { return []Ref{{Name: name}} }
	want := &Definition{
		Name: "web", Kind: Longrun, TOML: true, Pos: diag.Position{File: "web.toml"},
		Needs: append(at("network", 3, 10), at("mounts", 4, 3)...), Wants: at("clock", 5, 10), After: at("a", 6, 10),
		Before: ref("b"), Provides: ref("ssh-server"), ProducerFor: ref("sshd-log"), ConsumerFor: append(ref("p"), ref("q")...),
		PipelineName: ref("pipe"), RenamedFrom: append(ref("ssh"), ref("dropbear")...),
		Body: db.Service{
			Type: db.Longrun, Description: "OpenSSH server", Flags: db.Essential | db.Recommended, Manual: true,
			TimeoutUp: 30000, TimeoutDown: 1500,
			Run:            db.Program{Form: db.Argv, Argv: []string{"sshd", "-D", ""}},
			Finish:         db.Program{Form: db.Script, Script: digest([]byte("#!/bin/sh\nexit 0\n"))},
			NotificationFD: db.Uint{Set: true, Value: 3}, LockFD: db.Uint{Set: true, Value: 4}, TimeoutKill: db.Uint{Set: true, Value: 1500},
			TimeoutFinish: db.Uint{Set: true}, MaxDeathTally: db.Uint{Set: true, Value: 10},
			DownSignal: []byte("SIGINT\n"), ReloadSignal: []byte("1\n"), TimeoutKillPG: true, NewPIDNS: true, OnChange: db.Keep,
			Exec: db.Exec{
				User: "nobody:nogroup", Env: []db.EnvVar{{Name: "A B"}, {Name: "LANG", Value: "C"}}, Umask: db.Uint{Set: true, Value: 0o27},
				Workdir: "data", Limits: []db.Limit{{Name: "core", Value: 1<<64 - 1}, {Name: "nofile", Value: 4096}},
				RunBefore: db.Program{Form: db.Script, Script: digest([]byte("#!/bin/sh\n"))}, RunBeforeTimeout: 90000,
			},
		},
	}
	samePos := cmp.Comparer(func(a, b Ref) bool { return a.Name == b.Name && (a.Pos == b.Pos || b.Pos.Line == 0 || a.Pos.Line == 0) })
	if diff := cmp.Diff(want, def, samePos, cmpopts.IgnoreFields(Definition{}, "FieldPos")); diff != "" {
		t.Error(diff)
	}
	if string(blobs[def.Body.Finish.Script]) != "#!/bin/sh\nexit 0\n" || len(blobs) != 2 {
		t.Errorf("blobs: %q", blobs)
	}
	lines := strings.Split(everything, "\n")
	for field, pos := range def.FieldPos {
		if pos.File != "web.toml" || !strings.HasPrefix(lines[pos.Line-1][pos.Column-1:], field) {
			t.Errorf("%s is at %v: %s", field, pos, lines[pos.Line-1])
		}
	}
	longrunKeys := 0
	for _, k := range keys {
		if k.in.has(Longrun) {
			longrunKeys++
		}
	}
	if len(def.FieldPos) != longrunKeys-1 { // all but producer-for, which excludes logger
		t.Errorf("%d fields of %d: the text is to have every key of a longrun", len(def.FieldPos), longrunKeys)
	}
}

func TestTOMLKinds(t *testing.T) {
	def, diags, _ := readText("type = \"oneshot\"\nup = [\"a\"]\ndown = \"#!/bin/sh\"\nreload = ['b']\ntty = \"/dev/console\"\nenv = {A = \"1\"}\n")
	b := def.Body
	if len(diags) > 0 || def.Kind != Oneshot || b.Type != db.Oneshot || b.Up.Argv[0] != "a" || b.Down.Form != db.Script || b.Reload.Argv[0] != "b" || b.TTY != "/dev/console" {
		t.Errorf("%+v %v", def, diags)
	}
	def, diags, _ = readText("type = \"bundle\"\ncontents = [\"a\", \"b\"]\nessential = true\ndescription = \"d\"\n")
	if len(diags) > 0 || def.Kind != Bundle || names1(def.Contents) != "a b" || def.Flags != db.Essential || def.Description != "d" || def.Body.Flags != 0 {
		t.Errorf("%+v %v", def, diags)
	}
	def, diags, _ = readText("\xef\xbb\xbftype = \"bundle\"\r\ncontents = []\r\n")
	if len(diags) > 0 || def.Kind != Bundle {
		t.Errorf("with a byte order mark and carriage returns: %v", diags)
	}
}

// TestTOMLMistakes gives lines that are added to a good longrun, or a whole text
// if it begins with "=", and where what is found wrong.
func TestTOMLMistakes(t *testing.T) {
	for _, c := range []struct{ text, want, hint string }{
		{`need = ["a"]`, "3:1 unknown-key", "did you mean needs?"},
		{`notification_fd = 3`, "3:1 unknown-key", "did you mean notification-fd?"},
		{`exec = ["a"]`, "3:1 unknown-key", "did you mean run?"},
		{`"on-change" = "keep"`, "3:1 unknown-key", "did you mean on-change, in the table [update]?"},
		{`"update.on-change" = "keep"`, "3:1 unknown-key", ""},
		{"[update]\nneeds = []", "4:1 unknown-key", "needs does not belong in a table"},
		{"[update]\non-chnage = 'keep'", "4:1 unknown-key", "did you mean on-change, in the table [update]?"},
		{"[service]\nx = 1", "3:2 unknown-key", ""},
		{`update = 3`, "3:10 wrong-type", "write [update] on a line of its own, and its keys below"},
		{`up = ["a"]`, "3:1 wrong-kind", "a longrun has run"},
		{`contents = ["a"]`, "3:1 wrong-kind", "it is for: bundle"},
		{`needs = "a b"`, "3:9 wrong-type", `write a list: needs = ["a", "b"]`},
		{`needs = [1, "b"]`, "3:10 wrong-type", `write it in quotes: "1"`},
		{`needs = ["b", [ "c" ]]`, "3:15 wrong-type", ""},
		{`needs = ["a", "a"]`, "3:15 ~listed-twice", ""},
		{"needs = [\n  \"a/b\",\n]", "4:3 bad-name", ""},
		{`needs = [".a"]`, "3:10 bad-name", ""},
		{`needs = ["a\nb"]`, "3:10 newline-in-name", ""},
		{`needs = ["s6rc-a"]`, "3:10 reserved-prefix", ""},
		{`needs = ["a\u0000"]`, "3:10 nul-byte", ""},
		{`needs = ["` + strings.Repeat("n", 256) + `"]`, "3:10 bad-name", ""},
		{`timeout-up = "30"`, "3:14 bad-timeout", `write timeout-up = "30s" for seconds, or timeout-up = 30 for milliseconds`},
		{`timeout-up = "30 sec"`, "3:14 bad-timeout", `write timeout-up = "30s"`},
		{`timeout-up = "soon"`, "3:14 bad-timeout", `durations are numbers with a unit: "500ms", "30s", "1m30s", "2h"; "0" is no limit`},
		{`timeout-up = -1`, "3:14 bad-timeout", ""},
		{`timeout-up = "-1s"`, "3:14 bad-timeout", ""},
		{`timeout-up = 4294967296`, "3:14 bad-timeout", ""},
		{`timeout-up = "1200h"`, "3:14 bad-timeout", ""},
		{`timeout-up = "1us"`, "3:14 bad-timeout", ""},
		{`timeout-up = nan`, "3:14 wrong-type", ""},
		{`timeout-up = 1.5`, "3:14 wrong-type", ""},
		{`timeout-up = "0"`, "", ""},
		{`timeout-up = "0.5s"`, "", ""},
		{`timeout-up = 1979-05-27`, "3:14 wrong-type", ""},
		{`finish = "rm -f x"`, "3:10 no-shebang", `write finish = ["rm", "-f", "x"]`},
		{`finish = "echo 'a' | b"`, "3:10 no-shebang", `write a list, finish = ["sh", "-c", "echo 'a' | b"], or a script that begins with #!/bin/sh`},
		{`finish = " #!/bin/sh"`, "3:10 no-shebang", "the #! must be the very first thing in the string"},
		{`finish = ""`, "3:10 no-shebang", `write finish = ["PROGRAM", "ARGUMENT", ...]`},
		{`finish = []`, "3:10 empty-argv", ""},
		{`finish = [""]`, "3:11 empty-argv", ""},
		{`finish = ["a", 3]`, "3:16 wrong-type", `write it in quotes: "3"`},
		{`finish = true`, "3:10 wrong-type", ""},
		{"finish = '''#!/bin/sh\r\nx'''", "3:10 ~crlf", "*"},
		{`essential = "yes"`, "3:13 wrong-type", "essential = true, without quotes"},
		{`manual = 0`, "3:10 wrong-type", "manual = false, without quotes"},
		{`notification-fd = "3"`, "3:19 wrong-type", "write it without quotes: notification-fd = 3"},
		{`notification-fd = -1`, "3:19 bad-uint", ""},
		{`lock-fd = 1`, "3:11 ~low-fd", "use 3 or more"},
		{`lock-fd = 0x10`, "", ""},
		{"lock-fd = 3\nnotification-fd = 3", "3:1 same-fd", "choose another descriptor for one of them"},
		{`down-signal = "SIGITN"`, "3:15 bad-signal", "did you mean SIGINT?"},
		{`down-signal = "int"`, "", ""},
		{`down-signal = 0`, "3:15 bad-signal", ""},
		{`down-signal = "15"`, "", ""},
		{`down-signal = "99"`, "3:15 bad-signal", ""},
		{`umask = 22`, "3:9 bad-value", `write umask = "022", or 0o022`},
		{`umask = 0o022`, "", ""},
		{`umask = "9"`, "3:9 bad-value", "*"},
		{`umask = "7777"`, "3:9 bad-value", "*"},
		{`umask = true`, "3:9 wrong-type", "*"},
		{`user = "a b"`, "3:8 bad-value", ""},
		{`user = "a:"`, "3:8 bad-value", ""},
		{`user = ":g"`, "3:8 bad-value", ""},
		{`user = "1000:100"`, "", ""},
		{`workdir = ""`, "3:11 bad-value", ""},
		{`env = "A=b"`, "3:7 wrong-type", ""},
		{`env = {A = 1}`, "3:12 wrong-type", `write it in quotes: "1"`},
		{"[env]\n'A=B' = \"x\"", "4:1 bad-value", ""},
		{`limits = {nofiles = 3}`, "3:11 unknown-limit", "did you mean nofile?"},
		{`limits.nofile = -1`, "3:17 bad-value", ""},
		{`limits = 3`, "3:10 wrong-type", ""},
		{"logger = \"a\"\nproducer-for = \"b\"", "4:1 two-consumers", ""},
		{`logger = ["a"]`, "3:10 wrong-type", ""},
		{"[update]\non-change = \"restrat\"", "4:13 bad-value", "did you mean restart?"},
		{`needs = ["a"`, "3:13 toml-syntax", "*"},
		{"needs = ", "3:9 toml-syntax", "*"},
		{"run = []", "3:1 toml-syntax", "*"},
		{"a = \"\xff\"", "3:6 toml-syntax", "save the file as UTF-8"},
		{"x = [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", "3:22 too-deep", ""},
		{"=", "0:0 type-missing", `add type = "longrun", "oneshot" or "bundle"`},
		{"=type = 3", "1:8 wrong-type", `write it in quotes: "3"`},
		{"=\xef\xbb\xbftype = 3", "1:8 wrong-type", `write it in quotes: "3"`},
		{`=type = "logrun"`, "1:8 bad-type", "did you mean longrun?"},
		{`=type = "daemon"`, "1:8 bad-type", "*"},
		{`=type = "longrun"`, "1:1 run-missing", "*"},
		{`=type = "oneshot"`, "1:1 up-missing", "*"},
		{`=type = "bundle"`, "1:1 contents-missing", "*"},
		{"=type = \"oneshot\"\nup = ['a']\nrun = ['a']", "3:1 wrong-kind", "a oneshot has up"},
		{"=type = \"oneshot\"\nup = ['a']\ntty = 'console'", "3:7 bad-value", ""},
		{"=t\x00y\x00p\x00e\x00", "1:2 toml-syntax", "save the file as UTF-8"},
	} {
		text, whole := strings.CutPrefix(c.text, "=")
		if !whole {
			text = "type = \"longrun\"\nrun = [\"a\"]\n" + c.text + "\n"
		}
		_, diags, _ := readText(text)
		got, hint := "", ""
		if len(diags) > 0 {
			d := diags[0]
			got, hint = strings.TrimPrefix(d.Pos.String(), "web.toml:")+" "+codes(diags), d.Hint
			if d.Pos.Line == 0 {
				got = "0:0 " + codes(diags)
			}
			if d.Pos.Line > 0 && d.Pos.Column-1+d.Width > len(d.Excerpt) {
				t.Errorf("%q: the mark is longer than the line: %+v", c.text, d)
			}
			if !strings.Contains(d.Message, "web") {
				t.Errorf("%q: the message does not name the service: %s", c.text, d.Message)
			}
		}
		if got != c.want || c.hint != "*" && hint != c.hint {
			t.Errorf("%q:\ngot  %s, %s\nwant %s, %s\n%s", c.text, got, hint, c.want, c.hint, render(diags, "\x00"))
		}
	}
}

// TestTOMLAll checks that one run finds all mistakes of a file.
func TestTOMLAll(t *testing.T) {
	_, diags, _ := readText("type = \"longrum\"\nneed = 1\nwants = 2\nlock-fd = \"\"\n[update]\nx = 1\n")
	if got := codes(diags); got != "bad-type unknown-key wrong-type wrong-type unknown-key" {
		t.Errorf("got %s", got)
	}
	text := "type = \"bundle\"\ncontents = []\n"
	for i := range 40 {
		text += fmt.Sprintf("k%02d = 1\n", i)
	}
	_, diags, _ = readText(text)
	if errors, _ := diags.Count(); errors != 21 {
		t.Errorf("%d errors, want the first 20 and one that says there are more", errors)
	}
}
