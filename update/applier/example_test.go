package applier_test

import (
	"fmt"

	"strata/live/journal"
	"strata/update/applier"
)

func ExampleEnding() {
	for _, o := range []journal.Outcome{journal.AppliedWithFailures, journal.Aborted} {
		fmt.Println(o, applier.Ending{Outcome: o}.Switched())
	}
	// Output:
	// applied with failures true
	// aborted false
}
