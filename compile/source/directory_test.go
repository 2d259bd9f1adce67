package source

import (
	"strings"
	"testing"

	"strata/internal/diag"
)

// TestShapes lays one file after the other of a definition in one shape after the
// other: what s6-rc accepts is accepted, and the rest has its code.
func TestShapes(t *testing.T) {
	type shapes struct{ absent, empty, dir, dangling, loop, linkFile, linkDir string }
	script := shapes{"", "", "script-unreadable", "", "script-unreadable", "", "script-unreadable"}
	needed := script
	needed.absent, needed.dangling = "script-unreadable", "script-unreadable"
	number := shapes{"", "bad-uint", "bad-uint", "", "bad-uint", "bad-uint", "bad-uint"}
	timeout := shapes{"", "bad-timeout", "stat-failed", "", "stat-failed", "bad-timeout", "stat-failed"}
	names := shapes{"", "", "list-unreadable", "", "list-unreadable", "", "list-unreadable"}
	namesDir := shapes{"", "list-unreadable", "", "", "list-unreadable", "list-unreadable", ""}
	flag := shapes{loop: "stat-failed"}
	copied := shapes{"", "not-a-directory", "", "", "source-unreadable", "not-a-directory", ""}
	signal := shapes{dir: "~signal-ignored", loop: "~signal-ignored", linkDir: "~signal-ignored"}
	typ := shapes{"type-unreadable", "bad-type", "type-unreadable", "type-unreadable", "type-unreadable", "bad-type", "type-unreadable"}
	run := shapes{"run-missing", "", "run-not-regular", "run-missing", "source-unreadable", "", "run-not-regular"}
	finish := shapes{dir: "copy-failed", loop: "~finish-ignored", linkDir: "copy-failed"}
	producer := names
	producer.empty, producer.linkFile = "not-one-name", "not-one-name"

	oneshot := tree{"x/type": "oneshot\n", "x/up": "true\n"}
	longrun := tree{"x/type": "longrun\n", "x/run": "#!/bin/sh\n"}
	bundle := tree{"x/type": "bundle\n", "x/contents.d/": ""}
	for _, c := range []struct {
		base tree
		file string
		want shapes
	}{
		{oneshot, "type", typ},
		{longrun, "type", typ},
		{bundle, "type", typ},
		{oneshot, "up", needed},
		{oneshot, "down", script},
		{oneshot, "reload", script},
		{oneshot, "run", shapes{}},
		{oneshot, "data", shapes{}},
		{oneshot, "producer-for", shapes{}},
		{longrun, "run", run},
		{longrun, "finish", finish},
		{longrun, "up", shapes{}},
		{oneshot, "timeout-up", timeout},
		{longrun, "timeout-down", timeout},
		{bundle, "timeout-up", shapes{}},
		{longrun, "notification-fd", number},
		{longrun, "lock-fd", number},
		{longrun, "timeout-kill", number},
		{longrun, "timeout-finish", number},
		{longrun, "max-death-tally", number},
		{oneshot, "dependencies", names},
		{longrun, "dependencies", names},
		{bundle, "dependencies", shapes{}},
		{oneshot, "dependencies.d", namesDir},
		{longrun, "dependencies.d", namesDir},
		{bundle, "dependencies.d", shapes{}},
		{longrun, "consumer-for", names},
		{longrun, "producer-for", producer},
		{longrun, "pipeline-name", shapes{"", "~pipeline-name-ignored", "~pipeline-name-ignored", "", "stat-failed", "~pipeline-name-ignored", "~pipeline-name-ignored"}},
		{oneshot, "flag-essential", flag},
		{longrun, "flag-recommended", flag},
		{bundle, "flag-essential", flag},
		{longrun, "flag-newpidns", flag},
		{longrun, "flag-timeout-killpg", flag},
		{longrun, "data", copied},
		{longrun, "env", copied},
		{longrun, "template", copied},
		{longrun, "down-signal", signal},
		{longrun, "reload-signal", signal},
	} {
		for _, s := range []struct{ shape, content, want string }{
			{"absent", "absent", c.want.absent},
			{"empty", "", c.want.empty},
			{"dir", "/", c.want.dir},
			{"dangling", "-> nowhere", c.want.dangling},
			{"loop", "-> " + c.file, c.want.loop},
			{"link to a file", "-> empty", c.want.linkFile},
			{"link to a directory", "-> directory", c.want.linkDir},
		} {
			tr := tree{"x/empty": "", "x/directory/": ""}
			for k, v := range c.base {
				if strings.TrimSuffix(k, "/") != "x/"+c.file {
					tr[k] = v
				}
			}
			switch s.content {
			case "absent":
			case "/":
				tr["x/"+c.file+"/"] = ""
			default:
				tr["x/"+c.file] = s.content
			}
			_, diags := tr.read(t, Options{S6RC: true})
			if got := codes(diags); got != s.want {
				t.Errorf("%s, %s %s: got %q, want %q", c.base["x/type"], c.file, s.shape, got, s.want)
			}
			for _, d := range diags {
				if !strings.Contains(d.Message, "x") || d.System {
					t.Errorf("%s %s: the message does not name x, or blames the system: %+v", c.file, s.shape, d)
				}
			}
		}
	}
}

