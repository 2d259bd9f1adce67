package source

import (
	"fmt"
	"math"
	"strings"
	"time"

	"strata/compile/db"
	"strata/internal/diag"
)

// The functions here read the values of keys. Those that take a function return
// the reader of a key whose value goes where the function points.

func (t *tomlReader) noop(value) {}

// str returns a string without NUL bytes, which no system call could take.
func (t *tomlReader) str(v value) (string, bool) {
	s, ok := v.any.(string)
	if !ok {
		d := t.wrongType(v, "a string")
		if _, isList := v.any.([]any); !isList && v.place.value.size > 0 {
			d.Hint = fmt.Sprintf("write it in quotes: %s", quote(strings.TrimSpace(t.literal(v))))
		}
		return "", false
	}
	if strings.IndexByte(s, 0) >= 0 {
		t.errorAt("nul-byte", v.value, "%s contains a NUL byte", v.name)
		return "", false
	}
	return s, true
}

// literal returns the value as it is written, if that is short.
func (t *tomlReader) literal(v value) string {
	e := v.value
	if e.at < 0 || e.size > 60 || e.at+e.size > len(t.text) {
		return "..."
	}
	return string(t.text[e.at : e.at+e.size])
}

// list returns the elements of a list, each with its place.
func (t *tomlReader) list(v value, want string) ([]value, bool) {
	items, ok := v.any.([]any)
	if !ok {
		d := t.wrongType(v, want)
		if s, isString := v.any.(string); isString && want == listOfNames {
			d.Hint = fmt.Sprintf("write a list: %s = [%s]", v.name, quoteList(strings.Fields(s)))
		}
		return nil, false
	}
	out := make([]value, len(items))
	for i, item := range items {
		out[i] = value{item, v.key, "an element of " + v.name, v.place}
		if i < len(v.items) {
			out[i].place = &place{key: v.place.key, value: v.items[i]}
		}
	}
	return out, true
}

const listOfNames = "a list of names"

// ref reads a name.
func (t *tomlReader) ref(v value) (Ref, bool) {
	name, ok := t.str(v)
	if !ok {
		return Ref{}, false
	}
	if code, message := nameFault(name); code != "" {
		t.errorAt(diag.Code(code), v.value, "%s in %s: %s", quote(name), v.key.field(), message)
		return Ref{}, false
	}
	return Ref{name, t.at(v.value)}, true
}

func names(to func(*Definition) *[]Ref) func(*tomlReader, value) {
	return func(t *tomlReader, v value) {
		items, ok := t.list(v, listOfNames)
		refs := make([]Ref, 0, len(items))
		for _, item := range items {
			ref, good := t.ref(item)
			if !good {
				continue
			}
			if containsRef(refs, ref.Name) {
				t.warnAt("listed-twice", item.value, "%s is listed more than once in %s", ref.Name, v.name)
				continue
			}
			refs = append(refs, ref)
		}
		if ok {
			*to(t.def) = refs
		}
	}
}

func containsRef(refs []Ref, name string) bool {
	for _, r := range refs {
		if r.Name == name {
			return true
		}
	}
	return false
}

func oneName(to func(*Definition) *[]Ref) func(*tomlReader, value) {
	return func(t *tomlReader, v value) {
		if _, isList := v.any.([]any); isList {
			t.wrongType(v, "one name")
			return
		}
		if ref, ok := t.ref(v); ok {
			*to(t.def) = []Ref{ref}
		}
	}
}

// logger and producerFor both say whom this longrun feeds.
func (t *tomlReader) logger(v value) {
	oneName(func(d *Definition) *[]Ref { return &d.ProducerFor })(t, v)
}

func (t *tomlReader) producerFor(v value) {
	if first, both := t.def.FieldPos["logger"]; both {
		d := t.errorAt("two-consumers", v.place.key, "producer-for and logger say the same thing: give one of them")
		d.Related = []diag.Related{{Pos: first, Message: "logger is given here"}}
		return
	}
	oneName(func(d *Definition) *[]Ref { return &d.ProducerFor })(t, v)
}

func text(to func(*Definition) *string, check func(string) string) func(*tomlReader, value) {
	return func(t *tomlReader, v value) {
		s, ok := t.str(v)
		if !ok {
			return
		}
		if fault := check(s); fault != "" {
			t.errorAt("bad-value", v.value, "%s %s", v.name, fault)
			return
		}
		*to(t.def) = s
	}
}

func notEmpty(s string) string {
	if s == "" {
		return "must not be empty"
	}
	return ""
}

func absolutePath(s string) string {
	if !strings.HasPrefix(s, "/") {
		return "must be an absolute path"
	}
	return ""
}

func userName(s string) string {
	user, group, both := strings.Cut(s, ":")
	if user == "" || both && group == "" || strings.ContainsAny(user+group, ": \t\r\n/") {
		return `must be "user" or "user:group"`
	}
	return ""
}

