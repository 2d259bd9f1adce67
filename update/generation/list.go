package generation

import (
	"slices"
	"time"

	"strata/compile/db"
)

// Row is what there is to say of a generation.
type Row struct {
	Content db.Digest
	// Installed is when it became current, zero if that is not known.
	Installed time.Time
	// Back is how many steps it is before the current one, 0 for that, and -1 for what
	// cannot be gone back to.
	Back    int
	Current bool
	InUse   bool // a live directory has it
	Undone  bool // it was gone back from
	Missing bool // there is no such file
}

// Rows lists all generations, the current one first, then what can be gone back to,
// then the rest, what came last first. used are those that a live directory has.
func (st *State) Rows(used []db.Digest) []Row {
	before := st.History.Before(st.Current)
	place := st.History.position(st.Current)
	all := slices.Clone(st.Files)
	add := func(d db.Digest) {
		if !d.IsZero() && !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	add(st.Current)
	for _, e := range st.History {
		add(e.Content)
	}
	leaving := st.History.leaving(all, st.Current)
	rows := make([]Row, 0, len(all))
	for _, d := range slices.Backward(leaving) {
		r := Row{
			Content: d, Back: -1, Current: d == st.Current,
			InUse: slices.Contains(used, d), Missing: !slices.Contains(st.Files, d),
		}
		if i := st.History.position(d); i < len(st.History) {
			r.Installed = st.History[i].Installed
			r.Undone = !r.Current && (st.History[i].Undone || i > place)
		}
		if i := slices.Index(before, d); i >= 0 {
			r.Back = i + 1
		}
		if r.Current {
			r.Back = 0
			rows = slices.Insert(rows, 0, r)
			continue
		}
		rows = append(rows, r)
	}
	return rows
}
