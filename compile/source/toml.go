package source

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"strata/compile/db"
	"strata/internal/diag"
	"strata/internal/suggest"
)

// tomlFile is the name of the TOML file of a definition that is a directory.
const tomlFile = "service.toml"

// maxTOML is the largest TOML file. The library's stack grows with the nesting of
// what it reads, and a definition is small.
const maxTOML = 1 << 18

// tomlReader reads one TOML file into a definition.
type tomlReader struct {
	*worker
	path  string
	text  []byte
	index *tomlIndex
}

// value is what a key holds: as the library decoded it, and where it stands.
type value struct {
	any any
	key *key
	// name is the key as it is written; in a table such as env, TABLE.KEY.
	name string
	*place
}

// readTOML reads a definition in TOML from the file name below at. It returns
// false if not even its kind is known.
func (w *worker) readTOML(at int, name, path string) bool {
	b, err := w.readFile(at, name, path, 0, maxTOML+1)
	if err != nil {
		d := w.diags.Errorf("source-unreadable", diag.Position{File: path}, "cannot read %s: %s", w.name, cause(err))
		d.System = system(err)
		return false
	}
	if len(b) > maxTOML {
		w.diags.Errorf("too-large", diag.Position{File: path}, "%s: a definition must not be larger than %d KiB", w.name, maxTOML>>10).
			Hint = "put large files into the directory data, beside " + tomlFile
		return false
	}
	return w.readTOMLText(path, b)
}

// readTOMLText reads the content of a TOML file.
func (w *worker) readTOMLText(path string, b []byte) bool {
	t := &tomlReader{worker: w, path: path, text: bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))}
	return t.read()
}

func (t *tomlReader) read() bool {
	t.index = indexTOML(t.text)
	if t.index.deep >= 0 {
		t.errorAt("too-deep", extent{t.index.deep, 1}, "this is nested deeper than any definition needs")
		return false
	}
	if i := invalidUTF8(t.text); i >= 0 {
		t.errorAt("toml-syntax", extent{i, 1}, "this byte is not UTF-8").Hint = "save the file as UTF-8"
		return false
	}
	var root map[string]any
	if _, err := toml.Decode(string(t.text), &root); err != nil {
		t.syntaxError(err)
		return false
	}
	t.def.TOML = true
	t.def.Pos = diag.Position{File: t.path}
	t.def.FieldPos = FieldPos{}
	t.readKind(root)
	update := t.updateTable(root)
	for i := range keys {
		k := &keys[i]
		table := root
		if k.name != k.field() {
			table = update
		}
		content, given := table[k.field()]
		if !given {
			continue
		}
		v := value{content, k, k.name, t.place(strings.ReplaceAll(k.name, ".", keySep))}
		t.def.FieldPos[k.field()] = t.at(v.place.key)
		if t.def.Kind != 0 && !k.in.has(t.def.Kind) {
			t.notForKind(v)
			continue
		}
		k.read(t, v)
	}
	t.unknownKeys(root, "")
	t.unknownKeys(update, updateTable+".")
	t.required()
	return t.def.Kind != 0
}

// readKind reads the type first, because the other keys depend on it.
func (t *tomlReader) readKind(root map[string]any) {
	content, given := root["type"]
	if !given {
		d := t.diags.Errorf("type-missing", diag.Position{File: t.path}, "%s: the type is missing", t.name)
		d.Hint = `add type = "longrun", "oneshot" or "bundle"`
		return
	}
	v := value{content, &keys[0], "type", t.place("type")}
	word, ok := t.str(v)
	if !ok {
		return
	}
	for k := Oneshot; k <= Bundle; k++ {
		if word == k.String() {
			t.def.Kind = k
		}
	}
	switch t.def.Kind {
	case Oneshot:
		t.def.Body.Type = db.Oneshot
	case Longrun:
		t.def.Body.Type = db.Longrun
	case 0:
		d := t.errorAt("bad-type", v.value, "the type must be longrun, oneshot or bundle, not %q", word)
		d.Hint = didYouMean(suggest.Nearest(word, slices.Values([]string{"longrun", "oneshot", "bundle"})))
		if d.Hint == "" {
			d.Hint = "a daemon is a longrun; what runs and ends is a oneshot; a name for several services is a bundle"
		}
	}
}

// updateTable returns the table of orders for the updater.
func (t *tomlReader) updateTable(root map[string]any) map[string]any {
	content, given := root[updateTable]
	if !given {
		return nil
	}
	table, ok := content.(map[string]any)
	if !ok {
		v := value{content, nil, updateTable, t.place(updateTable)}
		t.wrongType(v, "a table").Hint = "write [update] on a line of its own, and its keys below"
	}
	return table
}

// unknownKeys adds an error for each key that is not in the table of keys.
func (t *tomlReader) unknownKeys(table map[string]any, prefix string) {
	const most = 20
	names, found := KeyNames(), 0
	for _, name := range slices.Sorted(maps.Keys(table)) {
		full := prefix + name
		if slices.Contains(names, full) && (prefix != "" || !strings.Contains(name, ".")) || full == updateTable {
			continue
		}
		if found++; found > most {
			t.diags.Errorf("unknown-key", diag.Position{File: t.path}, "%s: there are more than %d unknown keys", t.name, most)
			return
		}
		d := t.errorAt("unknown-key", t.place(strings.ReplaceAll(prefix, ".", keySep)+name).key, "unknown key %q", full)
		d.Hint = t.hintForKey(name, full)
	}
}