func (t *tomlReader) description(v value) {
	s, ok := t.str(v)
	switch {
	case !ok:
	case t.def.Kind == Bundle:
		t.def.Description = s
	default:
		t.def.Body.Description = s
	}
}

func (t *tomlReader) boolean(v value) bool {
	b, ok := v.any.(bool)
	if !ok {
		d := t.wrongType(v, "true or false")
		switch v.any {
		case "yes", "true", "on", int64(1):
			d.Hint = v.name + " = true, without quotes"
		case "no", "false", "off", int64(0):
			d.Hint = v.name + " = false, without quotes"
		}
	}
	return b
}

func boolean(to func(*Definition) *bool) func(*tomlReader, value) {
	return func(t *tomlReader, v value) { *to(t.def) = t.boolean(v) }
}

func annotation(f db.Flags) func(*tomlReader, value) {
	return func(t *tomlReader, v value) {
		if !t.boolean(v) {
			return
		}
		if t.def.Kind == Bundle {
			t.def.Flags |= f
		} else {
			t.def.Body.Flags |= f
		}
	}
}

func duration(to func(*Definition) *db.Millis) func(*tomlReader, value) {
	return func(t *tomlReader, v value) {
		if ms, ok := t.millis(v); ok {
			*to(t.def) = db.Millis(ms)
		}
	}
}

func millis(to func(*Definition) *db.Uint) func(*tomlReader, value) {
	return func(t *tomlReader, v value) {
		if ms, ok := t.millis(v); ok {
			*to(t.def) = db.Uint{Set: true, Value: ms}
		}
	}
}

// millis reads a duration: a string of Go's time package, or an integer of
// milliseconds.
func (t *tomlReader) millis(v value) (uint32, bool) {
	switch x := v.any.(type) {
	case int64:
		if x < 0 || x > math.MaxUint32 {
			t.errorAt("bad-timeout", v.value, "%s must be from 0 to %d milliseconds", v.name, uint32(math.MaxUint32))
			return 0, false
		}
		return uint32(x), true
	case string:
		d, err := time.ParseDuration(x)
		fault := ""
		switch {
		case err != nil:
			fault = "is not a duration"
		case d < 0:
			fault = "must not be negative"
		case d/time.Millisecond > math.MaxUint32:
			fault = "must not be longer than 49 days"
		case d%time.Millisecond != 0:
			fault = "must be a whole number of milliseconds"
		default:
			return uint32(d / time.Millisecond), true
		}
		e := t.errorAt("bad-timeout", v.value, "%s %s", v.name, fault)
		e.Hint = durationHint(v.name, x, err)
		return 0, false
	}
	t.wrongType(v, `a duration such as "30s", or an integer of milliseconds`)
	return 0, false
}

// durationHint proposes how to write a duration that Go does not take.
func durationHint(name, s string, err error) string {
	if err == nil {
		return ""
	}
	if _, ok := number([]byte(s)); ok {
		return fmt.Sprintf("write %s = \"%ss\" for seconds, or %s = %s for milliseconds", name, s, name, s)
	}
	compact := strings.NewReplacer(" ", "", "seconds", "s", "second", "s", "secs", "s", "sec", "s",
		"minutes", "m", "minute", "m", "mins", "m", "min", "m", "hours", "h", "hour", "h", "infinity", "0", "none", "0").Replace(s)
	if d, err := time.ParseDuration(compact); err == nil && d >= 0 {
		return fmt.Sprintf("write %s = %q", name, compact)
	}
	return `durations are numbers with a unit: "500ms", "30s", "1m30s", "2h"; "0" is no limit`
}

func number32(to func(*Definition) *db.Uint) func(*tomlReader, value) {
	return func(t *tomlReader, v value) {
		x, ok := v.any.(int64)
		if !ok {
			d := t.wrongType(v, "an integer")
			if s, isString := v.any.(string); isString {
				if _, isNumber := number([]byte(s)); isNumber {
					d.Hint = fmt.Sprintf("write it without quotes: %s = %s", v.name, s)
				}
			}
			return
		}
		if x < 0 || x > math.MaxUint32 {
			t.errorAt("bad-uint", v.value, "%s must be from 0 to %d", v.name, uint32(math.MaxUint32))
			return
		}
		*to(t.def) = db.Uint{Set: true, Value: uint32(x)}
		if strings.HasSuffix(v.name, "-fd") && x < 3 {
			t.warnAt("low-fd", v.value, "%s is %d, which is a standard stream", v.name, x).Hint = "use 3 or more"
		}
	}
}

// wrongType adds an error about a value of another type than wanted.
func (t *tomlReader) wrongType(v value, want string) *diag.Diagnostic {
	return t.errorAt("wrong-type", v.value, "%s must be %s, not %s", v.name, want, typeName(v.any))
}

func typeName(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a floating-point number"
	case bool:
		return "a boolean"
	case time.Time:
		return "a date"
	case map[string]any:
		return "a table"
	}
	return "a list"
}
