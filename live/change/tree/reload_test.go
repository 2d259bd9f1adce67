package tree_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"strata/compile/db"
	"strata/live/change"
	"strata/live/change/tree"
)

// traps is a longrun that says which of the signals it got, into a FIFO.
const traps = "#!/bin/sh\ntrap 'echo HUP >$FIFO' HUP\ntrap 'echo USR1 >$FIFO' USR1\necho >&3\nexec 3>&-\nwhile :; do sleep 100000 & wait $!; kill $! 2>/dev/null; done\n"

// A longrun gets its reload signal, SIGHUP if it names none, and stays.
func TestReloadLongrun(t *testing.T) {
	for signal, want := range map[string]string{"": "HUP", "USR1\n": "USR1", "SIGUSR1": "USR1", "10": "USR1"} {
		tr := newTree(t, with(ready("a"), func(d *definition) {
			d.run = traps
			d.change = func(s *db.Service, _ db.Blobs) {
				if signal != "" {
					s.ReloadSignal = []byte(signal)
				}
			}
		}))
		fifo := filepath.Join(tr.Root, "fifo")
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		tr.must(change.Start, "a")
		pid := tr.status("a").PID
		tr.must(change.Reload, "a")
		if got := strings.TrimSpace(read(t, fifo)); got != want {
			t.Errorf("reload-signal %q: it got %q", signal, got)
		}
		if tr.status("a").PID != pid {
			t.Error("it was started again")
		}
	}
}

func TestReloadOneshot(t *testing.T) {
	tr := newTree(t, with(oneshot("conf", "echo up >>$LOG"), func(d *definition) {
		d.change = func(s *db.Service, _ db.Blobs) {
			s.Reload = db.Program{Form: db.Argv, Argv: []string{"sh", "-c", "echo $RC_NAME >>$LOG; test ! -e $FIFO"}}
		}
	}), longrun("bad"))
	log, fifo := filepath.Join(tr.Root, "log"), filepath.Join(tr.Root, "fifo")
	tr.must(change.Start, "conf")
	tr.must(change.Reload, "conf")
	if got := read(t, log); got != "up\nconf\n" {
		t.Errorf("%q", got)
	}
	if err := os.WriteFile(fifo, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := tr.run(change.Request{Op: change.Reload}, "conf")
	if len(r.Failed) != 1 || r.Failed[0].Err.Error() != "exit 1" {
		t.Errorf("%+v", r)
	}
	if st := tr.state("conf"); !st.Up || st.Pending != "" || st.Failure != "exit 1" {
		t.Errorf("after a failed reload: %+v", st)
	}
}

// What cannot be reloaded says so, and nothing is done.
func TestReloadRefused(t *testing.T) {
	tr := newTree(t, longrun("down"), with(ready("odd"), func(d *definition) {
		d.change = func(s *db.Service, _ db.Blobs) { s.ReloadSignal = []byte("NOTHING") }
	}))
	w := tr.lock()
	sup := tree.New(tr.dir)
	s, err := tree.Open(t.Context(), w, sup)
	if err != nil {
		t.Fatal(err)
	}
	var down *change.NotUpError
	if _, _, err := s.Run(t.Context(), change.Request{Op: change.Reload, Names: []change.ID{0}}, tree.Options{}); !errors.As(err, &down) {
		t.Errorf("%v", err)
	}
	s.Close()
	w.Close()
	tr.must(change.Start, "odd")
	r := tr.run(change.Request{Op: change.Reload}, "odd")
	if len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Err.Error(), `"NOTHING" is no signal`) {
		t.Errorf("%+v", r)
	}
	if got := tr.ups(); got != "odd" {
		t.Errorf("up: %s", got)
	}
}

// A restart moves what needs the service, and nothing else.
func TestRestartReal(t *testing.T) {
	tr := newTree(t, longrun("web", "db"), ready("db", "net"), oneshot("net", "true"), longrun("idle", "db"), longrun("other"))
	tr.must(change.Start, "web other")
	pids := map[string]int{}
	for _, name := range []string{"web", "db", "other"} {
		pids[name] = tr.status(name).PID
	}
	tr.must(change.Restart, "db")
	if got := tr.ups(); got != "db net other web" {
		t.Errorf("up: %s", got)
	}
	for name, pid := range pids {
		if moved := tr.status(name).PID != pid; moved != (name != "other") {
			t.Errorf("%s has another process: %t", name, moved)
		}
	}
	if st := tr.state("web"); st.Cause != "was stopped with db" || !st.Wanted {
		t.Errorf("%+v", st)
	}
	if st := tr.state("db"); st.Wanted {
		t.Error("a restart is a wish")
	}
}
