package tree_test

import (
	"path/filepath"

	"strata/internal/lines"
)

// lineService is a longrun that runs one of the programs of package lines.
func lineService(name, feeds, run string) definition {
	return definition{name: name, run: run, notify: 3, feeds: feeds}
}

// producer writes lines into another longrun, and sink is where they end.
func producer(name, feeds string) definition {
	return lineService(name, feeds, lines.Producer(name, "$LOG."+name))
}

func pass(name, feeds string) definition { return lineService(name, feeds, lines.Pass()) }

func sink(name string) definition { return lineService(name, "", lines.Sink("$LOG")) }

// checkLines is [lines.Check] for what has arrived in the log.
func (tr *testTree) checkLines(kills map[string]int, producers ...string) {
	tr.t.Helper()
	written := map[string]uint64{}
	for _, id := range producers {
		n, err := lines.Written([]byte(read(tr.t, filepath.Join(tr.Root, "log."+id))))
		if err != nil {
			tr.t.Fatal(err)
		}
		written[id] = n
	}
	text := read(tr.t, filepath.Join(tr.Root, "log"))
	if err := lines.Check(text, written, kills); err != nil {
		tr.t.Error(err)
	}
	tr.t.Logf("%d bytes, lines of %v", len(text), written)
}
