package source

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"strata/compile/db"
	"strata/internal/suggest"
)

// program reads an argument vector, or a script that begins with "#!".
func program(to func(*Definition) *db.Program) func(*tomlReader, value) {
	return func(t *tomlReader, v value) {
		if _, isString := v.any.(string); isString {
			*to(t.def) = t.script(v)
			return
		}
		items, ok := t.list(v, "a list of the program and its arguments, or a script")
		if !ok {
			return
		}
		if len(items) == 0 {
			t.errorAt("empty-argv", v.value, "%s is an empty list: it must name a program", v.name)
			return
		}
		argv := make([]string, 0, len(items))
		for _, item := range items {
			if arg, ok := t.str(item); ok {
				argv = append(argv, arg)
			}
		}
		if len(argv) == len(items) && argv[0] == "" {
			t.errorAt("empty-argv", items[0].value, "%s: the program has no name", v.name)
			return
		}
		*to(t.def) = db.Program{Form: db.Argv, Argv: argv}
	}
}

func (t *tomlReader) script(v value) db.Program {
	s, ok := t.str(v)
	if !ok {
		return db.Program{}
	}
	if !strings.HasPrefix(s, "#!") {
		d := t.errorAt("no-shebang", v.value, "%s is neither a list nor a script that begins with #!", v.name)
		d.Hint = listHint(v.name, s)
		return db.Program{}
	}
	if end := strings.IndexByte(s, '\n'); end > 0 && s[end-1] == '\r' {
		t.warnAt("crlf", v.value, "the #! line of %s ends with a carriage return", v.name).
			Hint = "the kernel takes it as part of the interpreter's name: save the file with Unix line ends"
	}
	return db.Program{Form: db.Script, Script: t.blobs.add([]byte(s))}
}

// listHint shows how to write a command line as a list.
func listHint(name, s string) string {
	switch {
	case strings.TrimSpace(s) == "":
		return fmt.Sprintf(`write %s = ["PROGRAM", "ARGUMENT", ...]`, name)
	case strings.HasPrefix(strings.TrimSpace(s), "#!"):
		return "the #! must be the very first thing in the string"
	case strings.Contains(s, "\n"):
		return "begin the script with #!/bin/sh"
	case strings.ContainsAny(s, "'\"\\$`|&;<>*?()~#"):
		return fmt.Sprintf("write a list, %s = [\"sh\", \"-c\", %s], or a script that begins with #!/bin/sh", name, quote(s))
	}
	return fmt.Sprintf("write %s = [%s]", name, quoteList(strings.Fields(s)))
}

// quote writes a string as TOML does. Control characters are escaped.
func quote(s string) string {
	if strings.Contains(s, `"`) && !strings.ContainsAny(s, "'\n") && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "'" + s + "'"
	}
	return strconv.Quote(s)
}

func quoteList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, ", ")
}

// table returns a table and its keys in order, or nothing, with an error, if the
// value is no table.
func (t *tomlReader) table(v value, want string) (map[string]any, []string) {
	m, ok := v.any.(map[string]any)
	if !ok {
		t.wrongType(v, want)
		return nil, nil
	}
	return m, slices.Sorted(maps.Keys(m))
}

// entry returns a value of the table v.
func (t *tomlReader) entry(v value, m map[string]any, name string) value {
	return value{m[name], v.key, v.name + "." + name, t.place(v.name + keySep + name)}
}

func (t *tomlReader) env(v value) {
	m, keys := t.table(v, `a table such as { LANG = "C" }`)
	for _, name := range keys {
		e := t.entry(v, m, name)
		if name == "" || strings.ContainsAny(name, "=\x00") {
			t.errorAt("bad-value", e.place.key, "%s is not the name of an environment variable", quote(name))
			continue
		}
		if s, ok := t.str(e); ok {
			t.def.Body.Exec.Env = append(t.def.Body.Exec.Env, db.EnvVar{Name: name, Value: s})
		}
	}
}