// hintForKey proposes a known key for an unknown one.
func (t *tomlReader) hintForKey(name, full string) string {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	meant := aliases[name]
	if meant == "run" && t.def.Kind == Oneshot {
		meant = "up"
	}
	var candidates []string
	for i := range keys {
		if t.def.Kind == 0 || keys[i].in.has(t.def.Kind) {
			candidates = append(candidates, keys[i].field())
		}
	}
	if meant == "" {
		meant = suggest.Nearest(name, slices.Values(candidates))
	}
	for i := range keys {
		if k := &keys[i]; k.field() == meant && k.name != meant {
			return fmt.Sprintf("did you mean %s, in the table [%s]?", meant, updateTable)
		}
	}
	if meant == name && strings.HasPrefix(full, updateTable+".") {
		return fmt.Sprintf("%s does not belong in a table", meant)
	}
	return didYouMean(meant)
}

func didYouMean(meant string) string {
	if meant == "" {
		return ""
	}
	return "did you mean " + meant + "?"
}

// notForKind adds an error for a key that belongs to other kinds.
func (t *tomlReader) notForKind(v value) {
	d := t.errorAt("wrong-kind", v.place.key, "%s is not for a %s", v.name, t.def.Kind)
	instead := map[string]string{"oneshot run": "up", "oneshot finish": "down", "longrun up": "run", "longrun down": "finish", "bundle needs": "contents"}
	if other := instead[t.def.Kind.String()+" "+v.name]; other != "" {
		d.Hint = haveInstead(t.def.Kind, other)
		return
	}
	d.Hint = "it is for: " + v.key.in.String()
}

func haveInstead(kind Kind, key string) string { return fmt.Sprintf("a %s has %s", kind, key) }

// required adds errors for what the kind cannot be without, unless an error
// before has said so: of a mistyped key, or of the key that another kind has.
func (t *tomlReader) required() {
	missing := func(code diag.Code, name, hint string) {
		said := func(d diag.Diagnostic) bool {
			return d.Hint == didYouMean(name) || d.Hint == haveInstead(t.def.Kind, name)
		}
		if !t.def.FieldPos.Has(name) && !slices.ContainsFunc(t.diags, said) {
			t.errorAt(code, t.place("type").key, "a %s needs %s", t.def.Kind, name).Hint = hint
		}
	}
	switch t.def.Kind {
	case Longrun:
		missing("run-missing", "run", `add run = ["PROGRAM", "ARGUMENT", ...]`)
		if d := t.sameDescriptor(); d != nil {
			t.mark(d, t.place("lock-fd").key)
		}
	case Oneshot:
		missing("up-missing", "up", `add up = ["PROGRAM", "ARGUMENT", ...]`)
	case Bundle:
		missing("contents-missing", "contents", `add contents = ["SERVICE", ...]`)
	}
}

// syntaxError adds the error of a text that is not TOML.
func (t *tomlReader) syntaxError(err error) {
	var pe toml.ParseError
	if !errors.As(err, &pe) {
		t.diags.Errorf("toml-syntax", diag.Position{File: t.path}, "%s: %s", t.name, strings.TrimPrefix(err.Error(), "toml: "))
		return
	}
	d := t.errorAt("toml-syntax", extent{pe.Position.Start, max(1, pe.Position.Len)}, "%s", lowerFirst(strings.TrimSuffix(pe.Message, ".")))
	usage := strings.Fields(pe.Usage)
	if bytes.IndexByte(t.text, 0) >= 0 {
		d.Hint = "save the file as UTF-8"
	} else if len(usage) > 0 && len(pe.Usage) < 200 {
		d.Hint = strings.Join(usage, " ")
	}
}

// lowerFirst returns a message of the TOML library as ours begin.
func lowerFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[size:]
}

// invalidUTF8 returns the offset of the first byte that is no UTF-8, or -1.
func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// place returns where a key stands; its parts are separated by keySep.
func (t *tomlReader) place(name string) *place {
	if p := t.index.places[name]; p != nil {
		return p
	}
	// A dotted key (env.A = "x") makes its table without a place of its own.
	first := &place{key: extent{len(t.text) + 1, 0}}
	for k, p := range t.index.places {
		if strings.HasPrefix(k, name+keySep) && p.key.at < first.key.at {
			first = p
		}
	}
	return first
}

// at returns the position of a piece of the file.
func (t *tomlReader) at(e extent) diag.Position {
	if e.at > len(t.text) {
		return diag.Position{File: t.path}
	}
	line, column := t.index.position(e.at)
	return diag.Position{File: t.path, Line: line, Column: column}
}

// errorAt adds an error about a piece of the file.
func (t *tomlReader) errorAt(code diag.Code, e extent, format string, args ...any) *diag.Diagnostic {
	d := t.diags.Errorf(code, t.at(e), "%s: %s", t.name, fmt.Sprintf(format, args...))
	t.mark(d, e)
	return d
}

func (t *tomlReader) warnAt(code diag.Code, e extent, format string, args ...any) *diag.Diagnostic {
	d := t.errorAt(code, e, format, args...)
	d.Severity = diag.Warning
	return d
}

// mark adds the line of a piece of the file to a diagnostic.
func (t *tomlReader) mark(d *diag.Diagnostic, e extent) {
	if d.Pos.Line == 0 {
		return
	}
	show(d, t.text, d.Pos.Line, d.Pos.Column, e.size)
}
