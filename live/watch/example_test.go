package watch_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"strata/live"
	"strata/live/watch"
)

// Waiting for services, at most ten seconds.
func ExampleWait() {
	d, err := live.Open("/nowhere/live")
	if err != nil {
		fmt.Println("no live directory:", err != nil)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r := watch.Request{Slots: []live.Slot{16, 17}, Goal: watch.Up}
	o, err := watch.Wait(ctx, d, r)
	if err != nil || !r.Done(o) {
		fmt.Fprintln(os.Stderr, "still missing:", o.Left, o.Hopeless)
	}
	// Output: no live directory: true
}
