package scenario_test

import (
	"errors"
	"fmt"

	"strata/live/change"
	"strata/live/change/scenario"
)

func ExampleOutcome() {
	bad, top := change.Target{Name: "bad"}, change.Target{Name: "top"}
	fmt.Println(scenario.Outcome(change.Result{
		Failed:  []change.Failure{{Target: bad, Op: change.Start, Err: errors.New("exit 1")}},
		Skipped: []change.Skip{{Target: top, Op: change.Start, Because: "bad"}},
		Quit:    change.ErrInterrupted,
	}))
	// Output: bad failed; top skipped for bad; interrupted
}
