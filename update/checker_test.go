package update

import (
	"cmp"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"strata/compile/db"
)

// checker verifies the chains of a patch by what the two databases, the changes and
// the state say, without the planner. Its search is another one than the
// planner's: it lowers distances until nothing changes.
type checker struct {
	t       *rapid.T
	c       *Changes
	st      State
	o       Options
	p       *Patch
	ordered map[id]string // by what a restart is ordered
	kept    map[id]bool
	stops   map[id]bool // old services
	starts  map[id]bool // new services
	after   map[id]bool
	// The lengths of shortest chains.
	stopLength, startLength map[id]int
}

func newChecker(t *rapid.T, c *Changes, st State, o Options, p *Patch) *checker {
	if len(c.match.to) == 0 {
		m, err := matchServices(c.before, c.after, Conversions{})
		if err != nil {
			t.Fatal(err)
		}
		same := *c
		same.match = m
		c = &same
	}
	k := &checker{
		t: t, c: c, st: st, o: o, p: p, ordered: map[id]string{}, kept: map[id]bool{}, stops: map[id]bool{}, starts: map[id]bool{}, after: map[id]bool{},
		stopLength: map[id]int{}, startLength: map[id]int{},
	}
	for i, restart := range c.match.restart {
		if restart {
			k.ordered[id(i)] = "conversion-file"
		}
	}
	for _, name := range o.Keep {
		i, _ := c.before.find(name)
		k.kept[i] = true
		delete(k.ordered, i)
	}
	for _, name := range o.Restart {
		i, _ := c.before.find(name)
		k.ordered[i] = "--restart"
	}
	for _, a := range p.Actions {
		switch i, _ := c.before.find(a.Service); a.Op {
		case OpStop, OpSpare:
			k.stops[i] = true
		case OpStart:
			j, _ := c.after.find(a.Service)
			k.starts[j] = true
		}
	}
	for _, name := range p.After.Up {
		j, _ := c.after.find(name)
		k.after[j] = true
	}
	return k
}

func (k *checker) wasUp(j id) bool {
	i := k.c.match.from[j]
	return i != db.None && int(i) < len(k.st.Up) && k.st.Up[i]
}

// own says that an old service has a reason of its own to stop.
func (k *checker) own(i id) bool {
	if k.ordered[i] != "" || len(k.c.match.to[i]) != 1 || k.c.match.retyped[i] {
		return true
	}
	if k.o.Policy == Identity || k.kept[i] {
		return false
	}
	at := slices.IndexFunc(k.c.Services, func(s ServiceChange) bool { return s.Kind == Changed && s.old == i })
	if at < 0 {
		return false
	}
	s := k.c.Services[at]
	def, _ := k.c.after.service(s.new)
	switch def.OnChange {
	case db.Keep, db.Reload:
		return false
	case db.Restart:
		return s.Class >= Live
	}
	return s.Class == ByRestart
}

// moved says that new service to provides what old service from did, or the reverse
// of which name is whose.
func (k *checker) moved(from, to id) bool {
	names := func(v *view, i id) []string {
		s, _ := v.service(i)
		return append(slices.Clone(s.Provides), s.Name)
	}
	isProvided := func(n string) bool {
		_, a := k.c.before.view.find(n)
		_, b := k.c.after.view.find(n)
		return !a || !b
	}
	theirs := names(k.c.after.view, to)
	return !slices.Contains(k.c.match.to[from], to) &&
		slices.ContainsFunc(names(k.c.before.view, from), func(n string) bool { return slices.Contains(theirs, n) && isProvided(n) })
}

// follows says that a new service takes the place of one that was up and is gone.
func (k *checker) follows(j id) bool {
	for i := range k.c.before.view.len() {
		if k.o.Policy == Definition && k.st.Up[i] && len(k.c.match.to[i]) == 0 && k.moved(id(i), j) {
			return true
		}
	}
	return false
}

// revived says that a new service has failed as what it was before, and is tried
// again.
func (k *checker) revived(j id) bool {
	i := k.c.match.from[j]
	return k.o.Revive && k.o.Policy == Definition && i != db.None && int(i) < len(k.st.Failed) && k.st.Failed[i] && !k.wasUp(j)
}

// wants visits the wants of a new service that count: all, if it was not up, else
// those that are new. That a name is another service's now does not make a want new,
// if the former one was down, and is not wanted any more: else it is by another name
// that it was wanted, as far as anybody can tell.
func (k *checker) wants(from id, visit func(to id)) {
	now := k.c.after.wants.Out(from)
	for _, to := range now {
		had := false
		if k.wasUp(from) {
			for _, w := range k.c.before.wants.Out(k.c.match.from[from]) {
				still := slices.ContainsFunc(k.c.match.to[w], func(j id) bool { return slices.Contains(now, j) })
				had = had || slices.Contains(k.c.match.to[w], to) || !still && !k.st.Up[w] && k.moved(w, to)
			}
		}
		if !had {
			visit(to)
		}
	}
}

