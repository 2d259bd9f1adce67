package update

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"strata/compile/db"
)

// Version identifies a database.
type Version struct {
	Path    string    `json:"path"`
	Content db.Digest `json:"content"`
	File    db.Digest `json:"file"`
}

// Kind says what became of a service between two databases.
type Kind string

// The kinds of changes.
const (
	Added    Kind = "added"
	Removed  Kind = "removed"
	Changed  Kind = "changed"  // same type; possibly under another name
	Retyped  Kind = "retyped"  // a oneshot became a longrun or the reverse
	Unfolded Kind = "unfolded" // its name stands for a bundle now
)

// ServiceChange is one service that differs.
type ServiceChange struct {
	Kind Kind
	// Old and New are its names; one is empty if it was added or removed, and
	// NewNames are what it unfolded into.
	Old      string
	New      string
	NewNames []string
	Via      string // why a service of another name is the same
	// Class is the highest of the fields' classes.
	Class  Class
	Fields []FieldChange

	old, new id
	onChange db.OnChange // of the new definition
}

// BundleChange is one bundle, or provided name, that differs.
type BundleChange struct {
	Kind Kind // added, removed or changed
	Name string
	Gone []string
	More []string
}

// Changes is what differs between two databases. It refers to them: they must stay
// open as long as it is used.
type Changes struct {
	Old, New Version
	// Services are sorted by their old name, or the new one if they have no old.
	Services []ServiceChange
	Bundles  []BundleChange

	before, after *vertices
	match         *match
	moved         []provider
	places        *places
	// conversionFile is its name, for people.
	conversionFile string
	byOld, byNew   map[id]*ServiceChange
}

// Empty reports whether there is nothing to update: the same content, and no order
// in the conversion file.
func (c *Changes) Empty() bool {
	return c.Old.Content == c.New.Content && len(c.Services) == 0 && !slices.Contains(c.match.restart, true)
}

// Diff compares two databases. Descriptions are not compared, as they are no part
// of what an update looks at; see [DiffAll]. The error is a [*ConversionError], or
// that of a database that cannot be read.
func Diff(old, new *db.DB, conv Conversions) (*Changes, error) {
	return diffViews(viewOf(old), viewOf(new), conv, false)
}

// DiffAll is [Diff] with everything compared. It reads every definition.
func DiffAll(old, new *db.DB, conv Conversions) (*Changes, error) {
	return diffViews(viewOf(old), viewOf(new), conv, true)
}

func diffViews(old, next *view, conv Conversions, all bool) (*Changes, error) {
	c := &Changes{
		Old:   Version{old.path, old.content, old.file},
		New:   Version{next.path, next.content, next.file},
		byOld: map[id]*ServiceChange{}, byNew: map[id]*ServiceChange{}, conversionFile: conv.File,
	}
	c.before, c.after = &vertices{old, true, nil}, &vertices{next, true, nil}
	if old.content == next.content && len(conv.Lines) == 0 && !all {
		c.match = new(match) // nobody will ask: there is nothing to do
		return c, nil
	}
	var err error
	if c.match, err = matchServices(c.before, c.after, conv); err != nil {
		return nil, err
	}
	c.places = newPlaces()
	if err := errors.Join(c.compareServices(all), c.places.err); err != nil {
		return nil, err
	}
	c.places = nil // Changes do not change any more
	c.compareBundles()
	c.moved = c.movedProviders()
	for k := range c.Services {
		s := &c.Services[k]
		if s.old != db.None {
			c.byOld[s.old] = s
		}
		if s.new != db.None {
			c.byNew[s.new] = s
		}
	}
	return c, nil
}

func (c *Changes) compareServices(all bool) error {
	for i := range id(c.before.view.len()) {
		if !all && c.unchanged(i) {
			continue
		}
		s, err := c.compareOld(i, all)
		if err != nil {
			return err
		}
		if s != nil {
			c.Services = append(c.Services, *s)
		}
	}
	for j := range id(c.after.view.len()) {
		if c.match.from[j] == db.None {
			c.Services = append(c.Services, ServiceChange{Kind: Added, New: c.after.names[j], old: db.None, new: j, Class: Graph})
		}
	}
	slices.SortStableFunc(c.Services, func(a, b ServiceChange) int {
		return strings.Compare(cmp.Or(a.Old, a.New), cmp.Or(b.Old, b.New))
	})
	return nil
}

// unchanged is a quick look that finds most services that are the same.
func (c *Changes) unchanged(i id) bool {
	j, ok := c.match.pair(i)
	return ok && c.after.isService(j) && c.match.via[i] == ByName && c.before.names[i] == c.after.names[j] && c.sameFlat(i, j) &&
		c.sameRow(c.before.view.needs.Out(i), c.after.view.needs.Out(j)) && c.sameRow(c.before.soft.Out(i), c.after.soft.Out(j)) &&
		c.sameRow(c.before.wants.Out(i), c.after.wants.Out(j))
}

// sameRow compares rows of edges without looking for what has moved within them.
func (c *Changes) sameRow(old, new []id) bool {
	if len(old) != len(new) {
		return false
	}
	for at, k := range new {
		if c.match.from[k] != old[at] {
			return false
		}
	}
	return true
}

