package update

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// bytesMark begins what stands for a string that is not UTF-8, which JSON cannot
// hold. No name begins with a dot.
const bytesMark = ".b64:"

// plainPatch is a Patch without methods.
type plainPatch Patch

// MarshalJSON implements [json.Marshaler]. A string that is not UTF-8 is ".b64:"
// and its bytes in base64, as in the journal.
func (p Patch) MarshalJSON() ([]byte, error) {
	out := plainPatch(p)
	err := out.convert(func(s string) (string, error) {
		if utf8.ValidString(s) && !strings.HasPrefix(s, bytesMark) {
			return s, nil
		}
		return bytesMark + base64.StdEncoding.EncodeToString([]byte(s)), nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *Patch) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, (*plainPatch)(p)); err != nil {
		return err
	}
	return (*plainPatch)(p).convert(func(s string) (string, error) {
		coded, ok := strings.CutPrefix(s, bytesMark)
		if !ok {
			return s, nil
		}
		b, err := base64.StdEncoding.DecodeString(coded)
		if err != nil {
			return "", fmt.Errorf("cannot read the string %q: %w", s, err)
		}
		return string(b), nil
	})
}

// convert changes all strings that hold names or paths, in lists of its own.
func (p *plainPatch) convert(f func(string) (string, error)) (err error) {
	one := func(s *string) {
		if err == nil {
			*s, err = f(*s)
		}
	}
	list := func(l *[]string) {
		*l = slices.Clone(*l)
		for i := range *l {
			one(&(*l)[i])
		}
	}
	for _, s := range []*string{&p.Old.Path, &p.New.Path, &p.Live.Path} {
		one(s)
	}
	list(&p.Before.Up)
	list(&p.After.Up)
	list(&p.Warnings)
	if p.Store != nil {
		m := *p.Store
		p.Store = &m
		for _, s := range []*string{&m.Path, &m.From, &m.To} {
			one(s)
		}
	}
	if p.S6RC != nil {
		p.S6RC = &Lists{p.S6RC.Stop, p.S6RC.Start}
		list(&p.S6RC.Stop)
		list(&p.S6RC.Start)
	}
	p.Actions = slices.Clone(p.Actions)
	for i := range p.Actions {
		a := &p.Actions[i]
		one(&a.Service)
		list(&a.NewNames)
		a.Because = slices.Clone(a.Because)
		for k := range a.Because {
			c := &a.Because[k]
			for _, s := range []*string{&c.Service, &c.Field, &c.From, &c.To, &c.At, &c.OldAt} {
				one(s)
			}
		}
	}
	return err
}
