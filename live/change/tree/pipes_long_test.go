package tree_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"strata/live"
	"strata/live/change"
	"strata/live/holder"
	"strata/live/s6"
	"strata/live/s6/s6test"
)

// TestLongL33Funnel kills and stops at random for a while. Nothing is ever killed that
// would leave a pipe with nobody who reads it or nobody who has it.
func TestLongL33Funnel(t *testing.T) {
	s6test.Long(t)
	const rounds, seed = 150, 1
	producers := []string{"p1", "p2", "p3"}
	p := newPipeline(t, producer("p1", "sink"), producer("p2", "sink"), producer("p3", "sink"), sink("sink"), longrun("anchor"))
	p.must(change.Start, "p1 p2 p3 anchor") // with the anchor the holder stays up too
	pipe := p.pipe("sink", 0)
	rnd := rand.New(rand.NewPCG(seed, seed))
	some := func(of ...string) []string {
		rnd.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
		return of[:1+rnd.IntN(len(of))]
	}
	for range rounds {
		switch rnd.IntN(5) {
		case 0:
			p.kill(some("sink", "p1", "p2", "p3")...)
		case 1:
			p.kill(append(some("p1", "p2", "p3")[:1], holderName)...)
		case 2:
			p.kill(holderName)
		case 3:
			names := strings.Join(some(slices.Clone(producers)...), " ")
			p.must(change.Stop, names)
			p.must(change.Start, names)
		case 4:
			p.must(change.Stop, "sink")
			p.kill("p1") // s6-svc could start it without its consumer too
		}
		p.must(change.Start, "p1 p2 p3")
		if got := p.pipe("sink", 0); got != pipe {
			t.Fatalf("pipe %s became %s", pipe, got)
		}
	}
	p.must(change.Stop, "p1 p2 p3")
	p.must(change.Stop, "sink anchor")
	p.checkLines(p.kills, producers...)
}

// TestLongL32Pipelines has 2,000 pipes in one chain: a line goes all the way, the
// holder is killed, and another line goes all the way.
func TestLongL32Pipelines(t *testing.T) {
	s6test.Long(t)
	const pipes = 2000
	defs := chain(pipes + 1)
	for i := range defs {
		defs[i].run = "#!/bin/sh\necho >&3\nexec 3>&-\nexec cat\n"
	}
	defs[0].run = "#!/bin/sh\necho >&3\nexec 3>&-\nwhile read x; do echo \"$x\" >>$LOG; echo >$FIFO; done\n"
	last := defs[pipes].name
	defs[pipes].run = "#!/bin/sh\necho >&3\nexec 3>&-\necho from $$\nexec sleep 100000\n"
	p := newPipeline(t, defs...)
	p.mkfifo("fifo")
	began := time.Now()
	p.must(change.Start, last)
	t.Logf("started in %v", time.Since(began))
	arrived := func() {
		t.Helper()
		want := fmt.Sprintf("from %d\n", p.pid(last))
		read(t, p.Root+"/fifo") // ends when the line is there
		if got := read(t, p.Root+"/log"); !strings.HasSuffix(got, want) {
			t.Errorf("arrived is %q, not %q", got, want)
		}
	}
	arrived()
	first := p.pid(holderName)
	began = time.Now()
	p.kill(holderName)
	t.Logf("the holder was filled again in %v", time.Since(began))
	if p.pid(holderName) == first {
		t.Error("the holder was not killed")
	}
	p.kill(last, defs[pipes/2].name, defs[1].name)
	arrived()
	if strings.Contains(p.Log(), "warning") {
		t.Error("there is a warning")
	}
	c, err := holder.Dial(t.Context(), p.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if ids, err := c.List(t.Context()); err != nil || len(ids) != 2*pipes {
		t.Errorf("the holder has %d descriptors, %v", len(ids), err)
	}
	t.Logf("it has %d descriptors, and its resident memory is %s", descriptors(t, p.pid(holderName)), residentMemory(t, p.pid(holderName)))
	began = time.Now()
	r := p.run(change.Request{Op: change.Stop, Live: true}, "")
	t.Logf("stopped in %v", time.Since(began))
	if !r.OK() || p.ups() != "" {
		t.Errorf("%d failed, up: %s", len(r.Failed), p.ups())
	}
	if st, err := s6.ReadStatus(p.dir.Servicedir(live.HolderSlot)); err != nil || st.PID != 0 {
		t.Errorf("the holder: %+v, %v", st, err)
	}
}

// residentMemory is what /proc says of it.
func residentMemory(t *testing.T, pid int) string {
	t.Helper()
	for l := range strings.Lines(read(t, fmt.Sprintf("/proc/%d/status", pid))) {
		if size, ok := strings.CutPrefix(l, "VmRSS:"); ok {
			return strings.TrimSpace(size)
		}
	}
	return "unknown"
}
