package compile

import (
	"slices"
	"strings"

	"strata/compile/db"
	"strata/compile/source"
	"strata/internal/diag"
)

// bundle is a name for a set of atomic services, before and after resolution.
type bundle struct {
	def *source.Definition
	// members are what the bundle is declared to hold.
	members []source.Ref
	// contents is the flat result: ascending, without repetition.
	contents []db.ServiceID
	pipeline bool
	state    resolution
}

// resolution is how far a bundle has been resolved.
type resolution uint8

const (
	untouched resolution = iota
	inProgress
	resolved
)

// resolveBundles flattens every bundle and hands its flags to what it stands for.
func (c *compiler) resolveBundles() {
	for _, name := range c.bundleNames() {
		if cycle := c.flatten(name); cycle != nil {
			c.bundleCycle(cycle)
		}
	}
	for _, name := range c.bundleNames() {
		b := c.bundles[name]
		for _, id := range b.contents {
			c.atoms[id].Body.Flags |= b.def.Flags
		}
	}
}

func (c *compiler) bundleNames() []string {
	names := make([]string, 0, len(c.bundles))
	for name := range c.bundles {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// flatten resolves one bundle and those it holds, depth first on an explicit
// stack, since bundles may be nested as deep as users like. It returns the names
// of a cycle if it meets one.
func (c *compiler) flatten(name string) []string {
	type frame struct {
		name string
		next int
	}
	if c.bundles[name].state == resolved {
		return nil
	}
	var cycle []string
	stack := []frame{{name: name}}
	c.bundles[name].state = inProgress
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		b := c.bundles[top.name]
		if top.next == len(b.members) {
			slices.Sort(b.contents)
			b.contents = slices.Compact(b.contents)
			b.state = resolved
			stack = stack[:len(stack)-1]
			continue
		}
		member := b.members[top.next]
		inner, isBundle := c.bundles[member.Name]
		switch {
		case !isBundle:
			c.addAtom(b, member)
		case inner.state == untouched:
			inner.state = inProgress
			stack = append(stack, frame{name: member.Name})
			continue
		case inner.state == inProgress:
			if cycle == nil {
				at := slices.IndexFunc(stack, func(f frame) bool { return f.name == member.Name })
				for _, f := range stack[at:] {
					cycle = append(cycle, f.name)
				}
			}
		default:
			b.contents = append(b.contents, inner.contents...)
		}
		top.next++
	}
	return cycle
}

// addAtom adds an atomic service to a bundle. A manual one is known, so that its
// name is no mistake, but is not pulled in.
func (c *compiler) addAtom(b *bundle, member source.Ref) {
	ids, ok := c.resolve(member.Name)
	if !ok {
		c.undefined("undefined-in-bundle", member, "bundle %s contains %s, which is not defined", b.def.Name, member.Name)
		return
	}
	for _, id := range ids {
		if !c.atoms[id].Body.Manual {
			b.contents = append(b.contents, id)
		}
	}
}

func (c *compiler) bundleCycle(cycle []string) {
	d := c.list.Errorf("bundle-cycle", c.bundles[cycle[0]].def.Pos, "bundle %s contains itself: %s", cycle[0],
		strings.Join(append(slices.Clone(cycle), cycle[0]), " -> "))
	d.Hint = "take one of them out of the other"
	for i, name := range cycle {
		inner := cycle[(i+1)%len(cycle)]
		at := slices.IndexFunc(c.bundles[name].members, func(r source.Ref) bool { return r.Name == inner })
		d.Related = append(d.Related, diag.Related{Pos: c.bundles[name].members[at].Pos, Message: name + " contains " + inner})
	}
	d.Pos = d.Related[0].Pos
	if len(cycle) == 1 {
		d.Related, d.Hint = nil, "take it out of its own contents"
	}
}
