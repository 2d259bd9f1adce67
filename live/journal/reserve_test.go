package journal_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"strata/live/journal"
	"strata/live/s6/s6test"
)

// Whoever takes all the space that there is does not get what a writer has reserved,
// nor while one command follows the other.
func TestReserveKept(t *testing.T) {
	if !s6test.Mounts(t) {
		return
	}
	disk := s6test.NewDisk(t, 1<<20, 100)
	path := filepath.Join(disk.Dir, "journal")
	if err := journal.Create(path, journal.Init{}); err != nil {
		t.Fatal(err)
	}
	command := func(do func(*journal.Writer)) {
		t.Helper()
		w, err := journal.OpenWriter(path)
		if err != nil {
			t.Fatal(err)
		}
		do(w)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	command(func(*journal.Writer) {})
	var over atomic.Bool
	var filler sync.WaitGroup
	filler.Go(func() {
		f, err := os.OpenFile(filepath.Join(disk.Dir, "fill"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		for page := make([]byte, os.Getpagesize()); !over.Load(); {
			_, _ = f.Write(page) // as long as there is room
		}
	})
	const page = 4096
	for range 10 {
		for range 50 {
			command(func(*journal.Writer) {})
		}
		command(func(w *journal.Writer) {
			if _, err := w.Append(strings.Repeat("x", page), journal.Observed{}); err != nil {
				t.Error(err)
			}
		})
	}
	over.Store(true)
	filler.Wait()
}
