package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"strata/compile/db"
)

// Services are services by their slots.
type Services map[Slot]Service

// serviceColumns is Services as JSON: what nearly every service has in columns, which
// are read many times faster than a list of objects, and the rest of those that have
// more.
type serviceColumns struct {
	Slots []Slot `json:"slots"`
	// States is one digit a service: the sum of the constants below.
	States string `json:"states"`
	// Defs holds the digests of those that have one, one after the other.
	Defs string `json:"defs"`
	// Since and At are nanoseconds since 1970, 0 for no time. They are short and fast to
	// read, as of Since the one before is taken off, and of At that of Since.
	Since []int64 `json:"since"`
	At    []int64 `json:"at"`
	By    []Slot  `json:"by"`
	// Causes and Commands are places in Texts.
	Causes   []int            `json:"causes"`
	Commands []int            `json:"commands"`
	Texts    []string         `json:"texts"`
	Rest     map[Slot]Service `json:"rest,omitempty"`
}

// What the digits of the column states add up.
const (
	stateWanted = 1 << iota
	stateUp
	stateKnown // has a definition
	stateEnd
)

// rest is what has no column.
func (v Service) rest() Service {
	v.Wanted, v.Up, v.Def, v.By, v.Cause, v.Command = false, false, db.Digest{}, 0, "", ""
	v.Since, v.At = time.Time{}, time.Time{}
	return v
}

// add puts what has no column to what has.
func (v *Service) add(rest Service) {
	rest.Wanted, rest.Up, rest.Def, rest.By, rest.Cause, rest.Command = v.Wanted, v.Up, v.Def, v.By, v.Cause, v.Command
	rest.Since, rest.At = v.Since, v.At
	*v = rest
}

// MarshalJSON implements [json.Marshaler].
func (s Services) MarshalJSON() ([]byte, error) {
	c := serviceColumns{
		Slots: make([]Slot, 0, len(s)), Since: []int64{}, At: []int64{}, By: []Slot{}, Causes: []int{}, Commands: []int{}, Texts: []string{},
	}
	for slot := range s {
		c.Slots = append(c.Slots, slot)
	}
	slices.Sort(c.Slots)
	places := make(map[string]int)
	place := func(text string) int {
		n, ok := places[text]
		if !ok {
			n = len(c.Texts)
			places[text] = n
			c.Texts = append(c.Texts, text)
		}
		return n
	}
	var states, defs strings.Builder
	before := int64(0)
	for _, slot := range c.Slots {
		v := s[slot]
		state := byte('0')
		if v.Wanted {
			state += stateWanted
		}
		if v.Up {
			state += stateUp
		}
		if v.Def != (db.Digest{}) {
			state += stateKnown
			defs.WriteString(v.Def.String())
		}
		states.WriteByte(state)
		since := nanos(v.Since)
		c.Since, c.At = append(c.Since, since-before), append(c.At, nanos(v.At)-since)
		before = since
		c.By = append(c.By, v.By)
		c.Causes, c.Commands = append(c.Causes, place(v.Cause)), append(c.Commands, place(v.Command))
		if rest := v.rest(); rest != (Service{}) {
			if c.Rest == nil {
				c.Rest = make(map[Slot]Service)
			}
			c.Rest[slot] = rest
		}
	}
	c.States, c.Defs = states.String(), defs.String()
	return json.Marshal(c)
}

// addUp makes the times of what was written.
func addUp(since, at []int64) {
	before := int64(0)
	for i := range since {
		since[i] += before
		before = since[i]
		at[i] += before
	}
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Services) UnmarshalJSON(b []byte) error {
	var c serviceColumns
	if err := json.Unmarshal(b, &c); err != nil {
		return err
	}
	n := len(c.Slots)
	for _, column := range []int{len(c.States), len(c.Since), len(c.At), len(c.By), len(c.Causes), len(c.Commands)} {
		if column != n {
			return fmt.Errorf("a column of %d for %d services", column, n)
		}
	}
	addUp(c.Since, c.At)
	out := make(Services, n)
	for i, slot := range c.Slots {
		v := Service{Since: fromNanos(c.Since[i]), At: fromNanos(c.At[i]), By: c.By[i]}
		if c.States[i] < '0' || c.States[i] >= '0'+stateEnd {
			return fmt.Errorf("unknown state %q", c.States[i])
		}
		state := c.States[i] - '0'
		v.Wanted, v.Up = state&stateWanted != 0, state&stateUp != 0
		if state&stateKnown != 0 {
			const digits = 2 * len(v.Def)
			if len(c.Defs) < digits || !unhex(v.Def[:], []byte(c.Defs[:digits])) {
				return errors.New("no definition")
			}
			c.Defs = c.Defs[digits:]
		}
		for _, text := range []struct {
			to    *string
			place int
		}{{&v.Cause, c.Causes[i]}, {&v.Command, c.Commands[i]}} {
			if text.place < 0 || text.place >= len(c.Texts) {
				return fmt.Errorf("no text %d", text.place)
			}
			*text.to = c.Texts[text.place]
		}
		v.add(c.Rest[slot])
		out[slot] = v
	}
	for slot := range c.Rest {
		if _, ok := out[slot]; !ok {
			return fmt.Errorf("slot %d has a rest and nothing else", slot)
		}
	}
	if c.Defs != "" {
		return errors.New("a definition too many")
	}
	*s = out
	return nil
}
