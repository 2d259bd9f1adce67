package rescue_test

import (
	"fmt"

	"strata/live"
	"strata/live/change/rescue"
	"strata/live/change/tree"
)

func ExampleHelps() {
	for _, err := range []error{
		fmt.Errorf("cannot open journal: %w", live.ErrCorrupt),
		&live.BusyError{Path: "/run/strata/live/lock"},
		&tree.NameError{Names: []string{"wbe"}},
	} {
		fmt.Println(rescue.Helps(err), err)
	}
	// Output:
	// true cannot open journal: the live directory is damaged
	// false cannot lock /run/strata/live/lock: held by another process
	// false there is no service or bundle wbe
}
