package tree_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"strata/live"
	"strata/live/change"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// holderName stands for the fd-holder among the names of services.
const holderName = "holder"

// pipeline is a tree with the service directories of its longruns by name.
type pipeline struct {
	*testTree
	dirs  map[string]string
	kills map[string]int
}

func newPipeline(t testing.TB, defs ...definition) *pipeline {
	tr := newTree(t, defs...)
	p := &pipeline{tr, map[string]string{holderName: tr.dir.Servicedir(live.HolderSlot)}, map[string]int{}}
	for _, s := range tr.snapshot().Services {
		p.dirs[s.Name] = tr.dir.Servicedir(s.Slot)
	}
	return p
}

// mkfifo makes a FIFO in Root.
func (p *pipeline) mkfifo(name string) {
	p.t.Helper()
	if err := unix.Mkfifo(filepath.Join(p.Root, name), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// ready waits until services are ready, and has them started at once if need be.
func (p *pipeline) ready(names ...string) {
	p.t.Helper()
	p.waitFor(s6.GoalUpReady(), s6.CmdUp, names)
}

// down stops services behind the engine's back.
func (p *pipeline) down(names ...string) {
	p.t.Helper()
	p.waitFor(s6.GoalDownReady(), s6.CmdDown, names)
}

func (p *pipeline) waitFor(goal s6.Goal, cmd s6.Command, names []string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), s6test.Limit)
	defer cancel()
	for _, name := range names {
		if _, err := s6.WaitFor(ctx, p.dirs[name], goal, cmd); err != nil {
			p.t.Fatal(err)
		}
	}
}

// kill kills the processes of services, in this order and all before it waits for
// any, and waits until each is ready again. Who is killed after the holder cannot
// come back before it.
func (p *pipeline) kill(names ...string) {
	p.t.Helper()
	p.ready(names...)
	subs := make(map[string]*s6.Subscription, len(names))
	for _, name := range names {
		sub, err := s6.Subscribe(filepath.Join(p.dirs[name], "event"))
		if err != nil {
			p.t.Fatal(err)
		}
		defer sub.Close()
		subs[name] = sub
	}
	for _, name := range names {
		if err := unix.Kill(p.pid(name), unix.SIGKILL); err != nil {
			p.t.Fatal(err)
		}
		p.kills[name]++
	}
	// The holder comes first: without it the others cannot start.
	if sub, ok := subs[holderName]; ok {
		p.awaitReady(holderName, sub)
		delete(subs, holderName)
	}
	for name, sub := range subs {
		p.awaitReady(name, sub)
	}
}

// awaitReady waits for the death of a service, and for the start after it, which is
// asked for at once.
func (p *pipeline) awaitReady(name string, sub *s6.Subscription) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), s6test.Limit)
	defer cancel()
	died := false
	for {
		events, err := sub.Next(ctx)
		if err != nil {
			p.t.Fatalf("%s does not come back: %v", name, err)
		}
		for _, e := range events {
			switch {
			case e == s6.EventDied:
				died = true
			case e == s6.EventDown:
				if err := s6.SendControl(p.dirs[name], s6.CmdUp); err != nil {
					p.t.Fatal(err)
				}
			case e == s6.EventReady && died:
				return
			}
		}
	}
}

// pid is the process of a service that is up.
func (p *pipeline) pid(name string) int {
	p.t.Helper()
	st, err := s6.ReadStatus(p.dirs[name])
	if err != nil || !st.Up() {
		p.t.Fatalf("%s is not up: %+v, %v", name, st, err)
	}
	return st.PID
}

// pipe is what a descriptor of a service's process is.
func (p *pipeline) pipe(name string, fd int) string {
	p.t.Helper()
	link, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(p.pid(name)), "fd", strconv.Itoa(fd)))
	if err != nil || !strings.HasPrefix(link, "pipe:[") {
		p.t.Fatalf("descriptor %d of %s is %q, %v", fd, name, link, err)
	}
	return link
}

// TestL33Funnel lets three producers write into one consumer as fast as they can
// while members and the fd-holder are killed and stopped in many orders.
func TestL33Funnel(t *testing.T) {
	p := newPipeline(t, producer("p1", "sink"), producer("p2", "sink"), producer("p3", "sink"), sink("sink"))
	p.must(change.Start, "p1 p2 p3")
	pipe := p.pipe("sink", 0)
	for _, names := range []string{
		"sink", "p1", "holder", "holder p1", "p2 holder", "p1 sink", "sink p3 p2", "p1 p2 holder", "sink p1 p2 p3", "holder", "holder",
	} {
		pids := map[string]int{}
		for name := range p.dirs {
			if !slices.Contains(strings.Fields(names), name) {
				pids[name] = p.pid(name)
			}
		}
		p.kill(strings.Fields(names)...)
		for name, pid := range pids {
			if p.pid(name) != pid {
				t.Errorf("after a kill of %s: %s was moved", names, name)
			}
		}
		if got := p.pipe("sink", 0); got != pipe {
			t.Errorf("after a kill of %s: the consumer has %s, not %s", names, got, pipe)
		}
	}
	// The consumer may come to the end of its input here, when it has read all.
	p.kill(holderName, "p1", "p2", "p3")
	p.ready("sink")
	// The engine's stops and starts.
	p.must(change.Stop, "sink")
	p.must(change.Start, "p1 p2")
	p.must(change.Stop, "p1")
	p.kill(holderName)
	p.must(change.Start, "p1 p3")
	p.kill(holderName, "p3")
	p.must(change.Stop, "p1 p2 p3")
	p.must(change.Stop, "sink")
	p.checkLines(p.kills, "p1", "p2", "p3")
}

// TestL33Chain kills each member of a chain in turn.
func TestL33Chain(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e"}
	p := newPipeline(t, producer("a", "b"), pass("b", "c"), pass("c", "d"), pass("d", "e"), sink("e"))
	p.must(change.Start, "a")
	pipes := func() (all []string) {
		for i, name := range names[1:] {
			in, out := p.pipe(name, 0), p.pipe(names[i], 1)
			if in != out {
				t.Errorf("%s writes to %s and %s reads from %s", names[i], out, name, in)
			}
			all = append(all, in)
		}
		return all
	}
	before := pipes()
	for _, name := range names {
		p.kill(name)
		p.kill(holderName)
	}
	p.kill(names...)
	if after := pipes(); !slices.Equal(after, before) {
		t.Errorf("pipes %v became %v", before, after)
	}
	for _, name := range names { // each drains what is there
		p.must(change.Stop, name)
	}
	p.checkLines(p.kills, "a")
}
