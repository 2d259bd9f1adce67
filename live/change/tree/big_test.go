package tree_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/live/change"
	"strata/live/s6/s6test"
)

const big = 10000

// Ten thousand oneshots one after the other, and all at once but for the one that
// they need.
func TestLongBigOneshots(t *testing.T) {
	s6test.Long(t)
	for _, shape := range []string{"chain", "fan"} {
		t.Run(shape, func(t *testing.T) {
			defs := make([]definition, big)
			for i := range defs {
				defs[i] = oneshot(fmt.Sprintf("s%d", i), "exit 0")
				defs[i].down = "exit 0"
				if i > 0 && shape == "chain" {
					defs[i].needs = []string{defs[i-1].name}
				} else if i > 0 {
					defs[i].needs = []string{defs[0].name}
				}
			}
			upAndDown(t, defs)
		})
	}
}

// Ten thousand daemons that need the same one.
func TestLongBigLongruns(t *testing.T) {
	s6test.Long(t)
	if free := available(t); free < 8<<30 {
		t.Skipf("needs 8 GiB of free memory: there are %d MiB", free>>20)
	}
	defs := make([]definition, big)
	for i := range defs {
		defs[i] = longrun(fmt.Sprintf("s%d", i))
		if i > 0 {
			defs[i].needs = []string{defs[0].name}
		}
	}
	upAndDown(t, defs)
}

// upAndDown brings all services up, and down, with no more descriptors than half of
// what the process may have.
func upAndDown(t *testing.T, defs []definition) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	took := func(what string) {
		t.Logf("%s: %v", what, time.Since(begin).Round(time.Millisecond))
		begin = time.Now()
	}
	tr := newTree(t, defs...)
	took("init")
	done, most := 0, 0
	tr.options.Observe = func(e change.Event) {
		if e.Kind != change.Done {
			return
		}
		if done++; done%(big/50) == 0 { // to count takes its time too
			most = max(most, descriptors(t, os.Getpid()))
		}
	}
	names := make([]string, len(defs))
	for i, d := range defs {
		names[i] = d.name
	}
	r := tr.must(change.Start, strings.Join(names, " "))
	took("up")
	if len(r.Done) != len(defs) {
		t.Errorf("%d are up", len(r.Done))
	}
	r = tr.run(change.Request{Op: change.Stop, Live: true}, "")
	took("down")
	if !r.OK() || len(r.Done) != len(defs) {
		t.Errorf("%d are down", len(r.Done))
	}
	t.Logf("at most %d descriptors of %d", most, limit.Cur)
	if most == 0 || uint64(most) > limit.Cur/2 {
		t.Errorf("%d descriptors at once, of %d", most, limit.Cur)
	}
}

// available is the memory that programs can have, in bytes.
func available(t *testing.T) int64 {
	t.Helper()
	for line := range strings.Lines(read(t, "/proc/meminfo")) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "MemAvailable: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	t.Fatal("the kernel does not say how much memory is free")
	return 0
}
