package change_test

import (
	"context"
	"errors"
	"fmt"

	"strata/compile/db"
	"strata/graph"
	"strata/live"
	"strata/live/change"
	"strata/live/change/fake"
)

// web needs db and net; db fails to start.
func Example() {
	names := []string{"db", "net", "web"}
	needs, err := graph.New(len(names), []graph.Edge{{From: 2, To: 0}, {From: 2, To: 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	states := make([]live.ServiceState, len(names)) // all down
	plan, err := change.Make(change.Graphs{Needs: needs}, states, change.Request{Op: change.Start, Names: []change.ID{2}})
	if err != nil {
		fmt.Println(err)
		return
	}
	sup := &fake.Supervisor{Up: map[string]fake.Script{"db": {Err: errors.New("exit 1")}}}
	result, err := change.Run(context.Background(), change.Env{
		Targets:    func(id change.ID) change.Target { return change.Target{ID: id, Name: names[id], Type: db.Longrun} },
		States:     states,
		Supervisor: sup.Engine(),
	}, plan)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range result.Failed {
		fmt.Println(f)
	}
	for _, s := range result.Skipped {
		fmt.Println("did not start", s.Target.Name, "because of", s.Because)
	}
	fmt.Println("net is up:", sup.Running("net"))
	// Output:
	// cannot start db: exit 1
	// did not start web because of db
	// net is up: true
}
