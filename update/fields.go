package update

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"strata/compile/db"
)

// FieldChange is one field that differs.
type FieldChange struct {
	Field string
	Class Class
	// From and To are the values, empty where there was or is none. Of programs,
	// environment and files they are digests.
	From string
	To   string
	// OldAt and NewAt are where they stand in the sources, as LABEL:PATH:LINE.
	OldAt string
	NewAt string
}

// compareFields returns the fields that differ between two definitions of one
// service, in the order of the table.
func compareFields(a, b side) []FieldChange {
	var out []FieldChange
	for _, f := range fields {
		f.differences(a, b, func(x, y *value) { out = append(out, f.change(a, b, x, y)) })
	}
	return out
}

// differences visits the values of a field that are not the same on both sides; nil
// is no value.
func (f Field) differences(a, b side, visit func(x, y *value)) {
	from, to := f.values(a), f.values(b)
	for len(from) > 0 || len(to) > 0 {
		var x, y *value
		switch {
		case len(to) == 0 || len(from) > 0 && from[0].sub < to[0].sub:
			x, from = &from[0], from[1:]
		case len(from) == 0 || to[0].sub < from[0].sub:
			y, to = &to[0], to[1:]
		default:
			x, y, from, to = &from[0], &to[0], from[1:], to[1:]
		}
		if x == nil || y == nil || *x != *y {
			visit(x, y)
		}
	}
}

// key is the name of one value's field.
func (f Field) key(x, y *value) string {
	for _, v := range []*value{x, y} {
		switch {
		case v == nil || v.sub == "":
		case f.Key == "":
			return v.sub
		default:
			return f.Key + "/" + v.sub
		}
	}
	return f.Key
}

func (f Field) change(a, b side, x, y *value) FieldChange {
	c := FieldChange{Field: f.key(x, y), Class: f.class(b.Type)}
	if x != nil {
		c.From = f.show(x.text)
		c.OldAt = a.Origin.Place(c.Field)
	}
	if y != nil {
		c.To = f.show(y.text)
		c.NewAt = b.Origin.Place(c.Field)
	}
	return c
}

// show returns a value as a patch may carry it.
func (f Field) show(text string) string {
	if !f.Secret || text == "" {
		return text
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text)))
}

// text makes one value of a field; the empty text is no value.
func text(get func(side) string) func(side) []value {
	return func(s side) []value {
		if t := get(s); t != "" {
			return []value{{text: t}}
		}
		return nil
	}
}

func set(get func(side) []string) func(side) []value {
	return text(func(s side) string { return strings.Join(get(s), " ") })
}

func number(get func(side) db.Uint) func(side) []value {
	return text(func(s side) string {
		if u := get(s); u.Set {
			return strconv.FormatUint(uint64(u.Value), 10)
		}
		return ""
	})
}

func octal(get func(side) db.Uint) func(side) []value {
	return text(func(s side) string {
		if u := get(s); u.Set {
			return fmt.Sprintf("%04o", u.Value)
		}
		return ""
	})
}

func signal(get func(side) []byte) func(side) []value {
	return func(s side) []value {
		if b := get(s); b != nil {
			return []value{{text: strings.TrimRight(string(b), "\n")}}
		}
		return nil
	}
}

func program(get func(side) db.Program) func(side) []value {
	return func(s side) []value {
		switch p := get(s); p.Form {
		case db.Argv:
			words := make([]string, len(p.Argv))
			for i, word := range p.Argv {
				words[i] = strconv.Quote(word)
			}
			return []value{{text: "argv " + strings.Join(words, " ")}}
		case db.Script:
			return []value{{text: "script " + p.Script.String(), blob: p.Script}}
		}
		return nil
	}
}

func environment(s side) []value {
	out := make([]value, len(s.Exec.Env))
	for i, e := range s.Exec.Env {
		out[i] = value{sub: e.Name, text: "=" + e.Value}
	}
	return sorted(out)
}

func limits(s side) []value {
	out := make([]value, len(s.Exec.Limits))
	for i, l := range s.Exec.Limits {
		out[i] = value{sub: l.Name, text: strconv.FormatUint(l.Value, 10)}
	}
	return sorted(out)
}

func files(s side) []value {
	out := make([]value, len(s.Files))
	for i, e := range s.Files {
		out[i] = value{sub: e.Path, text: entryText(e), blob: e.Blob}
	}
	return sorted(out)
}

func entryText(e db.Entry) string {
	text := ""
	switch e.Kind {
	case db.File:
		text = fmt.Sprintf("file %04o %s", e.Mode, e.Blob)
	case db.Directory:
		text = fmt.Sprintf("directory %04o", e.Mode)
	case db.Link:
		text = "link to " + e.Target
	default:
		text = fmt.Sprintf("fifo %04o", e.Mode)
	}
	if e.Owner.Other {
		text += fmt.Sprintf(" of %d:%d", e.Owner.UID, e.Owner.GID)
	}
	return text
}

func sorted(vs []value) []value {
	slices.SortFunc(vs, func(a, b value) int { return strings.Compare(a.sub, b.sub) })
	return vs
}

func flagText(f db.Flags) string {
	var names []string
	for _, flag := range []struct {
		bit  db.Flags
		name string
	}{{db.Essential, "essential"}, {db.Recommended, "recommended"}} {
		if f&flag.bit != 0 {
			names = append(names, flag.name)
			f &^= flag.bit
		}
	}
	if f != 0 {
		names = append(names, fmt.Sprintf("%08x", uint32(f)))
	}
	return strings.Join(names, " ")
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return ""
}

func onChangeText(o db.OnChange) string {
	switch o {
	case db.Restart:
		return "restart"
	case db.Reload:
		return "reload"
	case db.Keep:
		return "keep"
	}
	return ""
}

func millis(m db.Millis) string {
	if m == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(m), 10)
}
