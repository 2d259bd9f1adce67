package live

import (
	"cmp"
	"fmt"
	"slices"

	"strata/compile/db"
	"strata/graph"
	"strata/live/journal"
	"strata/live/servicedir"
)

// StopOrderFormat is the format of the file stop-order.
const StopOrderFormat = "strata-stop-order/1"

// StopOrder is what is needed to stop everything without database and journal:
// the file stop-order, for the owner alone. It is written at each switch, and
// covers both databases while a patch is under way.
type StopOrder struct {
	// Epoch is the life of the supervision tree in which it was written; zero if
	// that was not known.
	Epoch journal.Epoch
	// Services are in an order in which they can be stopped one after the other;
	// those of one level can be stopped together.
	Services []StopService
}

// StopService is one service of a [StopOrder].
type StopService struct {
	Slot      Slot   `json:"slot"`
	Name      string `json:"name"`
	Type      string `json:"type"`
	Level     uint32 `json:"level"`
	Timeout   uint32 `json:"timeout"` // timeout-down in milliseconds, 0 for none
	Essential bool   `json:"essential,omitempty"`
	// Needs are the services it needs, After those that it only comes after: both
	// are stopped after it, and stand behind it in the list.
	Needs []Slot `json:"needs,omitempty"`
	After []Slot `json:"after,omitempty"`
	// The rest is for oneshots: the content digest of the database that has it, its
	// definition, and the argument vector of the down program, to be run in the
	// definition's directory, on the terminal TTY if there is one.
	Content *db.Digest `json:"-"`
	Def     *db.Digest `json:"def,omitempty"`
	Down    []string   `json:"down,omitempty"`
	TTY     string     `json:"tty,omitempty"`
}

// WriteStopOrder writes the file stop-order for these databases, of which the
// first counts where a slot is in several.
func (d *Dir) WriteStopOrder(views ...View) error {
	s, err := stopOrder(views)
	if err == nil {
		err = d.writeStopOrder(d.stopHead(views...), s.Services)
	}
	if err != nil {
		return fmt.Errorf("cannot write stop order: %w", err)
	}
	return nil
}

// FollowStopOrder is [Dir.WriteStopOrder] for a database that follows another one, and
// may be alike as [StopAlike] has it. The file stays as it is then: who reads it learns
// from the link compiled which database counts.
func (d *Dir) FollowStopOrder(v View, alike bool) error {
	if alike && d.hasStopOrder(v.Table) {
		return nil
	}
	return d.WriteStopOrder(v)
}

// StopAlike reports whether the file stop-order for one of two databases says how to
// stop the services of the other one, too.
func StopAlike(a, b View) bool {
	if !slices.Equal(a.Table, b.Table) {
		return false
	}
	for i, e := range a.Table {
		id := db.ServiceID(i)
		if a.DB.TimeoutDown(id) != b.DB.TimeoutDown(id) || a.DB.Flags(id) != b.DB.Flags(id) ||
			e.Type == db.Oneshot && a.Definition(id) != b.Definition(id) ||
			!slices.Equal(a.DB.Needs().Out(id), b.DB.Needs().Out(id)) ||
			!slices.Equal(a.DB.Soft().Out(id), b.DB.Soft().Out(id)) {
			return false
		}
	}
	return true
}

// stopOrder merges the services of the views.
func stopOrder(views []View) (StopOrder, error) {
	index := make(map[Slot]graph.ID)
	var ids []db.ServiceID
	var from []int // the view that counts for each
	for n, v := range views {
		for i, e := range v.Table {
			if _, ok := index[e.Slot]; !ok {
				index[e.Slot] = graph.ID(len(ids))
				ids, from = append(ids, db.ServiceID(i)), append(from, n)
			}
		}
	}
	s := StopOrder{Services: make([]StopService, len(ids))}
	err := spread(len(ids), func(i int) (err error) {
		s.Services[i], err = stopService(views[from[i]], ids[i])
		return err
	})
	if err != nil {
		return s, err
	}
	// What an edge of either database says holds. Two that contradict each other are
	// possible: then those count that belong to the service.
	err = s.connect(views, index, func(int, graph.ID) bool { return true })
	if err != nil {
		err = s.connect(views, index, func(view int, id graph.ID) bool { return from[id] == view })
	}
	slices.SortStableFunc(s.Services, func(a, b StopService) int { return cmp.Compare(b.Level, a.Level) })
	return s, err
}

// stopService is a service without its edges.
func stopService(v View, id db.ServiceID) (StopService, error) {
	e := v.Table[id]
	s := StopService{
		Slot: e.Slot, Name: e.Name, Type: e.Type.String(), Timeout: uint32(v.DB.TimeoutDown(id)),
		Essential: v.DB.Flags(id)&db.Essential != 0,
	}
	if e.Type != db.Oneshot {
		return s, nil
	}
	svc, err := v.DB.Record(id)
	if err != nil {
		return s, err
	}
	argv, file := servicedir.Command(svc, servicedir.Down)
	if file {
		argv = []string{"./" + argv[0]}
	}
	content, def := v.DB.Content(), v.Definition(id)
	s.Content, s.Def, s.Down, s.TTY = &content, &def, argv, svc.TTY
	return s, nil
}

// connect gives the services those edges of the views that count, and their levels.
func (s StopOrder) connect(views []View, index map[Slot]graph.ID, counts func(view int, from graph.ID) bool) error {
	for i := range s.Services {
		s.Services[i].Needs, s.Services[i].After = nil, nil
	}
	var edges []graph.Edge
	for n, v := range views {
		for i, e := range v.Table {
			id := index[e.Slot]
			if !counts(n, id) {
				continue
			}
			sv := &s.Services[id]
			add := func(list *[]Slot, targets []db.ServiceID) {
				for _, to := range targets {
					if slot := v.Slot(to); !slices.Contains(*list, slot) {
						*list = append(*list, slot)
						edges = append(edges, graph.Edge{From: id, To: index[slot]})
					}
				}
			}
			add(&sv.Needs, v.DB.Needs().Out(db.ServiceID(i)))
			add(&sv.After, v.DB.Soft().Out(db.ServiceID(i)))
		}
	}
	g, err := graph.New(len(s.Services), edges)
	if err != nil {
		return err
	}
	levels, err := g.Levels()
	if err != nil {
		return err
	}
	for i := range s.Services {
		s.Services[i].Level = uint32(levels.Of(graph.ID(i)))
	}
	return nil
}
