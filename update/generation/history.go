package generation

import (
	"fmt"
	"slices"
	"time"

	"strata/compile/db"
)

// Entry is a generation that was current once.
type Entry struct {
	Content db.Digest `json:"content"`
	// Installed is when it became current, other than by going back to it.
	Installed time.Time `json:"installed"`
	// Undone says that it was gone back from, and something else came afterwards.
	Undone bool `json:"undone,omitempty"`
}

// History is the order in which generations became current, the oldest first, each
// at most once. What stands behind the current one was gone back from.
type History []Entry

// TooFarError says that there are not so many generations before the current one.
type TooFarError struct {
	Steps, Have int
}

// Error says how many there are.
func (e *TooFarError) Error() string {
	switch e.Have {
	case 0:
		return "there is no generation before the current one"
	case 1:
		return fmt.Sprintf("cannot go back %d generations: there is 1 before the current one", e.Steps)
	}
	return fmt.Sprintf("cannot go back %d generations: there are %d before the current one", e.Steps, e.Have)
}

// position is where the current generation stands: after all others if it is not
// known.
func (h History) position(current db.Digest) int {
	if i := slices.IndexFunc(h, func(e Entry) bool { return e.Content == current }); i >= 0 {
		return i
	}
	return len(h)
}

// Before are the generations that counted before the current one, the last one
// first: what [History.Back] goes back to.
func (h History) Before(current db.Digest) []db.Digest {
	var out []db.Digest
	for _, e := range slices.Backward(h[:h.position(current)]) {
		if !e.Undone {
			out = append(out, e.Content)
		}
	}
	return out
}

// Back is the generation that counted n steps before the current one; n is 1 or
// more. The error is a [*TooFarError].
func (h History) Back(current db.Digest, n int) (db.Digest, error) {
	before := h.Before(current)
	if n < 1 || n > len(before) {
		return db.Digest{}, &TooFarError{Steps: n, Have: len(before)}
	}
	return before[n-1], nil
}

// Advance is the history with a generation that becomes current after the present
// one. What stood behind the current one is undone. A generation that is current
// already keeps its time.
func (h History) Advance(current, to db.Digest, at time.Time) History {
	out := make(History, 0, len(h)+1)
	added := Entry{Content: to, Installed: at}
	place := h.position(current)
	for i, e := range h {
		switch {
		case e.Content == to:
			if to == current {
				added.Installed = e.Installed
			}
			continue
		case i == place:
			e.Undone = false
		case i > place:
			e.Undone = true
		}
		out = append(out, e)
	}
	return append(out, added)
}

// Surplus are those of the generations in files that go so that at most keep are
// left, in the order in which they go: first what the history does not know, then what
// cannot be gone back to, then the oldest. The current one and what is needed stay,
// also if they are more. With a keep below 1 all stay.
func (h History) Surplus(files []db.Digest, current db.Digest, needed []db.Digest, keep int) []db.Digest {
	if keep < 1 {
		return nil
	}
	left := len(files)
	var out []db.Digest
	for _, d := range h.leaving(files, current) {
		if left <= keep {
			break
		}
		if d != current && !slices.Contains(needed, d) {
			out = append(out, d)
			left--
		}
	}
	return out
}

// leaving are the generations in the order in which they go.
func (h History) leaving(files []db.Digest, current db.Digest) []db.Digest {
	place := h.position(current)
	rank := func(d db.Digest) (class, age int) {
		i := slices.IndexFunc(h, func(e Entry) bool { return e.Content == d })
		switch {
		case i < 0:
			return 0, 0
		case h[i].Undone || i > place:
			return 1, i
		}
		return 2, i
	}
	out := slices.Clone(files)
	slices.SortFunc(out, func(a, b db.Digest) int {
		ca, ia := rank(a)
		cb, ib := rank(b)
		if ca != cb {
			return ca - cb
		}
		if ia != ib {
			return ia - ib
		}
		return slices.Compare(a[:], b[:])
	})
	return out
}

// Only is the history of the generations in files, and of the current one.
func (h History) Only(files []db.Digest, current db.Digest) History {
	var out History
	for _, e := range h {
		if e.Content == current || slices.Contains(files, e.Content) {
			out = append(out, e)
		}
	}
	return out
}
