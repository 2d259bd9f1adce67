package fdholder_test

import (
	"os"
	"path/filepath"
	"testing"

	"strata/live/s6"
	"strata/live/s6/fdholder"
)

// A connection can be used by another process: it is a descriptor.
func TestHandedOver(t *testing.T) {
	socket := startHolder(t)
	ctx := testContext(t)
	first := dial(t, socket)
	r, _ := pipe(t)
	if err := first.Store(ctx, fdholder.Held{ID: "pipe:a", File: r}); err != nil {
		t.Fatal(err)
	}
	f, err := first.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	first.Close()
	second, err := fdholder.FromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if ids, err := second.List(ctx); err != nil || len(ids) != 1 {
		t.Errorf("list %q, %v", ids, err)
	}
	st, err := s6.ReadStatus(filepath.Dir(socket))
	if err != nil {
		t.Fatal(err)
	}
	if pid, err := second.PID(); err != nil || pid != st.PID {
		t.Errorf("pid %d, %v; s6 says %d", pid, err, st.PID)
	}
	if second.Gone() {
		t.Error("the daemon is gone")
	}
	if _, err := s6.WaitFor(ctx, filepath.Dir(socket), s6.GoalDownReady(), s6.CmdDown); err != nil {
		t.Fatal(err)
	}
	if !second.Gone() || !first.Gone() {
		t.Error("the daemon is not gone, or the connection not closed")
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if _, err := fdholder.FromFile(null); err == nil {
		t.Error("/dev/null is taken for a connection")
	}
}
