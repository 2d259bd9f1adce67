package update

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"strata/compile/db"
)

// own is the reason that an old service stops for if it is one of its own.
func (r *reasons) own(i id) (Cause, bool) {
	switch {
	case r.ordered.restart.Has(i):
		return Cause{What: ReasonOrdered, Service: r.old.name(i), Field: "--restart"}, true
	case r.match.restart[i] && !r.ordered.keep.Has(i):
		return Cause{What: ReasonOrdered, Service: r.old.name(i), Field: conversionField, At: r.conversionLine(i)}, true
	case r.restart.Has(i):
		return fieldCauses(r.byOld[i])[0], true
	}
	return r.gone(i)
}

// gone is what became of an old service that does not go on.
func (r *reasons) gone(i id) (Cause, bool) {
	s := r.byOld[i]
	if s == nil || s.Kind == Changed {
		return Cause{}, false
	}
	c := Cause{Service: s.Old, At: r.places.of(r.old.view, i, "")}
	switch s.Kind {
	case Unfolded:
		c.What, c.To = ReasonUnfolded, strings.Join(s.NewNames, " ")
	case Retyped:
		c.What, c.Field, c.From, c.To = ReasonRetyped, "type", r.old.typeOf(i).String(), r.new.typeOf(s.new).String()
		c.At, c.OldAt = bothPlaces(r.places.of(r.new.view, s.new, ""), c.At)
	default:
		c.What = ReasonRemoved
	}
	return c, true
}

// conversionField says in a cause that the conversion file orders something.
const conversionField = "conversion-file"

func (r *reasons) conversionLine(i id) string {
	return fmt.Sprintf("%s:%d", r.conversionFile, r.match.line[i])
}

// bothPlaces are the places of a cause: that in the new sources, or else in the old
// ones, and that in the old ones if it is in both.
func bothPlaces(newAt, oldAt string) (at, was string) {
	if newAt == "" {
		return oldAt, ""
	}
	return newAt, oldAt
}

// oldNeed is the link "from needs to", of old services.
func (r *reasons) oldNeed(from, to id) Cause {
	c := Cause{What: ReasonNeeds, Service: r.old.name(from), Field: "needs/" + r.old.name(to), To: r.old.name(to)}
	newAt := ""
	if j, ok := r.match.pair(from); ok {
		for _, k := range r.match.to[to] {
			if _, found := slices.BinarySearch(r.new.needs.Out(j), k); found {
				newAt = r.places.ofEdge(r.new, j, "needs", k)
				break
			}
		}
	}
	c.At, c.OldAt = bothPlaces(newAt, r.places.ofEdge(r.old, from, "needs", to))
	return c
}

// newEdge is the link "from needs to", or wants, of new services. What was not there
// has not gained its edges.
func (r *reasons) newEdge(key string, from, to id) Cause {
	c := Cause{What: ReasonNeeds, Service: r.new.name(from), Field: key + "/" + r.new.name(to), To: r.new.name(to)}
	oldAt := ""
	switch i, k := r.match.from[from], r.match.from[to]; {
	case i == db.None:
	case r.had(key, i, k):
		oldAt = r.places.ofEdge(r.old, i, key, k)
	default:
		c.What = ReasonGained
	}
	c.At, c.OldAt = bothPlaces(r.places.ofEdge(r.new, from, key, to), oldAt)
	return c
}

// provided is that a name has another provider.
func (r *reasons) provided(m provider) Cause {
	c := Cause{What: ReasonProvided, Service: m.name, From: r.old.name(m.from), To: r.new.name(m.to)}
	c.At, c.OldAt = bothPlaces(r.places.of(r.new.view, m.to, "provides"), r.places.of(r.old.view, m.from, "provides"))
	return c
}

// fieldCauses are the changed fields of a service, the gravest first. What has no
// part in the definition itself is left out where something has.
func fieldCauses(s *ServiceChange) []Cause {
	fields := slices.Clone(s.Fields)
	slices.SortStableFunc(fields, func(a, b FieldChange) int { return cmp.Compare(b.Class, a.Class) })
	if s.Class >= Live {
		fields = slices.DeleteFunc(fields, func(f FieldChange) bool { return f.Class < Live })
	}
	out := []Cause{}
	for _, f := range fields {
		c := Cause{What: ReasonChanged, Service: s.New, Field: f.Field, From: f.From, To: f.To}
		c.At, c.OldAt = bothPlaces(f.NewAt, f.OldAt)
		out = append(out, c)
	}
	if len(out) == 0 {
		out = append(out, Cause{What: ReasonRenamed, Service: s.Old, From: s.Old, To: s.New})
	}
	return out
}

// goneChain is [reasons.gone] as a chain.
func (r *reasons) goneChain(i id) []Cause {
	c, _ := r.gone(i)
	return []Cause{c}
}

// added is why something new is made for j.
func (r *reasons) added(j id) []Cause {
	if i := r.match.from[j]; i != db.None && r.old.isService(i) {
		return r.goneChain(i)
	}
	return []Cause{{What: ReasonAdded, Service: r.new.name(j), At: r.places.of(r.new.view, j, "")}}
}

func (r *reasons) renamed(i, j id) []Cause {
	c := Cause{What: ReasonRenamed, Service: r.old.name(i), From: r.old.name(i), To: r.new.name(j)}
	switch r.match.via[i] {
	case ByFile:
		c.Field, c.At = conversionField, r.conversionLine(i)
	case ByRenamedFrom:
		c.Field, c.At = "renamed-from", r.places.of(r.new.view, j, "renamed-from")
	case ByProvides:
		c.Field, c.At = "provides", r.places.of(r.new.view, j, "provides")
	}
	return []Cause{c}
}

// change lists the changed fields of a service that goes on.
func (r *reasons) change(j id) []Cause {
	if s := r.byNew[j]; s != nil {
		return fieldCauses(s)
	}
	return []Cause{{What: ReasonDatabase, Service: r.new.name(j)}}
}

// pipe is why a consumer that goes on gets its first producer, or has lost its last.
func (r *reasons) pipe(j id) []Cause {
	return slices.DeleteFunc(r.change(j), func(c Cause) bool { return c.Field != "consumer-for" })
}
