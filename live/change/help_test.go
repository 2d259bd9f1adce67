package change_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/change"
	"strata/live/change/fake"
	"strata/live/journal"
)

// world is a set of services with a fake supervisor, and a journal that is folded
// as it is written.
type world struct {
	t       testing.TB
	names   []string
	graphs  change.Graphs
	targets []change.Target
	states  []live.ServiceState
	sup     *fake.Supervisor
	events  []string
	journal func(string, ...journal.Event) error
	env     change.Env
}

// newWorld reads edges: "a: b c ~d ?e !": a needs b and c, comes after d, wants e, and
// is essential. "(a)" is a oneshot.
func newWorld(t testing.TB, lines ...string) *world {
	w := &world{t: t, sup: &fake.Supervisor{Up: map[string]fake.Script{}, Down: map[string]fake.Script{}}}
	ids := map[string]graph.ID{}
	essential := map[graph.ID]bool{}
	var needs, wants, soft []graph.Edge
	add := func(word string) graph.ID {
		name := strings.Trim(word, "()")
		id, ok := ids[name]
		if !ok {
			id = graph.ID(len(w.names))
			ids[name] = id
			w.names = append(w.names, name)
			typ := db.Longrun
			if word != name {
				typ = db.Oneshot
			}
			w.targets = append(w.targets, change.Target{ID: id, Name: name, Type: typ, Slot: live.FirstSlot + live.Slot(id)})
			w.states = append(w.states, live.ServiceState{Name: name, Type: typ})
		}
		return id
	}
	for _, line := range lines {
		head, _, _ := strings.Cut(line, ":")
		add(head)
	}
	for _, line := range lines {
		head, rest, _ := strings.Cut(line, ":")
		from := add(head)
		for _, word := range strings.Fields(rest) {
			switch word[0] {
			case '!':
				essential[from] = true
			case '~':
				soft = append(soft, graph.Edge{From: from, To: add(word[1:])})
			case '?':
				to := add(word[1:])
				wants = append(wants, graph.Edge{From: from, To: to})
				soft = append(soft, graph.Edge{From: from, To: to})
			default:
				needs = append(needs, graph.Edge{From: from, To: add(word)})
			}
		}
	}
	w.graphs = change.Graphs{
		Needs: w.graph(needs), Wants: w.graph(wants), Soft: w.graph(soft),
		Essential: func(id change.ID) bool { return essential[id] },
	}
	w.prepare()
	return w
}

func (w *world) graph(edges []graph.Edge) *graph.Graph {
	g, err := graph.New(len(w.names), edges)
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func (w *world) prepare() {
	w.env = change.Env{
		Targets:    func(id change.ID) change.Target { return w.targets[id] },
		States:     w.states,
		Supervisor: w.sup.Engine(),
		Cause:      "asked for",
		Observe: func(e change.Event) {
			w.events = append(w.events, fmt.Sprintf("%d %s %s", e.Kind, e.Op, e.Target.Name))
		},
	}
	w.env.Journal = func(cause string, events ...journal.Event) error {
		if w.journal != nil {
			return w.journal(cause, events...)
		}
		return nil
	}
}

func (w *world) id(name string) change.ID {
	for i, n := range w.names {
		if n == name {
			return change.ID(i)
		}
	}
	w.t.Fatalf("no service %s", name)
	return 0
}

func (w *world) ids(names string) []change.ID {
	var out []change.ID
	for _, n := range strings.Fields(names) {
		out = append(out, w.id(n))
	}
	return out
}

// up marks services as up.
func (w *world) up(names string) *world {
	for _, id := range w.ids(names) {
		w.states[id].Up = true
	}
	return w
}

func (w *world) plan(req change.Request) change.Plan {
	w.t.Helper()
	p, err := change.Make(w.graphs, w.states, req)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// calls are what the fake was asked for, from its beginning or end, in order.
func (w *world) calls() string {
	var b []string
	for _, c := range w.sup.Calls() {
		if c.End {
			continue
		}
		b = append(b, c.String())
	}
	return strings.Join(b, ", ")
}

// absorb makes what the run left the states of the next one.
func (w *world) absorb() {
	for i, n := range w.names {
		for _, c := range w.sup.Calls() {
			if c.Service == n && c.End && c.Err == nil {
				w.states[i].Up = c.Op == change.Start
			}
		}
	}
}

// list gives the moving steps of a phase: "start a b(needed by a)".
func (w *world) list(p change.Plan) string {
	var out []string
	for _, ph := range p.Phases {
		line := ph.Op.String()
		for _, s := range ph.Steps {
			if s.Noop {
				continue
			}
			line += " " + w.names[s.Service]
			if s.Because != db.None {
				line += "<" + w.names[s.Because]
			}
		}
		for _, k := range ph.Kept {
			line += " kept:" + w.names[k]
		}
		for _, h := range ph.Held {
			line += " held:" + w.names[h.Service]
		}
		out = append(out, line)
	}
	return strings.Join(out, "; ")
}

const second = time.Second

func (w *world) allIDs() []change.ID {
	out := make([]change.ID, len(w.names))
	for i := range out {
		out[i] = change.ID(i)
	}
	return out
}
