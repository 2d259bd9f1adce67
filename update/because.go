package update

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"strata/compile/db"
)

// reasons are the shortest chains from a change to each service that stops or
// starts. A chain begins with the change and ends with the service.
type reasons struct {
	*plan
	oldChains, newChains map[id][]Cause
	// records are services that were read for their places in the sources; err is
	// the first failure to read one.
	records map[recordKey]*db.Service
	err     error
}

type recordKey struct {
	of *view
	id id
}

// explain searches breadth first from the changes, so that the chains it finds are
// shortest ones; among equals the one by the smaller numbers.
func (p *plan) explain() *reasons {
	r := &reasons{plan: p, oldChains: map[id][]Cause{}, newChains: map[id][]Cause{}, records: map[recordKey]*db.Service{}}
	r.explainStops()
	r.explainStarts()
	return r
}

func (r *reasons) record(v *view, i id) *db.Service {
	key := recordKey{v, i}
	if s, ok := r.records[key]; ok {
		return s
	}
	s, err := v.service(i)
	if err != nil {
		if r.err == nil {
			r.err = err
		}
		s = new(db.Service)
	}
	r.records[key] = s
	return s
}

func (r *reasons) placeOf(v *vertices, i id) string {
	if !v.isService(i) {
		return ""
	}
	return r.record(v.view, i).Origin.Place("")
}

// edge is the link "from needs to", in either database.
func (r *reasons) edge(v *vertices, what Reason, key string, from, to id) Cause {
	c := Cause{What: what, Service: v.name(from), Field: key + "/" + v.name(to), To: v.name(to)}
	if v.isService(from) && v.isService(to) {
		c.At = v.edgeAt(r.record(v.view, from), key, to)
	}
	return c
}

// explainStops begins with what stops for a reason of its own and goes on to what
// needs it: in the old database, and for what restarts because of a new
// dependency, in the new one.
func (r *reasons) explainStops() {
	own := r.t.listed.Clone()
	own.Subtract(r.t.forced)
	queue := own.IDs()
	for _, i := range queue {
		r.oldChains[i] = r.own(i)
	}
	queue = append(queue, r.forcedRoots()...)
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, dependent := range r.old.needs.In(i) {
			if r.stopLink(i, dependent, func() Cause { return r.edge(r.old, ReasonNeeds, "needs", dependent, i) }) {
				queue = append(queue, dependent)
			}
		}
		for _, j := range r.match.to[i] {
			for _, k := range r.new.needs.In(j) {
				f := r.match.from[k]
				if f == db.None || !r.t.forced.Has(f) {
					continue
				}
				if r.stopLink(i, f, func() Cause { return r.edge(r.new, r.edgeReason(k, j, "needs"), "needs", k, j) }) {
					queue = append(queue, f)
				}
			}
		}
	}
}

// stopLink makes i's chain with one more link the chain of the service next, if
// that stops and has none yet.
func (r *reasons) stopLink(i, next id, link func() Cause) bool {
	if _, known := r.oldChains[next]; known || !r.t.stop.Has(next) {
		return false
	}
	r.oldChains[next] = append(slices.Clone(r.oldChains[i]), link())
	return true
}

// forcedRoots explains those that restart because of a dependency that is new or
// was not up.
func (r *reasons) forcedRoots() []id {
	var out []id
	for i := range r.t.forced.All() {
		j, ok := r.match.pair(i)
		if !ok {
			continue
		}
		for _, k := range r.new.needs.Out(j) {
			if from := r.match.from[k]; !r.t.keep.Has(k) && (from == db.None || !r.up.Has(from)) {
				r.oldChains[i] = r.missing(j, k, "needs")
				out = append(out, i)
				break
			}
		}
	}
	return out
}

// missing explains that j depends on k, which was not up.
func (r *reasons) missing(j, k id, key string) []Cause {
	state := Cause{What: ReasonDown, Service: r.new.name(k)}
	if r.match.from[k] == db.None {
		state.What, state.At = ReasonAdded, r.placeOf(r.new, k)
	}
	return []Cause{state, r.edge(r.new, r.edgeReason(j, k, key), key, j, k)}
}

// edgeReason says whether the edge from j to k is new.
func (r *reasons) edgeReason(j, k id, key string) Reason {
	old, new := r.old.needs, r.new.needs
	if key == "wants" {
		old, new = r.old.wants, r.new.wants
	}
	i := r.match.from[j]
	if i == db.None {
		return ReasonGained
	}
	_, more := r.edgeDelta(old.Out(i), new.Out(j))
	if _, found := slices.BinarySearch(more, k); found {
		return ReasonGained
	}
	return ReasonNeeds
}