// limitNames are the resources that a limit can be set for.
var limitNames = []string{"as", "core", "cpu", "data", "fsize", "memlock", "nofile", "nproc", "rss", "stack"}

func (t *tomlReader) limits(v value) {
	m, keys := t.table(v, "a table such as { nofile = 4096 }")
	for _, name := range keys {
		e := t.entry(v, m, name)
		if !slices.Contains(limitNames, name) {
			d := t.errorAt("unknown-limit", e.place.key, "unknown limit %s", quote(name))
			if d.Hint = didYouMean(suggest.Nearest(name, slices.Values(limitNames))); d.Hint == "" {
				d.Hint = "the limits are " + strings.Join(limitNames, ", ")
			}
			continue
		}
		limit := db.Limit{Name: name, Value: math.MaxUint64}
		if x, ok := e.any.(int64); ok && x >= 0 {
			limit.Value = uint64(x)
		} else if e.any != "unlimited" {
			t.errorAt("bad-value", e.value, "%s must be an integer that is not negative, or \"unlimited\"", e.name)
			continue
		}
		t.def.Body.Exec.Limits = append(t.def.Body.Exec.Limits, limit)
	}
}

// umask reads a string of octal digits, or an integer that is written in octal: a
// decimal 22 is more likely a mistake than the mask 026.
func (t *tomlReader) umask(v value) {
	const hint = `write umask = "022"`
	var mask uint64
	switch x := v.any.(type) {
	case string:
		m, err := strconv.ParseUint(x, 8, 32)
		if err != nil {
			t.errorAt("bad-value", v.value, "umask must be octal digits").Hint = hint
			return
		}
		mask = m
	case int64:
		if literal := t.literal(v); x != 0 && !strings.HasPrefix(literal, "0o") {
			t.errorAt("bad-value", v.value, "umask is written in octal").Hint = fmt.Sprintf("write umask = \"%03s\", or 0o%03s", literal, literal)
			return
		}
		mask = uint64(x)
	default:
		t.wrongType(v, "a string of octal digits").Hint = hint
		return
	}
	if mask > 0o777 {
		t.errorAt("bad-value", v.value, "umask must not be larger than 0777").Hint = hint
		return
	}
	t.def.Body.Exec.Umask = db.Uint{Set: true, Value: uint32(mask)}
}

// signal reads a signal's name or number into what the file of the same name of a
// service directory would hold.
func signal(to func(*Definition) *[]byte) func(*tomlReader, value) {
	return func(t *tomlReader, v value) {
		if x, ok := v.any.(int64); ok {
			if x < 1 || x > 64 {
				t.errorAt("bad-signal", v.value, "%s must be from 1 to 64", v.name)
				return
			}
			*to(t.def) = fmt.Appendf(nil, "%d\n", x)
			return
		}
		s, ok := t.str(v)
		if !ok {
			return
		}
		name := "SIG" + strings.TrimPrefix(strings.ToUpper(s), "SIG")
		if n, isNumber := number([]byte(s)); unix.SignalNum(name) == 0 && (!isNumber || n < 1 || n > 64) {
			d := t.errorAt("bad-signal", v.value, "%s: there is no signal %s", v.name, quote(s))
			d.Hint = didYouMean(suggest.Nearest(name, slices.Values(signalNames())))
			return
		}
		*to(t.def) = []byte(s + "\n")
	}
}

func signalNames() []string {
	var all []string
	for n := unix.Signal(1); n < 32; n++ {
		if name := unix.SignalName(n); name != "" {
			all = append(all, name)
		}
	}
	return all
}

func (t *tomlReader) onChange(v value) {
	s, ok := t.str(v)
	if !ok {
		return
	}
	orders := map[string]db.OnChange{"restart": db.Restart, "reload": db.Reload, "keep": db.Keep}
	order, known := orders[s]
	if !known {
		d := t.errorAt("bad-value", v.value, "on-change must be restart, reload or keep, not %s", quote(s))
		d.Hint = didYouMean(suggest.Nearest(s, maps.Keys(orders)))
		return
	}
	t.def.Body.OnChange = order
}
