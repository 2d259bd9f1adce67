package explain_test

import (
	"fmt"
	"time"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/change"
	"strata/live/explain"
	"strata/live/journal"
)

// A web server is down because the database that it needs failed.
func ExampleScene_Why() {
	now := time.Date(2026, 11, 20, 12, 0, 9, 0, time.Local)
	j := journal.Fold([]journal.Record{
		{Seq: 1, Event: journal.Init{Table: journal.Table{{Slot: 16, Name: "db", Type: db.Longrun}, {Slot: 17, Name: "web", Type: db.Longrun}}}},
		{Seq: 2, Cause: "rc-ctl start web", Event: journal.Run{Op: "start", Slots: []live.Slot{16, 17}}},
		{Seq: 3, At: now.Add(-8 * time.Second), Event: journal.Failed{Slot: 16, Phase: journal.PhaseUp, Reason: "exit 3", By: 17}},
		{Seq: 4, At: now.Add(-8 * time.Second), Event: journal.Skipped{Slot: 17, Phase: journal.PhaseUp, By: 16}},
		{Seq: 5, Event: journal.RunEnd{Outcome: "1 failed, 1 skipped"}},
	})
	needs, err := graph.New(2, []graph.Edge{{From: 1, To: 0}})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := &explain.Scene{Graphs: change.Graphs{Needs: needs}, Now: now}
	for _, e := range j.Table {
		known := j.Services[e.Slot]
		s.Services = append(s.Services, live.ServiceState{
			Slot: e.Slot, Name: e.Name, Type: e.Type, At: known.At, By: known.By, Command: known.Command,
			Failure: known.Failure, Failed: known.Failed, Skipped: known.Skipped,
		})
	}
	for _, line := range s.Sentences(s.Why(1)) {
		fmt.Println(line)
	}
	// Output:
	// web is down: it was skipped at 12:00:01 because db failed (rc-ctl start web)
	// db is down: its start failed at 12:00:01: exit 3 (rc-ctl start web)
}
