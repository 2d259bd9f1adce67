package update

import (
	"encoding/json"
	"fmt"
	"slices"

	"strata/live/journal"
)

// plainPatch is a Patch without methods.
type plainPatch Patch

// MarshalJSON implements [json.Marshaler]. A string that is not UTF-8 is written as
// [journal.Text] is.
func (p Patch) MarshalJSON() ([]byte, error) {
	out := plainPatch(p)
	if err := out.convertRest(encodeString); err != nil {
		return nil, err
	}
	if text, ok := out.marshalUp(); ok {
		return text, nil
	}
	if err := out.convertUp(encodeString); err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *Patch) UnmarshalJSON(text []byte) error {
	var in plainPatch
	if !in.unmarshalUp(text) {
		in = plainPatch{}
		if err := json.Unmarshal(text, &in); err != nil {
			return err
		}
		if err := in.convertUp(decodeString); err != nil {
			return err
		}
	}
	if err := in.convertRest(decodeString); err != nil {
		return err
	}
	*p = Patch(in)
	return nil
}

// encodeString gives what stands for a string in JSON.
func encodeString(s string) (string, error) {
	b, err := journal.Text(s).MarshalText()
	return string(b), err
}

// decodeString is the reverse of encodeString.
func decodeString(s string) (string, error) {
	var t journal.Text
	if err := t.UnmarshalText([]byte(s)); err != nil {
		return "", fmt.Errorf("cannot read the string %q: %w", s, err)
	}
	return string(t), nil
}

// convertUp changes the strings of the lists of what is up, in lists of its own.
func (p *plainPatch) convertUp(f func(string) (string, error)) error {
	c := conversion{f: f}
	for _, u := range upLists {
		c.list(u.in(p))
	}
	return c.err
}

// convertRest changes all other strings that hold names or paths.
func (p *plainPatch) convertRest(f func(string) (string, error)) error {
	c := conversion{f: f}
	for _, s := range []*string{&p.Old.Path, &p.New.Path, &p.Live.Path} {
		c.one(s)
	}
	c.list(&p.After.Wanted)
	c.list(&p.Warnings)
	if p.Store != nil {
		m := *p.Store
		p.Store = &m
		for _, s := range []*string{&m.Path, &m.From, &m.To} {
			c.one(s)
		}
	}
	if p.S6RC != nil {
		p.S6RC = &Lists{p.S6RC.Stop, p.S6RC.Start}
		c.list(&p.S6RC.Stop)
		c.list(&p.S6RC.Start)
	}
	p.Actions = slices.Clone(p.Actions)
	for i := range p.Actions {
		a := &p.Actions[i]
		c.one(&a.Service)
		c.list(&a.NewNames)
		a.Because = slices.Clone(a.Because)
		for k := range a.Because {
			b := &a.Because[k]
			for _, s := range []*string{&b.Service, &b.Field, &b.From, &b.To, &b.At, &b.OldAt} {
				c.one(s)
			}
		}
	}
	return c.err
}

// conversion changes strings until that is not possible.
type conversion struct {
	f   func(string) (string, error)
	err error
}

func (c *conversion) one(s *string) {
	if c.err == nil {
		*s, c.err = c.f(*s)
	}
}

func (c *conversion) list(l *[]string) {
	*l = slices.Clone(*l)
	for i := range *l {
		c.one(&(*l)[i])
	}
}
