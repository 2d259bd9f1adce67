package update

import (
	"strata/compile/db"
	"strata/live"
)

// Deviation is a service that is not as the live directory's own database has it.
type Deviation struct {
	Service string
	What    string // one of the constants
}

// What a service can be.
const (
	// IsStale: the process is older than its definition.
	IsStale = "stale"
	// IsDown: it is wanted and not up.
	IsDown = "wanted but down"
	// IsUnknown: it is a oneshot whose last result was lost.
	IsUnknown = "unknown"
)

// Deviations finds what is stale, and what is down though it is wanted. A oneshot
// is never stale: it is not run again.
func Deviations(v live.View, st *live.State) []Deviation {
	var out []Deviation
	for i, s := range st.Services {
		switch {
		case s.Unknown:
			out = append(out, Deviation{s.Name, IsUnknown})
		case s.Wanted && !s.Up:
			out = append(out, Deviation{s.Name, IsDown})
		case s.Up && s.Type == db.Longrun && !s.Def.IsZero() && s.Def != v.Definition(id(i)):
			out = append(out, Deviation{s.Name, IsStale})
		}
	}
	return out
}
