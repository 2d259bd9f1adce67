package live_test

import (
	"fmt"

	"strata/compile/db"
	"strata/live"
	"strata/live/journal"
)

// A slot is what stays of a service when it is renamed, and its pipes are named
// by it.
func ExamplePipeReader() {
	table := journal.Table{
		{Slot: live.FirstSlot, Name: "web", Type: db.Longrun},
		{Slot: live.FirstSlot + 1, Name: "web-log", Type: db.Longrun},
	}
	log := table[1].Slot
	fmt.Println(live.PipeWriter(log), "->", live.PipeReader(log))
	// Output: pipe:strata-w-17 -> pipe:strata-r-17
}