// edges visits the links "from needs to" and "from wants to" by which new service
// from can pull in another.
func (k *checker) edges(from id, visit func(to id)) {
	for _, to := range k.c.after.view.needs.Out(from) {
		visit(to)
	}
	if k.o.Policy == Identity {
		return
	}
	k.wants(from, func(to id) {
		if !k.unwilling(to) {
			visit(to)
		}
	})
}

// operatorStopped says that an operator stopped a new service, under the name that
// it had, or what it takes the place of.
func (k *checker) operatorStopped(j id) bool {
	i := k.c.match.from[j]
	stopped := i != db.None && int(i) < len(k.st.Stopped) && k.st.Stopped[i]
	for i := range k.c.before.view.len() {
		stopped = stopped || k.st.Stopped[i] && len(k.c.match.to[i]) == 0 && !k.wasUp(j) && k.moved(id(i), j)
	}
	return stopped
}

// unwilling says that a want does not start a service, because an operator stopped
// it, or something that it needs and nothing else does.
func (k *checker) unwilling(j id) bool {
	for n := range k.c.after.view.needs.Closure([]id{j}).All() {
		if k.operatorStopped(n) && (n == j || !k.after[n]) {
			return true
		}
	}
	return false
}

const far = 1 << 20

// measure finds the lengths of shortest chains.
func (k *checker) measure() {
	for i := range k.stops {
		k.stopLength[i] = far
	}
	for j := range k.starts {
		k.startLength[j] = far
	}
	lower := func(of map[id]int, i id, length int) bool {
		if length >= of[i] {
			return false
		}
		of[i] = length
		return true
	}
	for again := true; again; {
		again = false
		for i := range k.stops {
			again = lower(k.stopLength, i, k.stopStep(i)) || again
		}
		for j := range k.starts {
			again = lower(k.startLength, j, k.startStep(j)) || again
		}
	}
}

// internalDown says that a new service needs, as s6-rc has it, an internal service
// that was not up, since nothing needed it.
func (k *checker) internalDown(j id) bool {
	runner, holder := false, false
	for i, up := range k.st.Up {
		runner = runner || up && k.c.before.types[i] == db.Oneshot
		holder = holder || up && k.c.before.piped(id(i))
	}
	return k.o.Policy == Identity && (k.c.after.types[j] == db.Oneshot && !runner || k.c.after.piped(j) && !holder)
}

// stopStep is the length of i's chain by those of the others.
func (k *checker) stopStep(i id) int {
	if k.own(i) {
		return 1
	}
	best := far
	for _, j := range k.c.match.to[i] {
		if k.internalDown(j) {
			best = 2
		}
	}
	for _, n := range k.c.before.view.needs.Out(i) {
		if k.stops[n] {
			best = min(best, k.stopLength[n]+1)
		}
	}
	for _, j := range k.c.match.to[i] {
		for _, n := range k.c.after.view.needs.Out(j) {
			if !k.wasUp(n) {
				best = min(best, 2)
			} else if from := k.c.match.from[n]; k.stops[from] {
				best = min(best, k.stopLength[from]+1)
			}
		}
	}
	return best
}

func (k *checker) startStep(j id) int {
	if k.wasUp(j) {
		return k.stopLength[k.c.match.from[j]]
	}
	best := far
	if (k.follows(j) || k.revived(j)) && !k.unwilling(j) {
		best = 1
	}
	for d := range k.after {
		k.edges(d, func(to id) {
			switch {
			case to != j:
			case k.wasUp(d):
				best = min(best, 2)
			case k.starts[d]:
				best = min(best, k.startLength[d]+1)
			}
		})
	}
	return best
}

// check fails for an action whose chain is not right, or not a shortest one.
func (k *checker) check() {
	k.measure()
	for _, a := range k.p.Actions {
		if len(a.Because) == 0 {
			k.t.Fatalf("%s %s has no reason", a.Op, a.Service)
		}
		k.checkRoot(a)
		switch i, _ := k.c.before.find(a.Service); a.Op {
		case OpStop, OpSpare:
			k.checkChain(a, k.stopLength[i])
		case OpStart:
			j, _ := k.c.after.find(a.Service)
			k.checkChain(a, k.startLength[j])
		case OpSwitch:
		default:
			if !slices.Contains(k.names(a.Service), a.Because[0].Service) {
				k.t.Fatalf("%s %s because of another service: %+v", a.Op, a.Service, a.Because)
			}
		}
	}
}

