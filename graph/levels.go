package graph

import (
	"fmt"
	"slices"
)

// Levels groups the vertices of a graph without cycles: level 0 holds those
// without dependencies, and every other vertex is one level above the highest it
// depends on. All of a level can run in parallel once the levels below are up. The
// zero value has no levels and no vertices. A Levels is never changed and may be
// used by several goroutines at once.
type Levels struct {
	level []uint32 // by ID
	off   []uint32 // level k is order[off[k]:off[k+1]]
	order []ID
}

// Levels computes the levels in one pass over the graph (Kahn's algorithm). For
// 1->2, 3->4, where 2 needs 1 and 4 needs 3, they are {1 3} {2 4}. If there is a
// cycle, the error is a [*CycleError].
func (g *Graph) Levels() (Levels, error) {
	n, rev := g.Len(), g.back()
	level, waits := make([]uint32, n), make([]uint32, n)
	queue := make([]ID, 0, n)
	for v := range n {
		waits[v] = uint32(len(g.Out(ID(v))))
		if waits[v] == 0 {
			queue = append(queue, ID(v))
		}
	}
	for i := 0; i < len(queue); i++ {
		v := queue[i]
		for _, w := range rev.row(v) {
			if waits[w]--; waits[w] == 0 {
				// The queue never falls in level, so the last dependency to
				// leave it is one of the highest.
				level[w] = level[v] + 1
				queue = append(queue, w)
			}
		}
	}
	if len(queue) < n {
		return Levels{}, newCycleError(g, waits)
	}
	count := 0
	if n > 0 {
		count = int(level[queue[n-1]]) + 1
	}
	return group(level, count, queue), nil
}

// group sorts the vertices by level, then by number, into order.
func group(level []uint32, count int, order []ID) Levels {
	off := make([]uint32, count+1)
	for _, k := range level {
		off[k+1]++
	}
	for k := range count {
		off[k+1] += off[k]
	}
	next := slices.Clone(off)
	for v, k := range level {
		order[next[k]] = ID(v)
		next[k]++
	}
	return Levels{level, off, order}
}

// NewLevels makes Levels from the level of each vertex. It is an error if a level
// below the highest is empty. Whether they are the levels of a certain graph is a
// question for [Levels.Check].
func NewLevels(level []uint32) (Levels, error) {
	count := 0
	for v, k := range level {
		// As many levels as vertices is the most there can be.
		if int64(k) >= int64(len(level)) {
			return Levels{}, fmt.Errorf("cannot make levels: vertex %d has level %d of at most %d", v, k, len(level)-1)
		}
		count = max(count, int(k)+1)
	}
	l := group(slices.Clone(level), count, make([]ID, len(level)))
	for k := range count {
		if len(l.At(k)) == 0 {
			return Levels{}, fmt.Errorf("cannot make levels: level %d is empty", k)
		}
	}
	return l, nil
}

// LevelsFromFlat makes Levels around the slices of stored ones, as [Levels.Flat]
// gave them, without copying: they must not be changed as long as the Levels are
// used. It checks that the three say the same: each level has a vertex, each
// vertex stands once, in its level, ascending.
func LevelsFromFlat(level, off []uint32, order []ID) (Levels, error) {
	n := len(level)
	if len(order) != n || len(off) == 0 || off[0] != 0 || int64(off[len(off)-1]) != int64(n) {
		return Levels{}, fmt.Errorf("cannot read levels: the sizes disagree")
	}
	for k := range len(off) - 1 {
		lo, hi := off[k], off[k+1]
		if lo >= hi || int64(hi) > int64(n) {
			return Levels{}, fmt.Errorf("cannot read levels: offset %d of level %d is out of order", hi, k+1)
		}
		last := int64(-1)
		for _, v := range order[lo:hi] {
			// Ascending within one level, and in that level by its own word:
			// so no vertex can stand twice, and n places hold all n.
			if int64(v) <= last || int64(v) >= int64(n) || int64(level[v]) != int64(k) {
				return Levels{}, fmt.Errorf("cannot read levels: vertex %d does not belong in level %d", v, k)
			}
			last = int64(v)
		}
	}
	return Levels{level, off, order}, nil
}

// Flat returns the level of each vertex, the offsets of the levels in order, and
// the vertices by level, to be stored for [LevelsFromFlat]. They are shared: read
// only.
func (l Levels) Flat() (level, off []uint32, order []ID) {
	if len(l.off) == 0 {
		return nil, []uint32{0}, nil
	}
	return l.level, l.off, l.order
}

// Len returns the number of vertices.
func (l Levels) Len() int { return len(l.level) }

// Count returns the number of levels.
func (l Levels) Count() int { return max(len(l.off)-1, 0) }

// Of returns the level of a vertex, or -1 if there is no such vertex.
func (l Levels) Of(id ID) int {
	if int64(id) >= int64(len(l.level)) {
		return -1
	}
	return int(l.level[id])
}

// At returns the vertices of level k, ascending; none if there is no such level.
// The slice is shared: read only.
func (l Levels) At(k int) []ID {
	if k < 0 || k >= l.Count() {
		return nil
	}
	lo, hi := l.off[k], l.off[k+1]
	return l.order[lo:hi:hi]
}

// Order returns all vertices, dependencies before their dependents: by level, then
// ascending. The slice is shared: read only.
func (l Levels) Order() []ID { return l.order }

// Equal reports whether l and m give each vertex the same level.
func (l Levels) Equal(m Levels) bool { return slices.Equal(l.level, m.level) }

// Check returns an error unless l are the levels of g.
func (l Levels) Check(g *Graph) error {
	if l.Len() != g.Len() {
		return fmt.Errorf("cannot use levels: they are for %d vertices, the graph has %d", l.Len(), g.Len())
	}
	for v := range g.Len() {
		want := 0
		for _, to := range g.Out(ID(v)) {
			want = max(want, l.Of(to)+1)
		}
		if got := l.Of(ID(v)); got != want {
			return fmt.Errorf("cannot use levels: vertex %d has level %d, its dependencies say %d", v, got, want)
		}
	}
	return nil
}
