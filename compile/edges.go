package compile

import (
	"strata/compile/db"
	"strata/compile/source"
	"strata/graph"
	"strata/internal/diag"
)

// edgeList collects edges of one kind.
type edgeList []graph.Edge

func (l *edgeList) add(from, to db.ServiceID) { *l = append(*l, graph.Edge{From: from, To: to}) }

// resolveEdges turns the names that services depend on into edges.
//
// A need must exist. A producer needs its consumer, so that nothing is written
// before somebody reads it, as in s6-rc. Soft edges order only; they may name
// what does not exist, and one that leads through a bundle back to the service
// itself says nothing.
func (c *compiler) resolveEdges() {
	for i, d := range c.atoms {
		id := db.ServiceID(i)
		for _, ref := range d.Needs {
			c.need(id, d, ref)
		}
		if consumer := c.feeds[d]; consumer != nil {
			c.needs.add(id, c.ids[consumer.Name])
		}
		for _, ref := range d.Wants {
			for _, to := range c.softTargets(id, d, "wants", ref) {
				c.wants.add(id, to)
				c.soft.add(id, to)
			}
		}
		for _, ref := range d.After {
			for _, to := range c.softTargets(id, d, "is ordered after", ref) {
				c.soft.add(id, to)
			}
		}
		for _, ref := range d.Before {
			for _, from := range c.softTargets(id, d, "is ordered before", ref) {
				c.soft.add(from, id)
			}
		}
	}
}

func (c *compiler) need(id db.ServiceID, d *source.Definition, ref source.Ref) {
	to, ok := c.resolve(ref.Name)
	if !ok {
		c.undefined("undefined-dependency", ref, "%s needs %s, which is not defined", d.Name, ref.Name)
		return
	}
	for _, t := range to {
		c.needs.add(id, t)
	}
}

func (c *compiler) softTargets(id db.ServiceID, d *source.Definition, verb string, ref source.Ref) []db.ServiceID {
	to, ok := c.resolve(ref.Name)
	if !ok {
		if c.options.Strict {
			c.list.Warnf("undefined-soft", ref.Pos, "%s %s %s, which is not defined", d.Name, verb, ref.Name)
		}
		return nil
	}
	out := make([]db.ServiceID, 0, len(to))
	for _, t := range to {
		if t != id || ref.Name == d.Name {
			out = append(out, t)
		}
	}
	return out
}

// edgeReason finds the declaration behind an edge, for messages.
func (c *compiler) edgeReason(from, to db.ServiceID) diag.Related {
	f, t := c.atoms[from], c.atoms[to]
	for _, group := range []struct {
		refs       []source.Ref
		verb       string
		holder     *source.Definition
		other      db.ServiceID
		otherFirst bool
	}{
		{f.Needs, " needs ", f, to, false},
		{f.Wants, " wants ", f, to, false},
		{f.After, " is ordered after ", f, to, false},
		{t.Before, " is ordered before ", t, from, false},
		{f.ProducerFor, " is a producer for ", f, to, false},
	} {
		for _, ref := range group.refs {
			if ids, _ := c.resolve(ref.Name); containsID(ids, group.other) {
				return diag.Related{Pos: ref.Pos, Message: group.holder.Name + group.verb + through(ref.Name, c.atoms[group.other].Name)}
			}
		}
	}
	return diag.Related{Pos: f.Pos, Message: f.Name + " depends on " + t.Name}
}

func through(written, meant string) string {
	if written == meant {
		return meant
	}
	return meant + " (through " + written + ")"
}

func containsID(ids []db.ServiceID, id db.ServiceID) bool {
	for _, i := range ids {
		if i == id {
			return true
		}
	}
	return false
}
