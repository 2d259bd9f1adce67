package explain_test

import (
	"slices"
	"testing"
	"time"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/change"
	"strata/live/explain"
	"strata/live/journal"
	"strata/live/s6"
)

// noon is when the histories of the tests begin.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.Local)

// The services of the tests: a needs b, b needs c, d wants c and comes after e; e is a
// oneshot that is essential and needs f.
const (
	a explain.ID = iota
	b
	c
	d
	e
	f
)

var names = []string{"a", "b", "c", "d", "e", "f"}

func slot(id explain.ID) live.Slot { return live.Slot(id) + 16 }

func slots(ids ...explain.ID) []live.Slot {
	out := make([]live.Slot, len(ids))
	for i, id := range ids {
		out[i] = slot(id)
	}
	return out
}

func graphOf(t *testing.T, edges ...graph.Edge) *graph.Graph {
	t.Helper()
	g, err := graph.New(len(names), edges)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// step is a record: what happened, and the cause that the engine gives it.
type step struct {
	cause string
	event journal.Event
}

func run(op string, ids ...explain.ID) step {
	return step{"rc-ctl " + op + " x", journal.Run{Op: op, Slots: slots(ids...)}}
}

// tree is what s6 says of longruns, by service.
type tree map[explain.ID]s6.Status

// stamp is so many seconds after noon, as s6 writes it.
func stamp(seconds int) s6.Stamp { return s6.StampOf(noon.Add(time.Duration(seconds) * time.Second)) }

// sceneOf folds a history, one step a second from noon on, and looks at it half a
// minute after its end. Longruns that the tree does not hold are as the journal has
// them.
func sceneOf(t *testing.T, history []step, sup tree) *explain.Scene {
	t.Helper()
	var table journal.Table
	for i, name := range names {
		entry := journal.Entry{Slot: slot(explain.ID(i)), Name: name, Type: db.Longrun}
		if explain.ID(i) == e {
			entry.Type = db.Oneshot
		}
		table = append(table, entry)
	}
	records := []journal.Record{{Seq: 1, At: noon, Event: journal.Init{Table: table, NextSlot: 30}}}
	for i, s := range history {
		at := noon.Add(time.Duration(i+1) * time.Second)
		records = append(records, journal.Record{Seq: uint64(i + 2), At: at, Cause: s.cause, Event: s.event})
	}
	j := journal.Fold(records)
	soft := graphOf(t, graph.Edge{From: d, To: c}, graph.Edge{From: d, To: e})
	s := &explain.Scene{
		Run: j.Run,
		Graphs: change.Graphs{
			Needs:     graphOf(t, graph.Edge{From: a, To: b}, graph.Edge{From: b, To: c}, graph.Edge{From: e, To: f}),
			Wants:     graphOf(t, graph.Edge{From: d, To: c}),
			Soft:      soft,
			Essential: func(id explain.ID) bool { return id == e },
		},
		Service: func(explain.ID) explain.Facts {
			return explain.Facts{Definition: db.Digest{2}, Readiness: true, TimeoutUp: time.Minute}
		},
		Working: j.Run != nil,
		Now:     records[len(records)-1].At.Add(30 * time.Second),
	}
	for i, entry := range table {
		s.Services = append(s.Services, serviceOf(entry, j.Services[entry.Slot], sup, explain.ID(i)))
	}
	return s
}

// serviceOf joins journal and tree as package live does.
func serviceOf(entry journal.Entry, known journal.Service, sup tree, id explain.ID) live.ServiceState {
	st := live.ServiceState{
		Slot: entry.Slot, Name: entry.Name, Type: entry.Type, Wanted: known.Wanted, Up: known.Up, Unknown: known.Unknown,
		Pending: known.Pending, Def: known.Def, Since: known.Since,
		Cause: known.Cause, By: known.By, Command: known.Command,
		Failure: known.Failure, Failed: known.Failed, Permanent: known.Permanent, Skipped: known.Skipped,
		At: known.At, Noted: known.Observed,
	}
	if entry.Type == db.Oneshot {
		return st
	}
	st.Supervised = true
	st.Status = s6.Status{Ready: true}
	if known.Up {
		st.Status = s6.Status{WantUp: true, PID: 100 + int(id), Ready: true, Stamp: s6.StampOf(known.Since)}
	}
	if own, ok := sup[id]; ok {
		st.Status = own
		st.Up = (own.WantUp || own.Up()) && (known.Up || own.UpReady())
		st.Starting = own.WantUp && !st.Up
		if st.Observed = st.Up != known.Up; st.Observed {
			st.Since = own.Stamp.Time()
		}
	}
	return st
}

// merge makes one history of several.
func merge(parts ...[]step) []step { return slices.Concat(parts...) }
