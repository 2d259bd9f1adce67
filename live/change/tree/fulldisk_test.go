package tree_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"strata/live/change"
	"strata/live/journal"
	"strata/live/s6/s6test"
)

// fullDiskTree is a tree with a bit of everything on a small tmpfs. The downs of
// its oneshots write into the file log, which is elsewhere.
func fullDiskTree(t *testing.T) (disk *s6test.Disk, tr *testTree, log string) {
	disk = s6test.NewDisk(t, 2<<20, 2000)
	log = filepath.Join(s6test.TempDir(t), "log")
	sc := s6test.Start(t, disk.Dir, filepath.Join(disk.Dir, "scan"), func(c *exec.Cmd) {
		c.Env = append(c.Env, "LOG="+log)
	})
	first, second := oneshot("first", "true"), oneshot("second", "true", "db")
	first.down, second.down = "echo first >>$LOG", "echo second >>$LOG"
	tr = newTreeIn(t, sc, first, second, ready("db", "first"), longrun("web", "second"),
		with(longrun("source"), func(d *definition) { d.feeds = "sink" }), longrun("sink"),
		with(longrun("crash"), func(d *definition) { d.run = "#!/bin/sh\nexit 1\n" }))
	return disk, tr, log
}

// nothingRuns checks that a full stop has left nothing. The filler of the fd-holder
// says that it is done before it ends, so that it may still be about to.
func (tr *testTree) nothingRuns(r change.Result) {
	tr.t.Helper()
	if !r.OK() {
		tr.t.Errorf("%+v", r)
	}
	left := slices.DeleteFunc(tr.Processes(), func(p s6test.Process) bool {
		const filler = "exe" // it is started as /proc/self/exe
		return p.Name == "s6-svscan" || p.Name == "s6-supervise" || p.Name == filler && p.Ends()
	})
	if len(left) > 0 {
		tr.t.Errorf("after a full stop there are %v", left)
	}
}

var fullStop = change.Request{Op: change.Stop, Live: true, Essentials: true}

// What was started while the disk was full, or before, or after even the journal had
// no room any more, is stopped all the same.
func TestFullStopOnFullDisk(t *testing.T) {
	if !s6test.Mounts(t) {
		return
	}
	disk, tr, log := fullDiskTree(t)
	start := change.Request{Op: change.Start}
	disk.Fill("fill")
	if r := tr.run(start, "web source crash"); !r.OK() {
		t.Errorf("there is room in the journal: %+v", r)
	}
	tr.nothingRuns(tr.run(fullStop, ""))
	if got := read(t, log); got != "second\nfirst\n" {
		t.Errorf("the downs wrote %q", got)
	}

	disk.Free("fill")
	tr.run(start, "web source crash")
	disk.Fill("fill")
	tr.nothingRuns(tr.run(fullStop, ""))
	if got := read(t, log); got != "second\nfirst\nsecond\nfirst\n" {
		t.Errorf("the downs wrote %q", got)
	}
	tr.nothingRuns(tr.run(fullStop, "")) // the files say that they are up

	w := tr.lock()
	var err error
	for err == nil {
		err = w.Append("test", journal.Observed{})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if r := tr.run(start, "source crash"); r.Journal == nil || len(r.Done) != 3 {
		t.Errorf("without room in the journal: %+v", r)
	}
	tr.nothingRuns(tr.run(fullStop, ""))
}
