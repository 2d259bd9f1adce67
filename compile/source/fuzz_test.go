package source

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strata/compile/db"
	"strata/internal/diag"
)

// checkResult fails if a result is not fit for what comes after the reader.
func checkResult(t *testing.T, def *Definition, blobs db.Blobs, diags diag.List) {
	t.Helper()
	for _, d := range diags {
		if d.Code == "" || d.Message == "" || d.Pos.File == "" || d.Pos.Line < 0 || d.Pos.Column < 0 || d.Width < 0 {
			t.Fatalf("bad diagnostic %+v", d)
		}
		if d.Excerpt != "" && d.Pos.Column > len(d.Excerpt)+1 {
			t.Fatalf("column %d is not in %q", d.Pos.Column, d.Excerpt)
		}
	}
	if def == nil {
		if !diags.HasErrors() {
			t.Fatal("neither a definition nor an error")
		}
		return
	}
	for _, p := range []db.Program{def.Body.Run, def.Body.Finish, def.Body.Up, def.Body.Down, def.Body.Reload, def.Body.Exec.RunBefore} {
		if _, ok := blobs[p.Script]; p.Form == db.Script && !ok {
			t.Fatal("a script is not among the blobs")
		}
		for _, a := range p.Argv {
			if strings.Contains(a, "\x00") {
				t.Fatalf("NUL in %q", p.Argv)
			}
		}
	}
	for _, refs := range [][]Ref{def.Needs, def.Wants, def.After, def.Before, def.Contents, def.Provides, def.ProducerFor, def.ConsumerFor, def.PipelineName, def.RenamedFrom} {
		for _, r := range refs {
			if r.Name == "" || r.Pos.File == "" || reservedPrefix(r.Name) != "" || strings.ContainsAny(r.Name, "\x00\n") {
				t.Fatalf("bad reference %+v", r)
			}
		}
	}
	if len(def.ProducerFor) > 1 || len(def.PipelineName) > 1 && !diags.HasErrors() {
		t.Fatalf("more than one consumer or pipeline: %v, %v", def.ProducerFor, def.PipelineName)
	}
}

// FuzzTOML reads any text as a definition.
func FuzzTOML(f *testing.F) {
	f.Add([]byte(everything))
	for _, s := range []string{
		"type = \"oneshot\"\nup = [\"a\"]\n", "type = 'bundle'\ncontents = ['a', '''b''']", "a.b.c = {d = [1, {e = 2}]}", "[[update]]\nx=1",
		"\"\\u0061\" = \"\"\"\\\n x\"\"\"\"", "x = 1979-05-27T07:32:00Z # c", "\xff\xfet\x00", "env = {A = \"1\", B = 2}", "needs = [[[]]]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		def, diags, blobs := readText(string(text))
		if def.Kind == 0 {
			def = nil
		}
		checkResult(t, def, blobs, diags)
	})
}

// FuzzDirectory reads a directory with any small files.
func FuzzDirectory(f *testing.F) {
	f.Add([]byte("longrun\n"), []byte("#!/bin/sh\n"), []byte("a\n#b\n c"), []byte("3\n"), []byte("p"), false)
	f.Add([]byte("oneshot"), []byte("if { a } b"), []byte("s6rc-x"), []byte("4294967296"), []byte("\x00"), true)
	f.Add([]byte("bundle\n"), []byte(""), []byte("x\r\ny"), []byte(""), []byte(""), false)
	f.Fuzz(func(t *testing.T, typ, script, list, number, text []byte, s6rc bool) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "x"), 0o755); err != nil {
			t.Fatal(err)
		}
		for content, names := range map[*[]byte][]string{
			&typ: {"type"}, &script: {"run", "up", "finish", "down"}, &list: {"dependencies", "contents", "producer-for", "consumer-for"},
			&number: {"timeout-up", "notification-fd", "lock-fd"}, &text: {"pipeline-name", "down-signal", "service.toml"},
		} {
			for _, name := range names {
				if len(*content) == 0 && name != "type" && len(script)%2 == 0 {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, "x", name), *content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		set, diags := Read(context.Background(), []Dir{{Path: dir}}, Options{S6RC: s6rc, Jobs: 1})
		var def *Definition
		if len(set.Definitions) > 0 {
			def = set.Definitions[0]
		}
		checkResult(t, def, set.Blobs, diags)
	})
}
