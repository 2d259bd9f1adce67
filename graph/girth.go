package graph

import "slices"

// visitLimit bounds the search for shortest cycles: the number of edges looked at
// before it is content with the best found so far. It is reached only by knots
// of many thousand vertices without a short cycle, and is about a second of work.
// It counts edges, not time, so that the answer is the same on every machine.
const visitLimit = 1 << 27

// girth searches shortest cycles in one knot after the other. Its slices have the
// length of the whole graph and are shared by all knots.
type girth struct {
	fwd, rev csr
	limit    int      // edges that may still be looked at
	left     *Set     // what is still to be searched
	out, in  []uint32 // edges within left
	parent   []ID     // of the running search
	round    []uint32 // the search in which parent was set
	now      uint32
	queue    []ID
}

func newGirth(g *Graph, limit int) *girth {
	n := g.Len()
	return &girth{
		fwd: g.fwd, rev: g.back(), limit: limit, left: NewSet(n),
		out: make([]uint32, n), in: make([]uint32, n),
		parent: make([]ID, n), round: make([]uint32, n),
	}
}

// shortest finds a shortest cycle through the vertices of knot, which are strongly
// connected, more than one, and have no edges to themselves.
//
// One search, breadth first, is started from each vertex in ascending order, no
// deeper than the best cycle known. A vertex that was a start is then taken away,
// since its cycles are known, and with it what thereby lies on no cycle any more:
// most knots fall apart after a few. The cost is at worst vertices times edges;
// once the limit is used up, no search but a knot's first is made.
func (s *girth) shortest(knot []ID) []ID {
	slices.Sort(knot)
	s.enter(knot)
	var best []ID
	for _, start := range knot {
		// There is nothing shorter than two.
		if len(best) == 2 || best != nil && s.limit <= 0 {
			break
		}
		if !s.left.Has(start) {
			continue
		}
		if c := s.from(start, len(best)); c != nil {
			best = c
		}
		s.remove(start)
	}
	for _, v := range knot {
		s.left.Remove(v)
	}
	return best
}

func (s *girth) enter(knot []ID) {
	for _, v := range knot {
		s.left.Add(v)
	}
	for _, v := range knot {
		for _, w := range s.fwd.row(v) {
			if s.left.Has(w) {
				s.out[v]++
				s.in[w]++
			}
		}
	}
}

// from returns a shortest cycle through start if it is shorter than that many (0:
// whatever its length), or nil. All neighbours are visited in ascending order, which makes
// it the lexicographically smallest one.
func (s *girth) from(start ID, shorter int) []ID {
	s.now++
	s.queue = append(s.queue[:0], start)
	s.round[start] = s.now
	// The vertices before end have a path of depth vertices, start and they
	// included, so that an edge back to start closes a cycle of that length.
	depth, end := 1, 1
	for i := 0; i < len(s.queue); i++ {
		if i == end {
			depth, end = depth+1, len(s.queue)
		}
		if shorter > 0 && depth >= shorter {
			return nil
		}
		v := s.queue[i]
		row := s.fwd.row(v)
		s.limit -= len(row)
		for _, w := range row {
			if w == start {
				return s.cycle(v, depth)
			}
			if s.round[w] != s.now && s.left.Has(w) {
				s.round[w], s.parent[w] = s.now, v
				s.queue = append(s.queue, w)
			}
		}
	}
	return nil
}

// cycle follows the parents of the running search back from its last vertex.
func (s *girth) cycle(last ID, n int) []ID {
	c := make([]ID, n)
	for i := n - 1; i >= 0; i-- {
		c[i], last = last, s.parent[last]
	}
	return c
}

// remove takes a vertex away, and then whatever is left without an edge to it or
// from it.
func (s *girth) remove(v ID) {
	s.left.Remove(v)
	gone := []ID{v}
	for len(gone) > 0 {
		v := gone[len(gone)-1]
		gone = gone[:len(gone)-1]
		for _, w := range s.fwd.row(v) {
			if s.left.Has(w) {
				if s.in[w]--; s.in[w] == 0 {
					s.left.Remove(w)
					gone = append(gone, w)
				}
			}
		}
		for _, w := range s.rev.row(v) {
			if s.left.Has(w) {
				if s.out[w]--; s.out[w] == 0 {
					s.left.Remove(w)
					gone = append(gone, w)
				}
			}
		}
	}
}