// compareOld compares an old service with what became of it; nil is no change.
func (c *Changes) compareOld(i id, all bool) (*ServiceChange, error) {
	s := &ServiceChange{Kind: Changed, Old: c.before.names[i], old: i, new: db.None}
	to := c.match.to[i]
	switch {
	case len(to) == 0:
		s.Kind, s.Class = Removed, ByRestart
		return s, nil
	case !c.match.single[i]:
		s.Kind, s.Class = Unfolded, ByRestart
		for _, j := range to {
			s.NewNames = append(s.NewNames, c.after.name(j))
		}
		return s, nil
	case !c.after.isService(to[0]):
		s.Kind, s.Class = Removed, ByRestart
		return s, nil
	}
	s.new = to[0]
	s.New = c.after.names[s.new]
	if c.match.via[i] != ByName {
		s.Via = viaNames[c.match.via[i]]
	}
	if c.match.retyped[i] {
		s.Kind, s.Class = Retyped, ByRestart
	}
	var err error
	if all || !c.sameFlat(i, s.new) {
		if s.Fields, s.onChange, err = c.compareDefinitions(i, s.new); err != nil {
			return nil, err
		}
	}
	s.Fields = append(s.Fields, c.compareEdges(i, s.new)...)
	for _, f := range s.Fields {
		s.Class = max(s.Class, f.Class)
	}
	if s.Kind == Changed && s.Old == s.New && len(s.Fields) == 0 {
		return nil, nil
	}
	return s, nil
}

var viaNames = map[Via]string{ByFile: "conversion file", ByRenamedFrom: "renamed-from", ByProvides: "provides"}

// sameFlat compares what needs no record.
func (c *Changes) sameFlat(i, j id) bool {
	old, new := c.before, c.after
	return old.def(i) == new.def(j) && old.flags[i] == new.flags[j] && old.manual[i] == new.manual[j] &&
		c.samePipes(i, j)
}

// samePipes says that a service goes on in the pipeline that it was in. A consumer
// that is gone is not the same as none.
func (c *Changes) samePipes(i, j id) bool {
	feeds := c.before.consumer[i]
	return c.before.fed[i] == c.after.fed[j] && c.successor(feeds) == c.after.consumer[j] && (feeds == db.None) == (c.after.consumer[j] == db.None)
}

// successor is the service an old one goes on as, or None.
func (c *Changes) successor(i id) id {
	if i == db.None {
		return db.None
	}
	j, _ := c.match.pair(i)
	return j
}

func (c *Changes) compareDefinitions(i, j id) ([]FieldChange, db.OnChange, error) {
	a, b, err := c.sides(i, j)
	if err != nil {
		return nil, 0, err
	}
	return compareFields(a, b), b.OnChange, nil
}

// sides reads both definitions of a service. Numbers mean the names that services
// have now, so that a rename of a neighbour is no difference.
func (c *Changes) sides(i, j id) (a, b side, err error) {
	if a.Service, err = c.before.service(i); err != nil {
		return a, b, err
	}
	a.name = func(k id) string {
		switch n := c.successor(k); {
		case k == db.None:
			return ""
		case n != db.None:
			return c.after.name(n)
		}
		// The name alone would hide that it is another service now.
		return c.before.name(k) + " (gone)"
	}
	b.name = func(k id) string {
		if k == db.None {
			return ""
		}
		return c.after.name(k)
	}
	b.Service, err = c.after.service(j)
	return a, b, err
}

// compareEdges finds the dependencies that one service has gained or lost.
func (c *Changes) compareEdges(i, j id) []FieldChange {
	var out []FieldChange
	said := map[string]bool{}
	for _, key := range []string{"needs", "wants", "after"} {
		gone, more := c.edgeDelta(c.before.view.edges(key).Out(i), c.after.view.edges(key).Out(j))
		edge := func(name string, f FieldChange) {
			// A want is an edge of order too: say it once.
			if key == "wants" {
				said[name] = true
			} else if key == "after" && said[name] {
				return
			}
			f.Field, f.Class = key+"/"+name, Graph
			out = append(out, f)
		}
		for _, k := range gone {
			name := c.before.names[k]
			edge(name, FieldChange{From: name, OldAt: c.places.ofEdge(c.before, i, key, k)})
		}
		for _, k := range more {
			name := c.after.names[k]
			edge(name, FieldChange{To: name, NewAt: c.places.ofEdge(c.after, j, key, k)})
		}
	}
	return out
}

// edgeDelta compares two rows, which are ascending, by identity: what an old service
// became is the same, whatever its type is now.
func (c *Changes) edgeDelta(old, new []id) (gone, more []id) {
	for _, k := range old {
		if !slices.ContainsFunc(c.match.to[k], func(j id) bool { _, ok := slices.BinarySearch(new, j); return ok }) {
			gone = append(gone, k)
		}
	}
	for _, k := range new {
		if _, ok := slices.BinarySearch(old, c.match.from[k]); !ok {
			more = append(more, k)
		}
	}
	return gone, more
}

func (c *Changes) compareBundles() {
	old, new := c.before.bundles, c.after.bundles
	for len(old) > 0 || len(new) > 0 {
		switch {
		case len(new) == 0 || len(old) > 0 && old[0].Name < new[0].Name:
			c.Bundles = append(c.Bundles, BundleChange{Kind: Removed, Name: old[0].Name})
			old = old[1:]
		case len(old) == 0 || new[0].Name < old[0].Name:
			c.Bundles = append(c.Bundles, BundleChange{Kind: Added, Name: new[0].Name})
			new = new[1:]
		default:
			b := BundleChange{Kind: Changed, Name: new[0].Name}
			gone, more := c.edgeDelta(old[0].Contents, new[0].Contents)
			for _, k := range gone {
				b.Gone = append(b.Gone, c.before.names[k])
			}
			for _, k := range more {
				b.More = append(b.More, c.after.names[k])
			}
			if len(gone)+len(more) > 0 {
				c.Bundles = append(c.Bundles, b)
			}
			old, new = old[1:], new[1:]
		}
	}
}
