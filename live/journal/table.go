package journal

import (
	"encoding/json"
	"fmt"
	"slices"

	"strata/compile/db"
)

// Table gives the services of a database their slots. Its order is that of the
// database: entry i is the service with the ServiceID i.
type Table []Entry

// Entry is one service of a [Table].
type Entry struct {
	Slot Slot
	Name string
	Type db.Type
}

// Same reports whether two tables are equal, at once if they are one.
func (t Table) Same(o Table) bool {
	return len(t) == len(o) && (len(t) == 0 || &t[0] == &o[0] || slices.Equal(t, o))
}

// tableColumns is a table as JSON: three columns, which are read much faster than a
// list of objects. Types is one letter a service, l or o.
type tableColumns struct {
	Names []string `json:"names"`
	Slots []Slot   `json:"slots"`
	Types string   `json:"types"`
}

// MarshalJSON implements [json.Marshaler].
func (t Table) MarshalJSON() ([]byte, error) {
	c := tableColumns{Names: make([]string, len(t)), Slots: make([]Slot, len(t))}
	types := make([]byte, len(t))
	for i, e := range t {
		c.Names[i], c.Slots[i] = quoteBytes(e.Name), e.Slot
		types[i] = 'l'
		if e.Type == db.Oneshot {
			types[i] = 'o'
		}
	}
	c.Types = string(types)
	return json.Marshal(c)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *Table) UnmarshalJSON(b []byte) error {
	var c tableColumns
	err := json.Unmarshal(b, &c)
	if err == nil {
		*t, err = c.table()
	}
	return err
}

// table takes a table, of which nothing was taken.
func (s *scanner) table() Table {
	var c tableColumns
	s.lit(`{"names":[`)
	c.Names = s.names()
	s.many = len(c.Names)
	s.lit(`,"slots":[`)
	c.Slots = s.slots()
	s.many = 0
	s.lit(`,"types":"`)
	c.Types = s.text()
	s.lit(`}`)
	if s.bad {
		return nil
	}
	t, err := c.table()
	s.bad = err != nil
	return t
}

// names takes the rest of a list of strings. They share their memory.
func (s *scanner) names() []string {
	if s.bad || s.opt("]") {
		return nil
	}
	names, rest, ok := CutNames(s.b)
	s.b, s.bad = rest, !ok
	return names
}

func (c tableColumns) table() (Table, error) {
	if len(c.Names) != len(c.Slots) || len(c.Names) != len(c.Types) {
		return nil, fmt.Errorf("a table of %d names, %d slots and %d types", len(c.Names), len(c.Slots), len(c.Types))
	}
	t := make(Table, len(c.Names))
	for i := range c.Names {
		name, err := unquoteBytes(c.Names[i])
		if err != nil {
			return nil, err
		}
		e := Entry{Slot: c.Slots[i], Name: name, Type: db.Longrun}
		switch c.Types[i] {
		case 'l':
		case 'o':
			e.Type = db.Oneshot
		default:
			return nil, fmt.Errorf("unknown type of service %q", c.Types[i])
		}
		t[i] = e
	}
	return t, nil
}