// own is the change of an old service that stops for a reason of its own, or is
// gone.
func (r *reasons) own(i id) []Cause {
	s := r.byOld[i]
	switch {
	case r.match.restart[i]:
		return []Cause{{What: ReasonOrdered, Service: r.old.name(i), At: orderPlace(r.match.line[i])}}
	case s == nil:
		return nil
	}
	at := r.placeOf(r.old, i)
	switch s.Kind {
	case Removed:
		return []Cause{{What: ReasonRemoved, Service: s.Old, At: at}}
	case Unfolded:
		return []Cause{{What: ReasonUnfolded, Service: s.Old, To: strings.Join(s.NewNames, " "), At: at}}
	case Retyped:
		return []Cause{{What: ReasonRetyped, Service: s.Old, Field: "type", From: r.old.typeOf(i).String(), To: r.new.typeOf(s.new).String(), At: at}}
	}
	return fieldCauses(s)[:1]
}

func orderPlace(line int) string {
	if line == 0 {
		return ""
	}
	return "conversion file:" + strconv.Itoa(line)
}

// fieldCauses are the changed fields of a service, the gravest first. What has no
// part in the definition itself is left out where something has.
func fieldCauses(s *ServiceChange) []Cause {
	fields := slices.Clone(s.Fields)
	slices.SortStableFunc(fields, func(a, b FieldChange) int { return int(b.Class) - int(a.Class) })
	if s.Class >= Live {
		fields = slices.DeleteFunc(fields, func(f FieldChange) bool { return f.Class < Live })
	}
	out := []Cause{}
	for _, f := range fields {
		out = append(out, Cause{What: ReasonChanged, Service: s.New, Field: f.Field, From: f.From, To: f.To, At: cmp.Or(f.NewAt, f.OldAt)})
	}
	if len(out) == 0 {
		out = append(out, Cause{What: ReasonRenamed, Service: s.Old, From: s.Old, To: s.New})
	}
	return out
}

// explainStarts finds the chains of what is started: that of the stop for what
// comes back, else from what needs or wants it.
func (r *reasons) explainStarts() {
	var queue []id
	for j := range r.t.after.All() {
		if i := r.match.from[j]; i != db.None && r.up.Has(i) {
			r.newChains[j] = r.oldChains[i]
			queue = append(queue, j)
		}
	}
	for len(queue) > 0 {
		j := queue[0]
		queue = queue[1:]
		for _, k := range r.new.needs.Out(j) {
			queue = r.startLink(queue, j, k, "needs")
		}
		for _, k := range r.new.wants.Out(j) {
			if by, ok := r.wanted[k]; ok && by == j {
				queue = r.startLink(queue, j, k, "wants")
			}
		}
	}
}

// startLink gives k, which is started because of j, its chain: from the edge, if j
// is up already or comes back, else along the chain of j.
func (r *reasons) startLink(queue []id, j, k id, key string) []id {
	if _, known := r.newChains[k]; known || !r.starts.Has(k) {
		return queue
	}
	if i := r.match.from[j]; i != db.None && r.up.Has(i) {
		r.newChains[k] = r.missing(j, k, key)
	} else {
		r.newChains[k] = append(slices.Clone(r.newChains[j]), r.edge(r.new, ReasonNeeds, key, j, k))
	}
	return append(queue, k)
}

func (r *reasons) stop(i id) []Cause  { return r.oldChains[i] }
func (r *reasons) start(j id) []Cause { return r.newChains[j] }

// added is why something new is made for j.
func (r *reasons) added(j id) []Cause {
	at := r.placeOf(r.new, j)
	if s := r.byNew[j]; s != nil && s.Kind == Retyped {
		return []Cause{{What: ReasonRetyped, Service: r.new.name(j), Field: "type", To: r.new.typeOf(j).String(), At: at}}
	}
	if i := r.match.from[j]; i != db.None && r.old.isService(i) {
		return []Cause{{What: ReasonUnfolded, Service: r.old.name(i), To: r.new.name(j), At: at}}
	}
	return []Cause{{What: ReasonAdded, Service: r.new.name(j), At: at}}
}

func (r *reasons) renamed(i, j id) []Cause {
	c := Cause{What: ReasonRenamed, Service: r.old.name(i), From: r.old.name(i), To: r.new.name(j)}
	switch r.match.via[i] {
	case ByFile:
		c.At = orderPlace(r.match.line[i])
	case ByRenamedFrom:
		c.At = r.record(r.new.view, j).Origin.Place("renamed-from")
	}
	return []Cause{c}
}

// change lists the changed fields of a new service, or the one given.
func (r *reasons) change(j id, field string) []Cause {
	s := r.byNew[j]
	switch {
	case s == nil:
		return []Cause{{What: ReasonDatabase, Service: r.new.name(j)}}
	case s.Kind != Changed:
		return r.added(j)
	case field == "":
		return fieldCauses(s)
	}
	return slices.DeleteFunc(fieldCauses(s), func(c Cause) bool { return c.Field != field })
}
