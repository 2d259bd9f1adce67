package change_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"strata/live/change"
	"strata/live/change/fake"
)

// drawWorld makes a random acyclic set of services, and scripts that may fail.
func drawWorld(rt *rapid.T, t *testing.T) *world {
	n := rapid.IntRange(1, 14).Draw(rt, "n")
	lines := make([]string, n)
	for i := range n {
		name := fmt.Sprintf("s%d", i)
		if rapid.Bool().Draw(rt, "oneshot") {
			name = "(" + name + ")"
		}
		lines[i] = name + ":"
		for j := range i {
			switch rapid.IntRange(0, 7).Draw(rt, "edge") {
			case 0, 1:
				lines[i] += fmt.Sprintf(" s%d", j)
			case 2:
				lines[i] += fmt.Sprintf(" ~s%d", j)
			case 3:
				lines[i] += fmt.Sprintf(" ?s%d", j)
			}
		}
	}
	w := newWorld(t, lines...)
	for i, name := range w.names {
		w.states[i].Up = rapid.IntRange(0, 2).Draw(rt, "up") == 0
		for _, scripts := range []map[string]fake.Script{w.sup.Up, w.sup.Down} {
			sc := fake.Script{Delay: time.Duration(rapid.IntRange(0, 3).Draw(rt, "delay")) * second}
			switch rapid.IntRange(0, 7).Draw(rt, "failure") {
			case 0:
				sc.Err = errBroken
			case 1:
				sc.Hang = true
			}
			scripts[name] = sc
		}
		w.targets[i].TimeoutUp, w.targets[i].TimeoutDown = 20*second, 20*second
	}
	return w
}

// Whatever fails: no service moves before what it depends on is ready, only what
// failed and what needs it is left behind, and the same request converges once
// nothing fails any more.
func TestRapidRun(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt, t)
		op := rapid.SampledFrom([]change.Op{change.Start, change.Stop}).Draw(rt, "op")
		req := change.Request{Op: op, Essentials: true}
		for i := range w.names {
			if rapid.Bool().Draw(rt, "named") {
				req.Names = append(req.Names, change.ID(i))
			}
		}
		w.env.MaxParallel = rapid.IntRange(0, 3).Draw(rt, "parallel")
		limited := rapid.IntRange(0, 3).Draw(rt, "limit") == 0
		if limited {
			w.env.Limit = 4 * second
		}
		wrong := ""
		synctest.Test(t, func(*testing.T) { wrong = w.runAndCheck(req) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// runAndCheck runs the request twice, the second time without failures, and says
// what is wrong.
func (w *world) runAndCheck(req change.Request) string {
	plan, err := change.Make(w.graphs, w.states, req)
	if err != nil {
		return err.Error()
	}
	before := make([]bool, len(w.states))
	for i := range w.states {
		before[i] = w.states[i].Up
	}
	r, err := change.Run(context.Background(), w.env, plan)
	if err != nil {
		return err.Error()
	}
	if wrong := w.checkCalls(req.Op, before); wrong != "" {
		return wrong
	}
	if len(r.Done)+len(r.Failed)+len(r.Skipped)+len(r.Left) != plan.Moves() {
		return fmt.Sprintf("%d moves, %d done, %d failed, %d skipped, %d left", plan.Moves(), len(r.Done), len(r.Failed), len(r.Skipped), len(r.Left))
	}
	if len(r.Failed) == 0 && len(r.Skipped) > 0 {
		return "something was skipped though nothing failed"
	}
	w.absorb()
	w.sup.Up, w.sup.Down, w.env.Limit = nil, nil, 0
	plan, err = change.Make(w.graphs, w.states, req)
	if err != nil {
		return err.Error()
	}
	if r, err = change.Run(context.Background(), w.env, plan); err != nil || !r.OK() {
		return fmt.Sprintf("second run: %v, %s", err, w.failures(r))
	}
	w.absorb()
	if again, _ := change.Make(w.graphs, w.states, req); again.Moves() != 0 {
		return "the second run did not converge"
	}
	return ""
}

// checkCalls replays what the supervisor was asked for.
func (w *world) checkCalls(op change.Op, up []bool) string {
	flying := map[string]bool{}
	now := map[string]bool{}
	for i, n := range w.names {
		now[n] = up[i]
	}
	for _, c := range w.sup.Calls() {
		if c.End {
			delete(flying, c.Service)
			if c.Err == nil {
				now[c.Service] = op == change.Start
			}
			continue
		}
		flying[c.Service] = true
		id := w.id(c.Service)
		deps, soft := w.graphs.Needs.Out(id), w.graphs.Soft.Out(id)
		if op == change.Stop {
			deps, soft = w.graphs.Needs.In(id), w.graphs.Soft.In(id)
		}
		for _, d := range deps {
			if now[w.names[d]] != (op == change.Start) {
				return fmt.Sprintf("%s before %s", c, w.names[d])
			}
		}
		for _, d := range soft {
			if flying[w.names[d]] {
				return fmt.Sprintf("%s while %s is under way", c, w.names[d])
			}
		}
	}
	if len(flying) > 0 {
		return "something is still under way"
	}
	return ""
}
