package journal_test

import (
	"fmt"

	"strata/compile/db"
	"strata/live/journal"
)

func ExampleFold() {
	table := journal.Table{{Slot: 16, Name: "web", Type: db.Longrun}}
	records := []journal.Record{
		{Seq: 1, Event: journal.Init{Table: table, NextSlot: 17}},
		{Seq: 2, Event: journal.Want{Slots: []journal.Slot{16}, Up: true}, Cause: "start web"},
		{Seq: 3, Event: journal.Up{Slot: 16}},
		{Seq: 4, Event: journal.Observed{Slot: 16, Up: false, What: "exit 1"}},
	}
	state := journal.Fold(records)
	web := state.Services[16]
	fmt.Println(state.Seq, web.Wanted, web.Up, web.Cause)
	// Output: 4 true false start web
}
