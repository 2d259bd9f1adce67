package update

import (
	"errors"
	"fmt"
	"strings"

	"strata/compile/db"
)

// ErrPrivate says that values of a private database were asked for.
var ErrPrivate = errors.New("a database is private")

// TextChange is a field whose values a [FieldChange] gives as digests, with the
// values themselves: what is in a file, or else the value and a newline. Empty is
// none, or an empty file.
type TextChange struct {
	Field    string
	From, To string
}

// Changed returns what has changed of the service that has this name in the new
// database, or nil.
func (c *Changes) Changed(name string) *ServiceChange {
	j, ok := c.after.view.find(name)
	if !ok {
		return nil
	}
	return c.byNew[j]
}

// Texts returns the values of the secret fields of a service that differ: scripts,
// environment and files. If either database is private the error is [ErrPrivate],
// unless private values may be shown.
func (c *Changes) Texts(s *ServiceChange, private bool) ([]TextChange, error) {
	if s.old == db.None || s.new == db.None {
		return nil, nil
	}
	if !private && (c.before.private || c.after.private) {
		return nil, fmt.Errorf("cannot show values: %w", ErrPrivate)
	}
	a, b, err := c.sides(s.old, s.new)
	if err != nil {
		return nil, err
	}
	var out []TextChange
	for _, f := range fields {
		if !f.Secret {
			continue
		}
		f.differences(a, b, func(x, y *value) {
			from, err1 := c.before.text(x)
			to, err2 := c.after.text(y)
			err = errors.Join(err, err1, err2)
			if from == to && x != nil && y != nil {
				from, to = x.text+"\n", y.text+"\n" // another mode or owner
			}
			out = append(out, TextChange{f.key(x, y), from, to})
		})
	}
	return out, err
}

// text is a value as it is, with the content of the file it names.
func (v *view) text(x *value) (string, error) {
	switch {
	case x == nil:
		return "", nil
	case x.blob.IsZero():
		// An environment variable that is set and empty is not one that is not set.
		return strings.TrimPrefix(x.text, "=") + "\n", nil
	}
	content, err := v.blob(x.blob)
	return string(content), err
}
