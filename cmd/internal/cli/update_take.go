package cli

import (
	"strata/compile/db"
	"strata/live"
)

// taking is the new database while it is copied, beside what else is to be read.
type taking struct {
	done  chan struct{} // closed when the rest is there; nil if it was not begun
	draft *db.Draft
	move  storeTarget
	err   error
}

// begin finds out which database is meant, under the lock, and begins to copy it.
func (t *taking) begin(j updateJob, d *live.Dir) {
	t.done = make(chan struct{})
	var path string
	path, t.move, t.err = j.store.target(j.s, j.newdb)
	if t.err == nil {
		t.err = trustDatabase(j.s, path)
	}
	if t.err != nil {
		close(t.done)
		return
	}
	go func() {
		defer close(t.done)
		t.draft, t.err = d.TakeDB(path)
	}()
}

func (t *taking) wait() (*db.Draft, storeTarget, error) {
	<-t.done
	return t.draft, t.move, t.err
}

// close closes what was taken, if anything. It may be called again.
func (t *taking) close() {
	if t.done == nil {
		return
	}
	if <-t.done; t.draft != nil {
		_ = t.draft.Close() // what it could not remove the next sweep does
	}
}
