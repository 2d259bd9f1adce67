package change_test

import (
	"testing"

	"pgregory.net/rapid"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/change"
)

func TestMake(t *testing.T) {
	tree := []string{"web: db net", "db: net", "(net):", "log:", "cron: log ?mail", "mail: net"}
	cases := []struct {
		name  string
		lines []string
		up    string
		req   change.Request
		named string
		want  string
	}{
		{"start takes what it needs", tree, "", change.Request{Op: change.Start}, "web", "start web db<web net<web"},
		{"what is up stays", tree, "net", change.Request{Op: change.Start}, "web", "start web db<web"},
		{"start takes what it wants", tree, "", change.Request{Op: change.Start}, "cron", "start net<mail log<cron cron mail<cron"},
		{"nothing to do", tree, "net db web", change.Request{Op: change.Start}, "web", "start"},
		{"stop takes what needs it", tree, "net db web log", change.Request{Op: change.Stop}, "net", "stop web<net db<net net"},
		{"a want stops nothing", tree, "net mail log cron", change.Request{Op: change.Stop}, "mail", "stop mail"},
		{"live", tree, "net db log", change.Request{Op: change.Stop, Live: true}, "", "stop db net log"},
		{"prune", tree, "net db web log", change.Request{Op: change.Start, Prune: true}, "mail", "stop web db log; start mail"},
		{"prune of a stop", tree, "net", change.Request{Op: change.Stop, Prune: true}, "net", "stop net; start log cron"},
		{"exact", tree, "net db web", change.Request{Op: change.Stop, Exact: true}, "net", "stop net"},
		{"essential", []string{"a: b", "b: c !", "c:", "d: c"}, "a b c d", change.Request{Op: change.Stop, Live: true}, "", "stop a d kept:b held:c"},
		{"essential, told to", []string{"a: b", "b: c !", "c:"}, "a b c", change.Request{Op: change.Stop, Live: true, Essentials: true}, "", "stop a b c"},
		{"essential that is down", []string{"a: b", "b: c !", "c:"}, "c", change.Request{Op: change.Stop}, "c", "stop c"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.lines...).up(c.up)
			c.req.Names = w.ids(c.named)
			got := w.list(w.plan(c.req))
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A daemon that was told to end and has not yet is started again.
func TestMakeStopping(t *testing.T) {
	w := newWorld(t, "a:")
	w.states[0] = live.ServiceState{Type: db.Longrun, Up: true, Supervised: true}
	for _, op := range []change.Op{change.Start, change.Stop} {
		if got, want := w.list(w.plan(change.Request{Op: op, Names: w.ids("a")})), op.String()+" a"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestMakeUnknown(t *testing.T) {
	w := newWorld(t, "a: b")
	if _, err := change.Make(w.graphs, w.states, change.Request{Op: change.Start, Names: []change.ID{2}}); err == nil {
		t.Error("a number that is no service was taken")
	}
	w.states[0] = live.ServiceState{Unknown: true, Up: true}
	if got := w.list(w.plan(change.Request{Op: change.Start, Names: w.ids("a")})); got != "start a b<a" {
		t.Errorf("an unknown service counts as %q for a start", got)
	}
	if got := w.list(w.plan(change.Request{Op: change.Stop, Names: w.ids("a")})); got != "stop a" {
		t.Errorf("an unknown service counts as %q for a stop", got)
	}
}

// Plans of any graph are closed: a step waits for all moving services it depends
// on, and what is left out of a stop is needed by an essential service.
func TestRapidPlan(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(rt, "n")
		edges := func(label string) *graph.Graph {
			var list []graph.Edge
			for i := 1; i < n; i++ {
				for j := range i {
					if rapid.IntRange(0, 3).Draw(rt, label) == 0 {
						list = append(list, graph.Edge{From: graph.ID(i), To: graph.ID(j)})
					}
				}
			}
			g, err := graph.New(n, list)
			if err != nil {
				rt.Fatal(err)
			}
			return g
		}
		g := change.Graphs{Needs: edges("need"), Wants: edges("want"), Soft: edges("soft")}
		essential := make([]bool, n)
		states := make([]live.ServiceState, n)
		var names []change.ID
		for i := range n {
			essential[i] = rapid.IntRange(0, 5).Draw(rt, "essential") == 0
			states[i].Up = rapid.Bool().Draw(rt, "up")
			if rapid.IntRange(0, 3).Draw(rt, "named") == 0 {
				names = append(names, change.ID(i))
			}
		}
		g.Essential = func(id change.ID) bool { return essential[id] }
		req := change.Request{
			Op: rapid.SampledFrom([]change.Op{change.Start, change.Stop}).Draw(rt, "op"), Names: names,
			Live: rapid.Bool().Draw(rt, "live"), Prune: rapid.Bool().Draw(rt, "prune"), Essentials: rapid.Bool().Draw(rt, "essentials"),
		}
		plan, err := change.Make(g, states, req)
		if err != nil {
			rt.Fatal(err)
		}
		for _, ph := range plan.Phases {
			checkPhase(rt, g, states, req, ph)
		}
	})
}

func checkPhase(rt *rapid.T, g change.Graphs, states []live.ServiceState, req change.Request, ph change.Phase) {
	at := map[change.ID]int32{}
	for i, s := range ph.Steps {
		at[s.Service] = int32(i)
		if s.Noop != (states[s.Service].Up == (ph.Op == change.Start)) {
			rt.Fatalf("step of %d is a no-op: %v", s.Service, s.Noop)
		}
		if ph.Op == change.Stop && !req.Essentials && !s.Noop && g.Essential(s.Service) {
			rt.Fatalf("essential %d is stopped", s.Service)
		}
	}
	if len(ph.Steps) == 0 {
		return
	}
	for i, s := range ph.Steps {
		deps := g.Needs.Out(s.Service)
		if ph.Op == change.Stop {
			deps = g.Needs.In(s.Service)
		}
		for _, d := range deps {
			j, in := at[d]
			if !in {
				rt.Fatalf("%s of %d without %d", ph.Op, s.Service, d)
			}
			found := false
			for _, k := range s.Hard {
				found = found || k == j
			}
			if !found {
				rt.Fatalf("step %d does not wait for %d", i, j)
			}
		}
	}
}
