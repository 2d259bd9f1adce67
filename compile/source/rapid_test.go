package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"strata/compile/db"
)

// TestIndexAgrees checks the places of the index against a text of which they are
// known, since the test wrote it, whatever stands between them.
func TestIndexAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		want := map[string]string{}
		table := ""
		space := rapid.SampledFrom([]string{"", " ", "\t "})
		scalar := rapid.SampledFrom([]string{
			`1`, `"a"`, `'b#]}'`, `true`, `"""x\"""` + "\n" + `y"""`, `'''` + "\n" + `]=''''`, `1979-05-27 07:32:00`, `"\\"`, `""`, `"[{"`, `-0.5e3`,
		})
		for i := range rapid.IntRange(1, 12).Draw(t, "lines") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				table = fmt.Sprintf("t%d", i)
				fmt.Fprintf(&text, "%s[%s%s]%s# [x] = 1\n", space.Draw(t, "s"), space.Draw(t, "s"), table, space.Draw(t, "s"))
				continue
			case 1:
				text.WriteString("# comment = \"\n\n")
				continue
			}
			key := fmt.Sprintf("k%d", i)
			written := rapid.SampledFrom([]string{key, `"` + key + `"`, "'" + key + "'"}).Draw(t, "key")
			value := scalar.Draw(t, "value")
			if rapid.Bool().Draw(t, "array") {
				value = fmt.Sprintf("[ # x\n %s,%s%s ,]", value, space.Draw(t, "s"), scalar.Draw(t, "value"))
			}
			path := key
			if table != "" {
				path = table + keySep + key
			}
			want[path] = written + "|" + value
			fmt.Fprintf(&text, "%s%s%s=%s%s%s# c\n", space.Draw(t, "s"), written, space.Draw(t, "s"), space.Draw(t, "s"), value, space.Draw(t, "s"))
		}
		x := indexTOML([]byte(text.String()))
		for path, w := range want {
			p := x.places[path]
			if p == nil {
				t.Fatalf("%q is not found in\n%s", path, text.String())
			}
			cut := func(e extent) string { return string(x.text[e.at : e.at+e.size]) }
			if got := cut(p.key) + "|" + cut(p.value); got != w {
				t.Fatalf("%q: got %q, want %q in\n%s", path, got, w, text.String())
			}
		}
	})
}

// TestFormatsAgree writes the same definition in both formats and reads it back.
func TestFormatsAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.StringMatching(`[a-z][a-z0-9:@ _-]{0,9}`)
		needs := rapid.SliceOfNDistinct(name, 0, 4, rapid.ID).Draw(rt, "needs")
		slices.Sort(needs)
		script := "#!/bin/sh\n" + rapid.StringMatching(`[a-z \n"\\$]{0,20}`).Draw(rt, "script")
		timeout := rapid.Uint32().Draw(rt, "timeout")
		notify := rapid.Uint32Min(3).Draw(rt, "fd")
		essential := rapid.Bool().Draw(rt, "essential")

		tr := tree{
			"x/type": "longrun\n", "x/run": script, "x/timeout-up": fmt.Sprintf("%d\n", timeout), "x/notification-fd": fmt.Sprint(notify),
			"x/down-signal": "SIGINT\n",
		}
		for _, n := range needs {
			tr["x/dependencies.d/"+n] = ""
		}
		if essential {
			tr["x/flag-essential"] = ""
		}
		set, diags := tr.read(t, Options{S6RC: true})
		if len(diags) > 0 {
			rt.Fatal(diags)
		}
		text := fmt.Sprintf("type = \"longrun\"\nneeds = [%s]\nrun = %q\ntimeout-up = %d\nnotification-fd = %d\nessential = %v\ndown-signal = \"SIGINT\"\n",
			quoteList(needs), script, timeout, notify, essential)
		def, diags, blobs := readText(text)
		if len(diags) > 0 {
			rt.Fatal(diags)
		}
		other := set.Definitions[0]
		if names1(other.Needs) != names1(def.Needs) || fmt.Sprint(other.Body) != fmt.Sprint(def.Body) || len(blobs) != len(set.Blobs) {
			rt.Fatalf("%+v\n%+v", other.Body, def.Body)
		}
		if string(blobs[def.Body.Run.Script]) != script || other.Body.Run.Form != db.Script {
			rt.Fatal("the script is another")
		}
	})
}