func TestTypes(t *testing.T) {
	for _, c := range []struct {
		content string
		want    Kind
	}{
		{"longrun", Longrun},
		{"longrun\n", Longrun},
		{"longrun\nanything", Longrun},
		{"longrunx", 0},
		{"longrun ", 0},
		{"oneshot\n\n", Oneshot},
		{"oneshot", Oneshot},
		{"oneshot\r\n", 0},
		{"Oneshot", 0},
		{" oneshot", 0},
		{"bundle", Bundle},
		{"bundle\n", Bundle},
		{"bundle\n\n", 0},
		{"bundle\nx", 0},
		{"bundle ", 0},
		{"bundle\x00", Bundle},
		{"", 0},
		{"\n", 0},
		{"pipe\n", 0},
	} {
		tr := tree{"x/type": c.content, "x/up": "", "x/run": "", "x/contents": ""}
		set, diags := tr.read(t, Options{})
		switch {
		case c.want == 0:
			if codes(diags) != "bad-type" || len(set.Definitions) != 0 || strings.Join(set.Broken, " ") != "x" {
				t.Errorf("%q: got %q, broken %q", c.content, codes(diags), set.Broken)
			}
		case len(set.Definitions) != 1 || set.Definitions[0].Kind != c.want || diags.HasErrors():
			t.Errorf("%q: got %v, want %v", c.content, diags, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		content         string
		timeout, number int64 // -1 for an error
	}{
		{"3", 3, 3},
		{"3\n", 3, 3},
		{"3\n\n\n", 3, 3},
		{"3\njunk", -1, 3},
		{"007", 7, 7},
		{"4294967295", 4294967295, 4294967295},
		{"4294967296", -1, -1},
		{"000000000007", 7, 0},
		{"0", 0, 0},
		{"", -1, -1},
		{"\n", -1, -1},
		{" 3", -1, -1},
		{"3 ", -1, -1},
		{"+3", -1, -1},
		{"-1", -1, -1},
		{"3\r\n", -1, -1},
		{"0x3", -1, -1},
		{"3\x00junk", 3, 3},
		{"three", -1, -1},
		{strings.Repeat("0", 62) + "1", 1, 0},
		{strings.Repeat("0", 63) + "1", 0, 0},
	} {
		tr := tree{"x/type": "longrun", "x/run": "", "x/timeout-up": c.content}
		set, diags := tr.read(t, Options{})
		if got := int64(set.Definitions[0].Body.TimeoutUp); diags.HasErrors() != (c.timeout < 0) || !diags.HasErrors() && got != c.timeout {
			t.Errorf("timeout-up %q: got %d, %v; want %d", c.content, got, diags, c.timeout)
		}
		tr = tree{"x/type": "longrun", "x/run": "", "x/timeout-kill": c.content}
		set, diags = tr.read(t, Options{})
		if u := set.Definitions[0].Body.TimeoutKill; diags.HasErrors() != (c.number < 0) || u.Set == (c.number < 0) || u.Set && int64(u.Value) != c.number {
			t.Errorf("timeout-kill %q: got %+v, %v; want %d", c.content, u, diags, c.number)
		}
	}
}

func TestLists(t *testing.T) {
	for _, c := range []struct{ content, want, codes string }{
		{"", "", ""},
		{"a\nb", "a b", ""},
		{"  a\n\t# no\n#no\n\n \t\nb\n", "a b", ""},
		{"a # b\n", "a # b", ""},
		{"a \n", "a ", ""},
		{"a\x00b\nc", "a c", ""},
		{"\x00\n.hid", ".hid", ""},
		{"a\na\n", "a", "~listed-twice"},
		{"a\r\n", "a\r", "~crlf"},
		{"\va", "\va", ""},
		{"s6rc-x\nb", "b", "reserved-prefix"},
		{" s6-rc-y", "", "reserved-prefix"},
	} {
		set, diags := tree{"x/type": "oneshot", "x/up": "", "x/dependencies": c.content}.read(t, Options{})
		if got := names1(set.Definitions[0].Needs); got != c.want || codes(diags) != c.codes {
			t.Errorf("%q: got %q, %s; want %q, %s", c.content, got, codes(diags), c.want, c.codes)
		}
	}
	set, diags := tree{"x/type": "bundle", "x/contents": "no", "x/contents.d/b": "", "x/contents.d/a": "-> nowhere", "x/contents.d/.h": ""}.read(t, Options{})
	if got := names1(set.Definitions[0].Contents); got != "a b" || len(diags) > 0 {
		t.Errorf("contents.d: got %q, %v", got, diags)
	}
	set, _ = tree{"x/type": "oneshot", "x/up": "", "x/dependencies": "\n  a"}.read(t, Options{})
	if p := set.Definitions[0].Needs[0].Pos; p.Line != 2 || p.Column != 3 || !strings.HasSuffix(p.File, "/x/dependencies") {
		t.Errorf("position %v", p)
	}
	set, _ = tree{"x/type": "oneshot", "x/up": "", "x/dependencies": "a", "x/dependencies.d": "-> nowhere"}.read(t, Options{})
	if got := names1(set.Definitions[0].Needs); got != "a" {
		t.Errorf("a dangling dependencies.d hides dependencies: %q", got)
	}
}

func TestDescriptors(t *testing.T) {
	for _, c := range []struct{ notification, lock, want string }{
		{"3", "4", ""}, {"3", "3", "same-fd"}, {"003", "3", "same-fd"}, {"1", "1", "~low-fd ~low-fd"}, {"2", "3", "~low-fd"}, {"3", "0", "~low-fd"},
	} {
		_, diags := tree{"x/type": "longrun", "x/run": "", "x/notification-fd": c.notification, "x/lock-fd": c.lock}.read(t, Options{})
		if got := codes(diags); got != c.want {
			t.Errorf("%s and %s: got %q, want %q", c.notification, c.lock, got, c.want)
		}
	}
}

func TestPipelineFiles(t *testing.T) {
	for _, c := range []struct{ producer, consumer, name, want string }{
		{"a", "", "", ""},
		{"a\nb", "", "", "not-one-name"},
		{"a\na", "", "", "~listed-twice"},
		{"", "a\nb", "p", ""},
		{"", "a", "p\nq", "not-one-name"},
		{"", "a", "#", "not-one-name"},
		{"", "a", "s6rc-p", "reserved-prefix"},
		{"a", "b", "p", "~pipeline-name-ignored"},
		{"", "#", "p", "~pipeline-name-ignored"},
		{"", "a", "p/q", "bad-name"},
	} {
		tr := tree{"x/type": "longrun", "x/run": ""}
		for file, content := range map[string]string{"producer-for": c.producer, "consumer-for": c.consumer, "pipeline-name": c.name} {
			if content != "" {
				tr["x/"+file] = content
			}
		}
		_, diags := tr.read(t, Options{})
		if got := codes(diags); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

func TestShebang(t *testing.T) {
	for up, want := range map[string]string{
		"#!/bin/sh\necho": "~shebang-ignored", "#!/bin/execlineb -P\nfoo": "", "#!/usr/bin/env execlineb\nfoo": "", "#! /bin/bash": "~shebang-ignored",
		"# comment\nfoo": "", "#!": "~shebang-ignored",
	} {
		_, diags := tree{"x/type": "oneshot", "x/up": up}.read(t, Options{})
		if got := codes(diags); got != want {
			t.Errorf("%q: got %q, want %q", up, got, want)
		}
	}
	_, diags := tree{"x/type": "longrun", "x/run": "#!/bin/sh\r\nexec x\r\n"}.read(t, Options{})
	if codes(diags) != "~crlf" || diags[0].Severity != diag.Warning {
		t.Errorf("run with carriage returns: %v", diags)
	}
}
