package fake_test

import (
	"context"
	"fmt"
	"time"

	"strata/live/change"
	"strata/live/change/fake"
)

func Example() {
	sup := &fake.Supervisor{Up: map[string]fake.Script{"slow": {Hang: true}}}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := sup.Engine().Up(ctx, change.Target{Name: "slow"})
	fmt.Println(err)
	fmt.Println(sup.Calls())
	// Output:
	// context deadline exceeded
	// [start slow end start slow: context deadline exceeded]
}