// checkRoot looks for what a chain begins with.
func (k *checker) checkRoot(a Action) {
	root := a.Because[0]
	i, inOld := k.c.before.find(root.Service)
	j, inNew := k.c.after.find(root.Service)
	ok := false
	switch root.What {
	case ReasonChanged:
		ok = slices.ContainsFunc(k.c.Services, func(s ServiceChange) bool {
			return s.New == root.Service && slices.ContainsFunc(s.Fields, func(f FieldChange) bool {
				return f.Field == root.Field && f.From == root.From && f.To == root.To && cmp.Or(f.NewAt, f.OldAt) == root.At
			})
		})
	case ReasonAdded:
		ok = inNew && k.c.match.from[j] == db.None
	case ReasonRemoved:
		ok = inOld && len(k.c.match.to[i]) == 0
	case ReasonUnfolded:
		ok = inOld && len(k.c.match.to[i]) > 1
	case ReasonRetyped:
		ok = inOld && k.c.match.retyped[i]
	case ReasonRenamed:
		ok = inOld && slices.Contains(k.names(root.From), root.To) && root.To != root.From
	case ReasonOrdered:
		ok = inOld && k.ordered[i] == root.Field
	case ReasonDown:
		ok = inNew && !k.wasUp(j) || strings.HasPrefix(root.Service, "s6rc-")
	case ReasonFailed:
		ok = inNew && k.revived(j)
	case ReasonProvided:
		from, ok1 := k.c.before.find(root.From)
		to, ok2 := k.c.after.find(root.To)
		ok = ok1 && ok2 && k.moved(from, to)
	case ReasonDatabase:
		ok = a.Op == OpSwitch || k.c.before.private != k.c.after.private
	}
	if !ok {
		k.t.Fatalf("%s %s begins with what is not so: %+v", a.Op, a.Service, a.Because)
	}
}

// names are those of a service, given one of them: of what is called so before,
// and of what is called so afterwards.
func (k *checker) names(name string) []string {
	out := []string{name}
	for i, to := range k.c.match.to {
		for _, j := range to {
			switch name {
			case k.c.before.name(id(i)):
				out = append(out, k.c.after.name(j))
			case k.c.after.name(j):
				out = append(out, k.c.before.name(id(i)))
			}
		}
	}
	return out
}

// checkChain follows a chain from link to link.
func (k *checker) checkChain(a Action, length int) {
	if len(a.Because) != length {
		k.t.Fatalf("%s %s: %d links, a shortest chain has %d: %+v", a.Op, a.Service, len(a.Because), length, a.Because)
	}
	about := func(c Cause) []string {
		if c.To == "" {
			return k.names(c.Service)
		}
		return append(k.names(c.Service), k.names(c.To)...)
	}
	for n, link := range a.Because[1:] {
		if !slices.ContainsFunc(about(link), func(name string) bool { return slices.Contains(about(a.Because[n]), name) }) {
			k.t.Fatalf("%s %s: link %+v does not follow in %+v", a.Op, a.Service, link, a.Because)
		}
		k.checkEdge(a, link)
	}
	if last := about(a.Because[len(a.Because)-1]); !slices.Contains(last, a.Service) {
		k.t.Fatalf("%s %s: the chain ends elsewhere: %+v", a.Op, a.Service, a.Because)
	}
}

// checkEdge looks for the edge that a link speaks of, and for its places.
func (k *checker) checkEdge(a Action, link Cause) {
	key, name, _ := strings.Cut(link.Field, "/")
	in := func(v *vertices, service, to string) (string, bool) {
		i, ok1 := v.find(service)
		j, ok2 := v.find(to)
		if !ok1 || !ok2 || !slices.Contains(v.view.edges(key).Out(i), j) {
			return "", false
		}
		s, _ := v.service(i)
		return cmp.Or(newPlaces().ofEdge(v, i, key, j), s.Name), true
	}
	internal := strings.HasPrefix(name, "s6rc-")
	_, inOld := in(k.c.before, link.Service, name)
	_, inNew := in(k.c.after, link.Service, name)
	switch {
	case internal:
	case link.At == "" || name != link.To:
		k.t.Fatalf("%s %s: link %+v has no place", a.Op, a.Service, link)
	case link.What == ReasonNeeds && !inOld && !inNew, link.What == ReasonGained && !inNew:
		k.t.Fatalf("%s %s: there is no edge as in %+v", a.Op, a.Service, link)
	case link.What != ReasonNeeds && link.What != ReasonGained:
		k.t.Fatalf("%s %s: link %+v is no edge", a.Op, a.Service, link)
	case !inOld && link.What != k.whatNew(link.Service, key, name):
		k.t.Fatalf("%s %s: whether the edge is new is wrong in %+v", a.Op, a.Service, link)
	case link.OldAt != "" && link.What == ReasonGained:
		k.t.Fatalf("%s %s: what is gained has no place in the old sources: %+v", a.Op, a.Service, link)
	}
}

// whatNew is how a link should speak of an edge of the new database.
func (k *checker) whatNew(service, key, to string) Reason {
	j, _ := k.c.after.find(service)
	n, _ := k.c.after.find(to)
	i, from := k.c.match.from[j], k.c.match.from[n]
	switch {
	case i == db.None || int(i) >= k.c.before.view.len():
		return ReasonNeeds
	case from != db.None && slices.Contains(k.c.before.view.edges(key).Out(i), from):
		return ReasonNeeds
	}
	return ReasonGained
}
