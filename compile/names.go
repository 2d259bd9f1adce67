package compile

import (
	"slices"
	"strings"

	"strata/compile/db"
	"strata/compile/source"
	"strata/internal/diag"
	"strata/internal/suggest"
)

// svscanNameMax is the longest name that s6-svscan takes by default (its option
// -L, s6 2.15). A prefix given at init counts too, which init checks.
const svscanNameMax = 251

// collect decides which definition a name stands for. Within a source a name may
// be defined once. Across sources the later one overrides; s6-rc refuses that
// too.
func (c *compiler) collect() {
	c.defs = make(map[string]*source.Definition, len(c.set.Definitions))
	for _, d := range c.set.Definitions {
		before := c.defs[d.Name]
		if before == nil || (!c.options.S6RC && before.Source < d.Source) {
			c.defs[d.Name] = d
			continue
		}
		if !c.options.S6RC && before.Source > d.Source {
			continue
		}
		c.duplicate(d, before, "%s is defined twice", d.Name)
	}
}

func (c *compiler) duplicate(d, before *source.Definition, format string, args ...any) {
	e := c.list.Errorf("duplicate", d.Pos, format, args...)
	e.Related = []diag.Related{{Pos: before.Pos, Message: "it is a " + before.Kind.String() + " here already"}}
}

// number sorts the atomic services by name and gives them their ids.
func (c *compiler) number() {
	for _, d := range c.defs {
		if d.Kind != source.Bundle {
			c.atoms = append(c.atoms, d)
		}
	}
	slices.SortFunc(c.atoms, func(a, b *source.Definition) int { return strings.Compare(a.Name, b.Name) })
	c.ids = make(map[string]db.ServiceID, len(c.atoms))
	for i, d := range c.atoms {
		c.ids[d.Name] = db.ServiceID(i)
	}
}

// claimProvided gives each provided name to its one provider.
func (c *compiler) claimProvided() {
	c.provided = map[string]db.ServiceID{}
	claims := map[string]source.Ref{}
	for i, d := range c.atoms {
		for _, ref := range d.Provides {
			if def := c.defs[ref.Name]; def != nil {
				c.refer(c.list.Errorf("provides-defined", ref.Pos, "%s provides %s, which is a %s of its own", d.Name, ref.Name, def.Kind),
					def.Pos, "defined here")
				continue
			}
			if first, ok := claims[ref.Name]; ok {
				c.refer(c.list.Errorf("provides-twice", ref.Pos, "%s provides %s, which %s provides already", d.Name, ref.Name, c.atoms[c.provided[ref.Name]].Name),
					first.Pos, "provided here")
				continue
			}
			claims[ref.Name] = ref
			c.provided[ref.Name] = db.ServiceID(i)
		}
	}
}

func (c *compiler) refer(d *diag.Diagnostic, pos diag.Position, message string) {
	d.Related = append(d.Related, diag.Related{Pos: pos, Message: message})
}

// checkRenames finds old names that two services claim to have had, and those that
// are names still.
func (c *compiler) checkRenames() {
	type claim struct {
		by  *source.Definition
		pos diag.Position
	}
	claims := map[string]claim{}
	for _, d := range c.atoms {
		for _, ref := range d.RenamedFrom {
			if c.defs[ref.Name] != nil {
				c.list.Warnf("renamed-from-defined", ref.Pos, "%s says that it was %s, which is still defined, so that it has no effect", d.Name, ref.Name).
					Hint = "remove it, or the definition of " + ref.Name
			}
			if first, ok := claims[ref.Name]; ok {
				c.refer(c.list.Errorf("renamed-twice", ref.Pos, "%s and %s both claim to be renamed from %s", first.by.Name, d.Name, ref.Name),
					first.pos, "claimed here first")
				continue
			}
			claims[ref.Name] = claim{d, ref.Pos}
		}
	}
}

// checkNames warns of longruns that s6-svscan would pass over.
func (c *compiler) checkNames() {
	for _, d := range c.atoms {
		if d.Kind == source.Longrun && len(d.Name) > svscanNameMax {
			c.list.Warnf("name-too-long", d.Pos, "the name of longrun %.20s... has %d bytes, s6-svscan takes %d", d.Name, len(d.Name), svscanNameMax).
				Hint = "shorten the name, or start s6-svscan with a larger -L"
		}
	}
}

// undefined reports a name that nothing defines, with what was probably meant.
// A definition that could not be read has been reported and is not missing.
func (c *compiler) undefined(code diag.Code, ref source.Ref, format string, args ...any) {
	if _, broken := slices.BinarySearch(c.set.Broken, ref.Name); broken {
		return
	}
	d := c.list.Errorf(code, ref.Pos, format, args...)
	candidates := func(yield func(string) bool) {
		for name := range c.defs {
			if !yield(name) {
				return
			}
		}
		for name := range c.provided {
			if !yield(name) {
				return
			}
		}
	}
	trimmed := strings.TrimRight(ref.Name, " \t\r")
	switch near := suggest.Nearest(ref.Name, candidates); {
	case trimmed != ref.Name && c.defs[trimmed] != nil:
		d.Hint = "blanks at the end of a line are a part of the name"
	case strings.Contains(ref.Name, " #"):
		d.Hint = "a comment stands on a line of its own; here it is a part of the name"
	case near != "" && len(ref.Name) > 2: // any other short name is near a short one
		d.Hint = "did you mean " + near + "?"
	}
}
